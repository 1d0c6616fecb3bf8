//! Bugs in what protects a device's data at rest; a test of Rust must find each.
//!
//! The sources contain them behind a feature (`fieldpost_domain::planted`). The tests are built with it once for builds that can
//! encrypt, and once for one that cannot. A test runs as a process that has the name of the bug in its environment, and hands it on
//! to the processes that it starts itself, such as the command line.
//!
//! Each test must pass first without a bug, in the same program.

use super::Options;
use crate::test::{self, Binary};
use anyhow::{Context, Result, bail};
use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// The variable in which a test process finds the name of its bug.
const VARIABLE: &str = "FIELDPOST_PLANTED";

/// What the tests are built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    /// SQLCipher.
    Encrypting,
    /// SQLite, which cannot encrypt.
    Plain,
}

impl Build {
    const ALL: [Self; 2] = [Self::Encrypting, Self::Plain];

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Encrypting => &[
                "-p",
                "fieldpost-storage",
                "-p",
                "fieldpost-storage-sqlite",
                "-p",
                "fieldpost-cli",
                "-p",
                "fieldpost-tests",
                "--features",
                "fieldpost-storage/conformance,fieldpost-tests/encryption,fieldpost-tests/planted-bugs,fieldpost-cli/encryption",
            ],
            Self::Plain => &[
                "-p",
                "fieldpost-storage-sqlite",
                "-p",
                "fieldpost-tests",
                "--test",
                "opening",
                "--features",
                "fieldpost-tests/planted-bugs",
            ],
        }
    }
}

/// A test that must find a bug: the folder of its crate and its target, and its name in there.
struct Proof {
    bug: &'static str,
    build: Build,
    program: &'static str,
    test: &'static str,
}

const fn proof(bug: &'static str, program: &'static str, test: &'static str) -> Proof {
    Proof { bug, build: Build::Encrypting, program, test }
}

const fn plain(bug: &'static str, program: &'static str, test: &'static str) -> Proof {
    Proof { bug, build: Build::Plain, program, test }
}

const STORE: &str = "storage-sqlite encrypting";
const MISTAKES: &str = "each_mistake_has_its_own_error_and_changes_nothing";
const LEAKS: &str = "nothing_that_a_person_wrote_and_no_token_leaves_by_logs_errors_or_diagnoses";
const CANNOT: &str = "a_build_that_cannot_encrypt_refuses_a_key_and_writes_nothing";

const PROOFS: [Proof; 14] = [
    proof("KeyInLog", "tests leaks", LEAKS),
    proof("KeyInError", "tests leaks", LEAKS),
    proof("PlainTemporaryFile", "cli cli", "keys::a_change_of_key_that_is_killed_leaves_the_old_file_or_the_new_one"),
    proof("FallsBackToPlain", STORE, MISTAKES),
    plain("FallsBackToPlain", "storage-sqlite opening", CANNOT),
    proof(
        "UnnamedCipherTrusted",
        "storage-sqlite fieldpost_storage_sqlite",
        "encryption::tests::a_library_that_names_no_cipher_is_refused",
    ),
    plain("UnnamedCipherTrusted", "storage-sqlite opening", CANNOT),
    proof("WrongKeyWipes", STORE, MISTAKES),
    proof("WrongKeyWipes", STORE, "a_mistake_beside_a_log_changes_nothing_either"),
    proof(
        "KilledImportStays",
        "cli cli",
        "keys::whoever_opens_a_database_removes_the_plain_copy_that_a_killed_import_left",
    ),
    proof(
        "TokensStayInDatabase",
        "storage-sqlite apart",
        "sign_in_rotation_and_sign_out_never_write_a_token_to_the_file",
    ),
    proof("MovedTokenStays", "storage-sqlite apart", "a_move_leaves_no_token_in_the_file_its_log_or_its_free_pages"),
    proof("LockedStoreSignsOut", "storage secrets", "a_locked_keychain_is_no_sign_out_and_can_be_asked_again"),
    proof("SignOutKeepsSecret", "storage secrets", "signing_out_deletes_the_secret"),
];

impl Proof {
    fn line(&self) -> String {
        format!("at_rest {}: {} \"{}\"", self.bug, self.program, self.test)
    }

    /// Whether the test passes.
    fn passes(&self, programs: &[Binary], bug: Option<&str>) -> Result<bool> {
        let program = programs.iter().find(|program| program.name == self.program);
        let program = program.with_context(|| format!("there are no tests {}", self.program))?;
        let mut command = Command::new(&program.executable);
        command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder).env_remove(VARIABLE);
        command.args(["--exact", self.test]).envs(bug.map(|bug| (VARIABLE, bug)));
        let output = command.stdin(Stdio::null()).output().with_context(|| self.program.to_owned())?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.contains("running 1 test\n") {
            bail!("{} has no test {}", self.program, self.test);
        }
        Ok(output.status.success())
    }
}

pub(super) fn run(options: &Options) -> Result<()> {
    let wanted: Vec<_> = PROOFS.iter().filter(|proof| options.wants(&proof.line())).collect();
    let (mut planted, mut found) = (0, 0);
    for build in Build::ALL {
        let proofs: Vec<_> = wanted.iter().filter(|proof| proof.build == build).collect();
        if proofs.is_empty() {
            continue;
        }
        println!("── building tests with bugs in them: {build:?}");
        let programs = test::build(build.arguments())?;
        for proof in proofs {
            if !proof.passes(&programs, None)? {
                bail!("it does not pass without a bug: {}", proof.line());
            }
            if options.check {
                continue;
            }
            let start = Instant::now();
            let is_found = !proof.passes(&programs, Some(proof.bug))?;
            (planted, found) = (planted + 1, found + usize::from(is_found));
            let word = if is_found { "found " } else { "MISSED" };
            println!("{word}  {}  ({:.1} s)", proof.line(), start.elapsed().as_secs_f32());
        }
    }
    println!("{planted} planted, {found} found");
    if found < planted {
        bail!("{} planted bugs were missed", planted - found);
    }
    Ok(())
}
