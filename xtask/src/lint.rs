//! Checks that run no code.

use crate::{crates, layers, process, sql_literals};
use anyhow::Result;
use std::process::Command;

pub(crate) fn run() -> Result<()> {
    process::run("formatting", process::cargo().args(["fmt", "--all", "--check"]))?;
    layers::run()?;
    sql_literals::run()?;
    crates::check()?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features", "--locked", "--", "-D", "warnings"];
    process::run("clippy", process::cargo().args(clippy))?;
    let docs = ["doc", "--workspace", "--no-deps", "--locked", "--quiet"];
    process::run("docs", process::cargo().env("RUSTDOCFLAGS", "-D warnings").args(docs))?;
    deny()
}

/// cargo-deny is optional: it takes longer to build than everything else here together.
fn deny() -> Result<()> {
    let installed = Command::new("cargo-deny").arg("--version").output().is_ok_and(|output| output.status.success());
    if !installed {
        println!("── cargo-deny is not installed, so licences and bans were NOT checked (`cargo install cargo-deny`)");
        return Ok(());
    }
    let check = ["deny", "check", "bans", "licenses", "sources"];
    process::run("cargo-deny", process::cargo().args(check))
}
