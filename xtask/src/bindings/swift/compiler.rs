//! The compiler of Swift, where there is one: of the system, or of the Debian 13 that bindings/swift/tools/debian.sh has installed.

use super::{
    super::{build::Built, languages::cache, server::Server},
    folder, told,
};
use crate::process;
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What to do, where there is none.
pub(super) const INSTALL: &str =
    "install Swift 6 (Debian 12, as root: apt-get install debootstrap && sh bindings/swift/tools/debian.sh)";

#[derive(Debug)]
pub(super) enum Compiler {
    /// On the path.
    Here,
    /// In a folder that is a system of its own.
    Inside(PathBuf),
}

impl Compiler {
    pub(super) fn find() -> Option<Self> {
        let mut swift = Command::new("swift");
        let swift = swift.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
        // OpenStack has a program of this name.
        if swift.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("Swift version 6")) {
            return Some(Self::Here);
        }
        let root = cache().ok()?.join("debian-swift");
        root.join("usr/libexec/swift/bin/swift-build").exists().then_some(Self::Inside(root))
    }

    /// Compiles the generated code, the layer and its tests.
    pub(super) fn compile(&self, built: &Built) -> Result<(bool, String)> {
        let output = self.swift(built, "build", &["--build-tests"]).output().context("cannot start Swift")?;
        Ok((output.status.success(), told(&output)))
    }

    /// Runs the tests, all of them.
    pub(super) fn test(&self, built: &Built) -> Result<(bool, String)> {
        let server = Server::start(built)?;
        let mut tests = self.swift(built, "test", &["--skip-build"]);
        tests.env("FIELDPOST_URL", &server.url).env("FIELDPOST_ANON_KEY", &server.anon_key);
        let output = tests.output().context("cannot start Swift")?;
        let told = told(&output);
        let ran = told.lines().rfind(|line| line.trim_start().starts_with("Executed ")).unwrap_or_default();
        let any = !ran.is_empty() && !ran.contains("Executed 0 ");
        eprintln!("── Swift: {}", ran.trim());
        Ok((output.status.success() && any, told))
    }

    /// The command that carries out one file of the scenario.
    pub(super) fn runner(&self, built: &Built, file: &Path, server: &Server, folder: &Path) -> Command {
        let mut runner = self.command(built, &scratch(built).join("debug/scenario"));
        runner.arg(file).args(["--url", &server.url, "--key", &server.anon_key]).arg("--folder").arg(folder);
        runner
    }

    fn swift(&self, built: &Built, verb: &str, arguments: &[&str]) -> Command {
        let (package, library) = (folder("swift"), folder_of(&built.library));
        let mut command = match self {
            Self::Here => {
                let mut command = self.command(built, Path::new("swift"));
                command.arg(verb);
                command
            }
            Self::Inside(_) => self.command(built, Path::new(&format!("swift-{verb}"))),
        };
        command.arg("--package-path").arg(&package).arg("--scratch-path").arg(scratch(built));
        command.args(["--disable-sandbox", "-Xlinker", "-lfieldpost_ffi", "-Xlinker"]);
        command.arg(format!("-L{}", library.display()));
        if cfg!(target_os = "linux") {
            // libswiftObservation of Swift 6.0 asks for a symbol that no library has; it is never called.
            command.args(["-Xlinker", "--allow-shlib-undefined"]);
        }
        command.args(arguments).env("FIELDPOST_BUILT", "1");
        command
    }

    /// A program that finds the library.
    fn command(&self, built: &Built, program: &Path) -> Command {
        let library = folder_of(&built.library);
        let mut command = match self {
            Self::Here => Command::new(program),
            Self::Inside(root) => {
                let mut command = Command::new("sh");
                command.arg(folder("swift/tools/inside.sh")).arg(root).arg(process::root()).arg(library);
                command.arg(&built.scratch).arg("--").arg(program);
                command
            }
        };
        command.env("LD_LIBRARY_PATH", library).env("DYLD_LIBRARY_PATH", library);
        command
    }
}

fn scratch(built: &Built) -> PathBuf {
    built.scratch.join("swift-build")
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

/// Header and module map as SwiftPM looks for them.
pub(super) fn prepare(generated: &Path, header: &str) -> Result<()> {
    let module = folder("swift/Sources/FieldpostFFIFFI");
    fs::create_dir_all(&module)?;
    fs::copy(generated.join(header), module.join(header))?;
    fs::copy(generated.join("FieldpostFFIFFI.modulemap"), module.join("module.modulemap"))?;
    Ok(())
}
