//! How the library is built for phones: small, and still with an error for a panic. docs/bindings.md has what each part saves.
//!
//! The profile `mobile` says what a profile can. The rest is in the environment of the command: what the compilers of Rust and C and the
//! linker are told, and which parts of SQLite are left out.

use anyhow::{Context, Result};
use std::{
    env::{self, consts},
    path::{Path, PathBuf},
    process::Command,
};

/// What the library is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Android,
    Apple,
    /// This machine.
    Here,
    /// This machine, as a phone with the same processor has it: may need a newer C library.
    HereAsOnAPhone,
}

/// The command, for one type of library alone: cargo leaves out the link-time optimisation of a library that is a Rust library too.
pub(super) fn command(crate_type: &str) -> Vec<String> {
    let words = "cargo rustc --locked --profile mobile -p fieldpost-ffi --features";
    let words = words.split_whitespace().chain([WITHOUT_TRACE, "--lib", "--crate-type", crate_type]);
    words.map(str::to_owned).collect()
}

/// Nothing of the level `trace` is passed on, so it need not be there. No feature of the crate says it: whoever builds with all features
/// would build every dependency again.
const WITHOUT_TRACE: &str = "tracing/release_max_level_debug";

/// The environment of the command.
pub(super) fn environment(system: System) -> Vec<(&'static str, String)> {
    let mut environment = vec![("RUSTFLAGS", rust_flags(system)), ("LIBSQLITE3_FLAGS", LEFT_OUT_OF_SQLITE.join(" "))];
    // A panic never crosses C: what is called back from there catches it.
    let for_c = match system {
        // Not for what runs while the library is built, which is for another machine.
        System::Android | System::Apple => Some("TARGET_CFLAGS"),
        System::Here | System::HereAsOnAPhone => cfg!(unix).then_some("CFLAGS"),
    };
    environment.extend(for_c.map(|name| (name, "-fno-asynchronous-unwind-tables".to_owned())));
    environment
}

/// Nothing here uses these. What stays is what the tests of the store run with.
const LEFT_OUT_OF_SQLITE: [&str; 6] = [
    "-USQLITE_ENABLE_FTS3",
    "-USQLITE_ENABLE_FTS3_PARENTHESIS",
    "-USQLITE_ENABLE_RTREE",
    "-USQLITE_SOUNDEX",
    "-USQLITE_ENABLE_API_ARMOR",
    "-DSQLITE_OMIT_DEPRECATED",
];

fn rust_flags(system: System) -> String {
    // Unwinding is then described in fewer bytes, and profilers see whole stacks.
    let mut flags = vec!["-Cforce-frame-pointers=yes".to_owned()];
    flags.extend(sources_of_crates().map(|folder| format!("--remap-path-prefix={}=", folder.display())));
    flags.extend(link_arguments(system).iter().map(|argument| format!("-Clink-arg=-Wl,{argument}")));
    flags.join(" ")
}

/// What the linker is told. Identical functions are folded: nothing tells two functions of the same code apart by their addresses.
fn link_arguments(system: System) -> &'static [&'static str] {
    // The linker that comes with the compiler. Elsewhere it is another one, which knows none of these.
    let lld = cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"));
    match system {
        // The linker of older NDKs aligns for pages of 4 KiB, which Google Play refuses. Android 6 and later read relocations that
        // are packed like this.
        System::Android => &["-z,max-page-size=16384", "--icf=all", "--pack-dyn-relocs=android"],
        // The C library reads packed relocations since glibc 2.36: too new for what is published.
        System::HereAsOnAPhone if lld => &["--icf=all", "-z,pack-relative-relocs"],
        System::Here if lld => &["--icf=all"],
        System::Apple | System::Here | System::HereAsOnAPhone => &[],
    }
}

/// Where the sources of the crates are. Messages of panics name them, and whoever gets the library need not know whose folder it is.
/// None if its name has a space, which the compiler would take for the end of the flag.
fn sources_of_crates() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let sources = home.join("registry").join("src");
    let spaced = |path: &Path| path.to_string_lossy().contains(char::is_whitespace);
    (!spaced(&sources)).then_some(sources)
}

/// This machine, as the compiler names it.
pub(super) fn host() -> Result<String> {
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output()?;
    let told = String::from_utf8(output.stdout)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("the compiler does not name its host")?.to_owned())
}

/// Where the profile `mobile` leaves the library, in the folder of a target.
pub(super) fn library(target: &Path) -> PathBuf {
    target.join("mobile").join(format!("{}fieldpost_ffi{}", consts::DLL_PREFIX, consts::DLL_SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_for_this_machine_runs_with_older_c_libraries() {
        assert!(link_arguments(System::Here).iter().all(|argument| !argument.contains("pack")));
        assert!(link_arguments(System::Android).contains(&"--pack-dyn-relocs=android"));
        assert!(link_arguments(System::Android).contains(&"-z,max-page-size=16384"));
        assert!(link_arguments(System::Apple).is_empty());
    }

    #[test]
    fn every_flag_is_one_word() {
        for system in [System::Android, System::Apple, System::Here, System::HereAsOnAPhone] {
            let flags = rust_flags(system);
            assert!(flags.split(' ').all(|flag| flag.starts_with('-')), "{flags}");
        }
    }

    #[test]
    fn the_command_builds_one_type_with_what_phones_leave_out() {
        let command = command("cdylib").join(" ");
        assert!(
            command.contains("--profile mobile") && command.contains("--features tracing/release_max_level_debug"),
            "{command}"
        );
        assert!(command.ends_with("--lib --crate-type cdylib"), "{command}");
    }
}
