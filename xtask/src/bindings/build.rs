//! The library, the generator, and the server that the scenario talks to.

use super::{kotlin, size};
use crate::{process, test::encryption};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What was built.
#[derive(Debug)]
pub(crate) struct Built {
    pub(super) library: PathBuf,
    pub(super) generator: PathBuf,
    /// `fieldpost`, for `fieldpost serve`.
    pub(super) program: PathBuf,
    /// A folder for what the tests write.
    pub(super) scratch: PathBuf,
    /// Whether it can encrypt files.
    pub(super) encrypts: bool,
}

/// What the bindings are made with. The command that runs all tests has built it among them: another build beside them, of other features,
/// would replace programs that they are running.
#[derive(Debug, Clone, Args)]
pub(crate) struct Parts {
    /// The library
    #[arg(long, required = false, requires_all = ["generator", "program"])]
    pub(crate) library: PathBuf,
    /// `uniffi-bindgen`
    #[arg(long, required = false, requires_all = ["library", "program"])]
    pub(crate) generator: PathBuf,
    /// `fieldpost`
    #[arg(long, required = false, requires_all = ["library", "generator"])]
    pub(crate) program: PathBuf,
}

impl Parts {
    /// Those that are among the files of a build, if all are.
    pub(crate) fn among(files: &[PathBuf]) -> Option<Self> {
        let find = |name: String| files.iter().find(|file| file.ends_with(&name)).cloned();
        Some(Self {
            library: find(format!("{DLL_PREFIX}fieldpost_ffi{DLL_SUFFIX}"))?,
            generator: find(format!("uniffi-bindgen{EXE_SUFFIX}"))?,
            program: find(format!("fieldpost{EXE_SUFFIX}"))?,
        })
    }

    /// As arguments of the command that takes them.
    pub(crate) fn arguments(&self) -> [&OsStr; 6] {
        let [library, generator, program] =
            [&self.library, &self.generator, &self.program].map(|path| path.as_os_str());
        ["--library".as_ref(), library, "--generator".as_ref(), generator, "--program".as_ref(), program]
    }
}

/// What makes it encrypt files. The other tests are built with it too, so SQLCipher is built once.
const ENCRYPTION: [&str; 2] = ["--features", "fieldpost-ffi/encryption,fieldpost-cli/encryption"];

/// Builds it in the profile `dev`, which all tests use: the generator reads the names out of a library that is not stripped.
pub(super) fn build() -> Result<Built> {
    let packages = ["-p", "fieldpost-ffi", "-p", "fieldpost-bindgen", "-p", "fieldpost-cli"];
    let encrypts = encryption::can_be_built();
    // Not on standard output, which may be JSON.
    eprintln!("── building the library");
    if !encrypts {
        eprintln!("── perl or make is missing, so encrypted files are NOT tested (Debian: apt-get install perl make)");
    }
    let mut cargo = process::cargo();
    cargo.args(["build", "--locked", "--quiet"]).args(packages);
    cargo.args(encrypts.then_some(ENCRYPTION).into_iter().flatten());
    let status = cargo.status();
    if !status.context("cannot start cargo")?.success() {
        bail!("the library does not build");
    }
    let files: Vec<_> =
        fs::read_dir(size::target()?.join("debug"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    Built::of(Parts::among(&files).context("cargo has not built the library, its generator and the server")?)
}

impl Built {
    /// What was built already, by the command that runs all tests.
    pub(super) fn of(Parts { library, generator, program }: Parts) -> Result<Self> {
        let scratch = size::target()?.join("bindings");
        fs::create_dir_all(&scratch)?;
        Ok(Self { library, generator, program, scratch, encrypts: encryption::can_be_built() })
    }

    /// Generates the bindings of a language into a folder.
    pub(super) fn generate(&self, language: &str, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        let before = newest(folder);
        let mut command = Command::new(&self.generator);
        command.current_dir(process::root()).args(["generate", "--no-format", "--language", language]);
        command.args(["--config", "crates/ffi/uniffi.toml", "--out-dir"]).arg(folder).arg(&self.library);
        let output = command.output().with_context(|| format!("cannot start {}", self.generator.display()))?;
        if !output.status.success() {
            bail!("the bindings of {language} were not generated: {}", String::from_utf8_lossy(&output.stderr));
        }
        // Of a stripped library the generator writes nothing, and says that all is well.
        if newest(folder) == before {
            bail!("the generator has written nothing for {language}: is the library stripped?");
        }
        without_links(folder)?;
        if language == "kotlin" { kotlin::make_unconfined_calls_return(folder) } else { Ok(()) }
    }

    /// An empty folder.
    pub(super) fn empty_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// Takes the links of rustdoc out of the docs, which no other language follows.
fn without_links(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            without_links(&path)?;
        } else if let Ok(text) = fs::read_to_string(&path) {
            fs::write(&path, unlinked(&text))?;
        }
    }
    Ok(())
}

fn unlinked(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, linked)) = rest.split_once("[`") {
        plain.push_str(before);
        let of_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
        match linked.split_once("`]") {
            Some((path, after)) if path.chars().all(of_path) => {
                let path = path.trim_start_matches("crate::").trim_start_matches("fieldpost::");
                plain.push_str(&format!("`{path}`"));
                rest = after;
            }
            _ => {
                plain.push_str("[`");
                rest = linked;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// When a file below was last written.
fn newest(folder: &Path) -> Option<std::time::SystemTime> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let when = |entry: fs::DirEntry| {
        if entry.path().is_dir() { newest(&entry.path()) } else { entry.metadata().ok()?.modified().ok() }
    };
    entries.filter_map(when).max()
}

#[cfg(test)]
mod tests {
    use super::unlinked;

    #[test]
    fn links_become_names() {
        let docs = "Fails with [`crate::ErrorKind::NotFound`]; see [`Client::send`] and [`fieldpost::Client`].";
        assert_eq!(unlinked(docs), "Fails with `ErrorKind::NotFound`; see `Client::send` and `Client`.");
        assert_eq!(
            unlinked("the [`kotlin` section](https://example.org)"),
            "the [`kotlin` section](https://example.org)"
        );
    }
}
