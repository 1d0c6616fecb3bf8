//! The peers of the benchmarks: what people use today, installed from their locks, outside of this workspace.

use crate::process;
use anyhow::{Context, Result};
use std::{fs, path::PathBuf, process::Command};

/// Installs and builds what is missing or older than its lock.
pub(crate) fn ensure() -> Result<()> {
    let peers = process::root().join("benches/peers");
    let modified = |path: PathBuf| fs::metadata(path).and_then(|file| file.modified());
    let lock = modified(peers.join("package-lock.json"))?;
    if !modified(peers.join("node_modules/.package-lock.json")).is_ok_and(|installed| installed >= lock) {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&peers);
        process::run("npm ci in benches/peers", &mut npm)
            .context("the peers need npm, which comes with Node 20 or newer")?;
    }
    let powersync = peers.join("powersync");
    let mut cargo = Command::new("cargo");
    // Its core says that it needs a newer Rust than it does: see .cargo/config.toml there.
    cargo.args(["build", "--release", "--locked", "--ignore-rust-version"]).current_dir(powersync);
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    if let Some(headers) = compiler_headers().filter(|_| std::env::var_os(CLANG_ARGS).is_none()) {
        cargo.env(CLANG_ARGS, format!("-isystem {headers}"));
    }
    process::run("building the peer powersync", &mut cargo)
        .context("it needs libclang for its bindings (Debian: libclang-dev, or LIBCLANG_PATH)")
}

const CLANG_ARGS: &str = "BINDGEN_EXTRA_CLANG_ARGS";

/// Where the C compiler has the headers that a libclang without a clang beside it does not bring.
fn compiler_headers() -> Option<String> {
    let asked = Command::new("cc").arg("-print-file-name=include").output().ok()?;
    let path = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    PathBuf::from(&path).is_dir().then_some(path)
}
