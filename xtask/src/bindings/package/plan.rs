//! A plan: what it needs, and its steps in their order.

use crate::{
    bindings::{build, size},
    process,
};
use anyhow::{Context, Result, bail};
use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Something that must be installed.
#[derive(Debug, Clone)]
pub(super) enum Need {
    /// A program on the path.
    Program { name: &'static str, install: &'static str },
    /// A target of the compiler.
    Target(&'static str),
    /// A file of the repository.
    File { path: PathBuf, why: &'static str },
    /// A variable of the environment.
    Variable { name: &'static str, install: &'static str },
}

#[derive(Debug)]
pub(super) enum Step {
    Run {
        command: Vec<String>,
        folder: PathBuf,
        environment: Vec<(&'static str, String)>,
    },
    /// A file, or a folder with all in it.
    Copy {
        from: PathBuf,
        to: PathBuf,
    },
    /// Generate the code of a language from a library that is not stripped.
    Generate {
        language: &'static str,
        folder: PathBuf,
    },
    Write {
        file: PathBuf,
        text: String,
    },
    /// Begin with an empty folder.
    Empty(PathBuf),
    /// Hold a file to its budget.
    Size {
        file: PathBuf,
        most: u64,
    },
    /// Put the output of a command into a file, in place of a word.
    Fill {
        file: PathBuf,
        word: &'static str,
        command: Vec<String>,
    },
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) needs: Vec<Need>,
    pub(super) steps: Vec<Step>,
}

pub(super) fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

impl Step {
    /// A command in the folder of the workspace.
    pub(super) fn run(command: Vec<String>) -> Self {
        Self::Run { command, folder: process::root(), environment: Vec::new() }
    }

    fn carry_out(&self) -> Result<()> {
        match self {
            Self::Run { command, folder, environment } => {
                let mut program = program(command)?;
                // It would win over RUSTFLAGS.
                program.env_remove("CARGO_ENCODED_RUSTFLAGS").current_dir(folder);
                program.envs(environment.iter().map(|(name, value)| (name, value)));
                process::run(&self.to_string(), &mut program)
            }
            Self::Copy { from, to } => copy(from, to),
            Self::Generate { language, folder } => build::build()?.generate(language, folder),
            Self::Write { file, text } => {
                fs::create_dir_all(file.parent().context("a file without a folder")?)?;
                Ok(fs::write(file, text)?)
            }
            Self::Empty(folder) => {
                if folder.exists() {
                    fs::remove_dir_all(folder)?;
                }
                Ok(fs::create_dir_all(folder)?)
            }
            Self::Size { file, most } => size::check(file, *most),
            Self::Fill { file, word, command } => {
                let output = program(command)?.output().with_context(|| self.to_string())?;
                if !output.status.success() {
                    bail!("{self} failed: {}", String::from_utf8_lossy(&output.stderr));
                }
                let text = fs::read_to_string(file)?;
                if !text.contains(*word) {
                    bail!("{} has no {word}", file.display());
                }
                Ok(fs::write(file, text.replace(*word, String::from_utf8_lossy(&output.stdout).trim()))?)
            }
        }
    }
}

fn program(command: &[String]) -> Result<Command> {
    let (name, arguments) = command.split_first().context("an empty command")?;
    // The cargo that started this, so that the compiler is the same one.
    let mut program = if name == "cargo" { process::cargo() } else { Command::new(name) };
    program.args(arguments).current_dir(process::root());
    Ok(program)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("a file without a folder")?)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { command, folder, environment } => {
                let quoted = |value: &str| format!("'{}'", value.replace('\'', "'\\''"));
                let variables: String =
                    environment.iter().map(|(name, value)| format!("{name}={} ", quoted(value))).collect();
                write!(f, "run {variables}{}", command.join(" "))?;
                if *folder == process::root() { Ok(()) } else { write!(f, " (in {})", shown(folder)) }
            }
            Self::Copy { from, to } => write!(f, "copy {} to {}", shown(from), shown(to)),
            Self::Generate { language, folder } => write!(f, "generate {language} into {}", shown(folder)),
            Self::Write { file, .. } => write!(f, "write {}", shown(file)),
            Self::Empty(folder) => write!(f, "empty {}", shown(folder)),
            Self::Size { file, most } => write!(f, "check {}: at most {}", shown(file), size::megabytes(*most)),
            Self::Fill { file, word, command } => {
                write!(f, "put the output of {} into {} as {word}", command.join(" "), shown(file))
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(process::root()).unwrap_or(path).display().to_string()
}

impl Need {
    /// What to do about it, if it is missing.
    fn missing(&self) -> Option<String> {
        match self {
            Self::Program { name, install } => (!on_path(name)).then(|| format!("{name}: {install}")),
            Self::Target(target) => (!has_target(target)).then(|| format!("{target}: rustup target add {target}")),
            Self::File { path, why } => (!path.exists()).then(|| format!("{}: {why}", shown(path))),
            Self::Variable { name, install } => env::var_os(name).is_none().then(|| format!("{name}: {install}")),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { name, .. } | Self::Variable { name, .. } => f.write_str(name),
            Self::Target(target) => write!(f, "the target {target}"),
            Self::File { path, .. } => f.write_str(&shown(path)),
        }
    }
}

fn on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn has_target(target: &str) -> bool {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = rustc.args(["--print", "target-libdir", "--target", target]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

impl Plan {
    /// Carries out all steps, or none if something is missing.
    pub(super) fn carry_out(&self) -> Result<()> {
        let missing = self.missing();
        if !missing.is_empty() {
            bail!("{} cannot be made here. Missing:\n  {}", self.title, missing.join("\n  "));
        }
        for step in &self.steps {
            println!("── {step}");
            step.carry_out().with_context(|| format!("{step} failed"))?;
        }
        Ok(())
    }

    /// What it prints, line by line.
    #[cfg(test)]
    pub(super) fn lines(&self) -> Vec<String> {
        self.to_string().lines().map(|line| line.trim().to_owned()).collect()
    }

    pub(super) fn missing(&self) -> Vec<String> {
        self.needs.iter().filter_map(Need::missing).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let needs: Vec<_> = self.needs.iter().map(ToString::to_string).collect();
        write!(f, "needs: {}", needs.join(", "))?;
        for (number, step) in self.steps.iter().enumerate() {
            write!(f, "\n{:>3}. {step}", number + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_done_while_something_is_missing() {
        let file = env::temp_dir().join(format!("fieldpost-plan-{}", std::process::id()));
        let plan = Plan {
            title: "A package".to_owned(),
            needs: vec![Need::Program { name: "no-such-program", install: "write it first" }],
            steps: vec![Step::Write { file: file.clone(), text: String::new() }],
        };
        let error = plan.carry_out().unwrap_err().to_string();
        assert!(error.contains("A package cannot be made here"), "{error}");
        assert!(error.contains("no-such-program: write it first"), "{error}");
        assert!(!file.exists());
    }

    #[test]
    fn each_kind_of_need_is_looked_for() {
        let root = process::root();
        let there = [
            Need::Program { name: "sh", install: "" },
            Need::File { path: root.join("Cargo.toml"), why: "" },
            Need::Variable { name: "PATH", install: "" },
        ];
        assert!(there.iter().all(|need| need.missing().is_none()));
        let missing = [
            Need::Target("no-such-target"),
            Need::File { path: root.join("no/such/file"), why: "" },
            Need::Variable { name: "FIELDPOST_NO_SUCH_VARIABLE", install: "" },
        ];
        assert!(missing.iter().all(|need| need.missing().is_some()));
    }
}
