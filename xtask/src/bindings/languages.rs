//! The languages in which the scenario is carried out.

use super::{build::Built, kotlin, server::Server, swift, table::Table, typescript};
use crate::process;
use anyhow::{Context, Result};
use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub(crate) enum Language {
    /// asyncio, for scripts and back ends
    Python,
    /// Coroutines and flows, on the JVM
    Kotlin,
    /// Node, and React Native as far as it can be checked without a phone
    #[value(name = "typescript")]
    TypeScript,
    /// The package; compiled and run where there is a compiler
    Swift,
}

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::Python, Self::Kotlin, Self::TypeScript, Self::Swift];

    /// Whether it carries out the scenario before its other tests. Swift has to be compiled first, where it can be.
    pub(super) const fn runs(self) -> bool {
        !matches!(self, Self::Swift)
    }

    /// Whether it is tested on a day on which not all are.
    pub(super) fn is_due(self, day: u64) -> bool {
        match self {
            Self::Python => true,
            Self::Kotlin => day.is_multiple_of(3),
            Self::TypeScript => day % 3 == 1,
            // Parsing it takes seconds, compiling it takes minutes.
            Self::Swift => day % 3 == 2 || !swift::can_be_compiled(),
        }
    }

    /// Whether nothing has to be fetched or built for it that takes minutes.
    pub(super) fn is_at_hand(self) -> bool {
        match self {
            Self::Python | Self::Swift => true,
            Self::Kotlin => kotlin::is_at_hand(),
            Self::TypeScript => typescript::is_at_hand(),
        }
    }

    /// Whether the compiler refuses arguments of a wrong type, so that no test can pass them.
    pub(super) const fn is_typed(self) -> bool {
        match self {
            // The scenario is carried out from JSON, so the compiler of TypeScript sees none of its arguments.
            Self::Python | Self::TypeScript => false,
            Self::Kotlin | Self::Swift => true,
        }
    }

    /// What to install, if the language cannot be tested here.
    pub(crate) fn missing(self) -> Option<&'static str> {
        match self {
            Self::Python => {
                let recent = "import sys; sys.exit(sys.version_info < (3, 11))";
                (!runs("python3", &["-c", recent]))
                    .then_some("install Python 3.11 or later (Debian: apt-get install python3)")
            }
            Self::Kotlin => kotlin::missing(),
            Self::TypeScript => typescript::missing(),
            Self::Swift => swift::missing(),
        }
    }

    /// Generates the bindings, and puts them beside what is written by hand.
    pub(crate) fn prepare(self, built: &Built) -> Result<()> {
        match self {
            Self::Python => {
                let native = folder("python/src/fieldpost/_native");
                built.generate("python", &native)?;
                fs::write(native.join("__init__.py"), "")?;
                // A new file, because a process may still have the old one in use.
                let library = native.join(built.library.file_name().context("a library without a name")?);
                let _ = fs::remove_file(&library);
                fs::copy(&built.library, library)?;
                Ok(())
            }
            Self::Kotlin => kotlin::prepare(built),
            Self::TypeScript => {
                typescript::prepare(built)?;
                typescript::prepare_tests()
            }
            Self::Swift => swift::prepare(built),
        }
    }

    /// The command that carries out one file of the scenario. It prints one line of JSON for each step.
    pub(super) fn runner(self, built: &Built, file: &Path, server: &Server, folder: &Path) -> Command {
        match self {
            Self::Python => {
                let mut python = python();
                python.args(["-m", "scenario"]).arg(file);
                python.args(["--url", &server.url, "--key", &server.anon_key]).arg("--folder").arg(folder);
                python
            }
            Self::Kotlin => kotlin::runner(built, file, server, folder),
            Self::TypeScript => typescript::runner(file, server, folder),
            Self::Swift => swift::runner(built, file, server, folder),
        }
    }

    /// The tests of the hand-written layer: its examples, and what has no place in the scenario.
    pub(super) fn package_tests(self, built: &Built, table: &mut Table) -> Result<()> {
        match self {
            Self::Python => {
                let server = Server::start(built)?;
                let mut python = python();
                python.args(["-m", "unittest", "discover", "-s", "bindings/python/tests", "-p", "test_*.py"]);
                python.env("FIELDPOST_URL", &server.url).env("FIELDPOST_ANON_KEY", &server.anon_key);
                let output = python.output().context("cannot start Python")?;
                let told = String::from_utf8_lossy(&output.stderr);
                let passed = output.status.success() && !told.contains("Ran 0 tests");
                table.enter("the package", "the tests of the hand-written layer", self, passed, &told);
                Ok(())
            }
            Self::Kotlin => {
                let server = Server::start(built)?;
                let output = kotlin::package_tests(built, &server)?.output().context("cannot start Java")?;
                let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
                let passed = output.status.success() && !told.contains("0 tests passed");
                table.enter("the package", "the tests of the hand-written layer", self, passed, &told);
                Ok(())
            }
            Self::TypeScript => typescript::package_tests(built, table),
            Self::Swift => swift::check(built, table),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "Python",
            Self::Kotlin => "Kotlin",
            Self::TypeScript => "TypeScript",
            Self::Swift => "Swift",
        })
    }
}

/// Where what was fetched is kept, for all clones.
pub(super) fn cache() -> Result<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache =
        given.or_else(|| Some(env::home_dir()?.join(".cache"))).context("there is no home folder for the cache")?;
    Ok(cache.join("fieldpost/bindings"))
}

pub(super) fn folder(name: &str) -> PathBuf {
    process::root().join("bindings").join(name)
}

/// Python, with the package and its tests, as they lie here.
fn python() -> Command {
    let mut python = Command::new("python3");
    let paths = [folder("python/src"), folder("python/tests")];
    python.current_dir(process::root()).env("PYTHONPATH", std::env::join_paths(paths).unwrap_or_default());
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
