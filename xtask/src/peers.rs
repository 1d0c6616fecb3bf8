//! The peers of the benchmarks: what people use today, installed from their lock files, outside this workspace.

use crate::process;
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// Installs and builds whatever is missing or older than its lock file.
pub(crate) fn ensure() -> Result<()> {
    ensure_packages()?;
    ensure_powersync()
}

/// RxDB, supabase-js, and the packages of the seed algorithm.
pub(crate) fn ensure_packages() -> Result<()> {
    if packages_are_installed() {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder());
    process::run("npm ci in benches/peers", &mut npm).context("the peers need npm, which comes with Node 20 or newer")
}

/// PowerSync's SDK, in a separate program.
pub(crate) fn ensure_powersync() -> Result<()> {
    let mut cargo = Command::new("cargo");
    // Its core declares a newer Rust than it needs: see .cargo/config.toml there.
    cargo.args(["build", "--release", "--locked", "--ignore-rust-version"]).current_dir(folder().join("powersync"));
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    if let Some(headers) = compiler_headers().filter(|_| std::env::var_os(CLANG_ARGS).is_none()) {
        cargo.env(CLANG_ARGS, format!("-isystem {headers}"));
    }
    process::run("building the peer powersync", &mut cargo)
        .context("it needs libclang for its bindings (Debian: libclang-dev, or LIBCLANG_PATH)")
}

/// Whether the installed packages match the lock file.
pub(crate) fn packages_are_installed() -> bool {
    is_newer(&folder().join("node_modules/.package-lock.json"), &folder().join("package-lock.json"))
}

/// Whether PowerSync was built from its lock file: then nothing has to be generated again.
pub(crate) fn powersync_is_built() -> bool {
    let powersync = folder().join("powersync");
    is_newer(&powersync.join("target/release/fieldpost-peer-powersync"), &powersync.join("Cargo.lock"))
}

/// Whether a libclang is in one of bindgen's search paths.
pub(crate) fn libclang_is_there() -> bool {
    let named = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let said = Command::new("llvm-config").arg("--libdir").output().ok();
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok()).map(|path| PathBuf::from(path.trim()));
    let usual = LIBRARIES.iter().map(PathBuf::from).chain(versioned("/usr/lib")).chain(versioned("/usr/local/opt"));
    named.into_iter().chain(said).chain(usual).any(|place| has_libclang(&place))
}

const LIBRARIES: [&str; 7] = [
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/Library/Developer/CommandLineTools/usr/lib",
    "/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib",
];

/// The libraries of each LLVM installed below a folder.
fn versioned(folder: &str) -> impl Iterator<Item = PathBuf> {
    let inside = fs::read_dir(folder).into_iter().flatten().flatten();
    inside.filter(|entry| entry.file_name().to_string_lossy().starts_with("llvm")).map(|entry| entry.path().join("lib"))
}

/// `place` is a folder, or the library itself.
fn has_libclang(place: &Path) -> bool {
    if place.is_file() {
        return true;
    }
    let inside = fs::read_dir(place).into_iter().flatten().flatten();
    inside.map(|entry| entry.file_name()).any(|name| is_libclang(&name.to_string_lossy()))
}

/// `libclang.so`, `libclang-14.so.1`, `libclang.dylib`; not `libclang-cpp.so`, which has no C interface.
fn is_libclang(name: &str) -> bool {
    let library = name.starts_with("libclang.") || name.starts_with("libclang-");
    library && !name.starts_with("libclang-cpp") && (name.contains(".so") || name.ends_with(".dylib"))
}

fn folder() -> PathBuf {
    process::root().join("benches/peers")
}

fn is_newer(made: &Path, than: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let lock: Option<SystemTime> = modified(than);
    modified(made).is_some_and(|made| lock.is_none_or(|lock| made >= lock))
}

const CLANG_ARGS: &str = "BINDGEN_EXTRA_CLANG_ARGS";

/// The C compiler's headers, which a libclang without clang lacks.
fn compiler_headers() -> Option<String> {
    let asked = Command::new("cc").arg("-print-file-name=include").output().ok()?;
    let path = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    PathBuf::from(&path).is_dir().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_bindgen_can_load_is_told_from_one_that_it_cannot() {
        let names = ["libclang.so", "libclang-14.so.1", "libclang.so.19", "libclang.dylib"];
        assert!(names.into_iter().all(is_libclang));
        let others = ["libclang-cpp.so.14", "libclangBasic.a", "libclang.a", "libc.so"];
        assert!(!others.into_iter().any(is_libclang));
    }
}
