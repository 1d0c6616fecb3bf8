//! TypeScript: the package for Node and React Native.
//!
//! What npm brings, and the generator, lie in a cache beside the home folder: both take minutes to fetch or build, and change only with
//! the lock file.

use super::{
    Language,
    build::Built,
    languages::{cache, folder},
    server::Server,
    table::Table,
};
use crate::process;
use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const LANGUAGE: Language = Language::TypeScript;
const NAMESPACE: &str = "fieldpost_ffi";

/// What to install, if it cannot be tested here.
pub(super) fn missing() -> Option<&'static str> {
    let recent = "process.exit(Number(process.versions.node.split('.')[0]) < 20 ? 1 : 0)";
    let node = succeeds(Command::new("node").args(["-e", recent])) && succeeds(Command::new("npm").arg("--version"));
    (!node).then_some("install Node 20 or later with npm (Debian 13: apt-get install nodejs npm)")
}

/// Whether the packages and the generator are in the cache.
pub(super) fn is_at_hand() -> bool {
    let in_cache = |name: &str| cache().is_ok_and(|cache| cache.join(name).is_file());
    in_cache("npm/node_modules/.fieldpost-lock") && in_cache("ubrn/version")
}

/// Generates the code, puts the library beside it, and compiles the package.
pub(super) fn prepare(built: &Built) -> Result<()> {
    let packages = install()?;
    let generator = generator(&packages)?;
    for kind in ["node", "react-native"] {
        generate(&generator, built, kind)?;
    }
    turbo_module(&generator)?;
    place_library(built)?;
    let compiled = tsc("tsconfig.json")?;
    if !compiled.status.success() {
        bail!("the package does not compile:\n{}", String::from_utf8_lossy(&compiled.stdout));
    }
    Ok(())
}

/// What an app can name, as the compiler sees it. None where the tools are not at hand: fetching them takes minutes.
pub(super) fn surface(built: &Built) -> Result<Option<String>> {
    if missing().is_some() || !is_at_hand() {
        eprintln!(
            "── the surface of TypeScript is NOT compared: first run `cargo xtask bindings build --only typescript`"
        );
        return Ok(None);
    }
    prepare(built)?;
    let output = node().arg("scripts/surface.mjs").output().context("cannot start node")?;
    if !output.status.success() {
        bail!("the surface of TypeScript cannot be told:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Some(String::from_utf8(output.stdout)?))
}

/// The command that carries out one file of the scenario.
pub(super) fn runner(file: &Path, server: &Server, scratch: &Path) -> Command {
    let mut node = node();
    node.args(["--expose-gc", "build/scenario/main.js"]).arg(file);
    node.args(["--url", &server.url, "--key", &server.anon_key]).arg("--folder").arg(scratch);
    node
}

/// What has no place in the scenario: types, C++, hooks, the example of the README, the sample app.
pub(super) fn package_tests(built: &Built, table: &mut Table) -> Result<()> {
    let types = tsc("tsconfig.react-native.json")?;
    enter(table, "React Native: types, strict", &types);
    if succeeds(Command::new("g++").arg("--version")) {
        enter(table, "React Native: C++, syntax", &cpp_syntax()?);
    } else {
        println!("── the C++ of React Native is NOT checked: install g++ (Debian: apt-get install g++)");
    }
    let server = Server::start(built)?;
    let mut tests = node();
    tests.args(["--expose-gc", "--test", "--test-force-exit", "--test-reporter=tap", "build/package/"]);
    enter_tests(table, "the tests of the package", &with_server(&mut tests, &server)?, "# tests 0");
    // The sample app has a server of its own: its test fills a thread with 10,000 messages.
    let server = Server::start(built)?;
    let mut sample = Command::new(folder("typescript/node_modules/.bin/jest"));
    sample.current_dir(folder("typescript/example")).arg("--ci");
    enter_tests(table, "the sample app, rendered", &with_server(&mut sample, &server)?, "no tests");
    Ok(())
}

/// Compiles the runner of the scenario and the tests, against the declarations of the package.
pub(super) fn prepare_tests() -> Result<()> {
    let compiled = tsc("tsconfig.test.json")?;
    if !compiled.status.success() {
        bail!("the tests do not compile:\n{}", String::from_utf8_lossy(&compiled.stdout));
    }
    Ok(())
}

fn with_server(command: &mut Command, server: &Server) -> Result<Output> {
    command.env("FIELDPOST_URL", &server.url).env("FIELDPOST_ANON_KEY", &server.anon_key);
    command.output().with_context(|| format!("cannot start {command:?}"))
}

fn enter(table: &mut Table, what: &str, output: &Output) {
    let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
    table.enter("the package", what, LANGUAGE, output.status.success(), &told);
}

/// A run without a test is no success.
fn enter_tests(table: &mut Table, what: &str, output: &Output, none: &str) {
    let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
    let passed = output.status.success() && !told.to_lowercase().contains(none);
    table.enter("the package", what, LANGUAGE, passed, &told);
}

// ── Packages and the generator

/// Fetches what the lock file names, unless it is there, and returns its folder. The package finds it by a link.
fn install() -> Result<PathBuf> {
    let package = folder("typescript");
    let cached = cache()?.join("npm");
    let lock = fs::read_to_string(package.join("package-lock.json"))?;
    let stamp = cached.join("node_modules/.fieldpost-lock");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&lock) {
        fs::create_dir_all(&cached)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(package.join(file), cached.join(file))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&cached);
        quietly("npm ci", &mut npm)
            .context("TypeScript needs the packages of its lock file, from a package registry")?;
        fs::write(stamp, lock)?;
    }
    link(&cached.join("node_modules"), &package.join("node_modules"))?;
    Ok(cached.join("node_modules"))
}

fn link(to: &Path, at: &Path) -> Result<()> {
    if fs::read_link(at).ok().as_deref() == Some(to) {
        return Ok(());
    }
    if at.is_symlink() {
        fs::remove_file(at)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot link {}", at.display()))?;
    Ok(())
}

/// The generator is a Rust program within its npm package. It is built once for each version.
fn generator(packages: &Path) -> Result<PathBuf> {
    let source = packages.join("@ubjs/core");
    let manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(source.join("package.json"))?)?;
    let version = manifest["version"].as_str().context("the generator has no version")?;
    let target = cache()?.join("ubrn");
    let program = target.join("debug/uniffi-bindgen-react-native");
    let stamp = target.join("version");
    if fs::read_to_string(&stamp).ok().as_deref() == Some(version) && program.is_file() {
        return Ok(program);
    }
    println!("── building the generator of TypeScript, version {version}; this is needed once");
    let mut cargo = process::cargo();
    cargo.args(["build", "--quiet", "--manifest-path"]).arg(source.join("crates/ubrn_cli/Cargo.toml"));
    cargo.arg("--target-dir").arg(&target).env("CARGO_INCREMENTAL", "0");
    process::run("building the generator of TypeScript", &mut cargo)?;
    fs::write(stamp, version)?;
    Ok(program)
}

fn generate(generator: &Path, built: &Built, kind: &str) -> Result<()> {
    let code = folder("typescript/src/generated").join(kind);
    if code.exists() {
        fs::remove_dir_all(&code)?;
    }
    fs::create_dir_all(&code)?;
    // In library mode it finds crates/ffi/uniffi.toml by the name of the crate.
    let mut command = Command::new(generator);
    command.current_dir(process::root()).arg("generate");
    match kind {
        "node" => command.args(["napi", "bindings", "--lib-colocated"]),
        _ => command.args(["jsi", "bindings", "--cpp-dir"]).arg(folder("typescript/cpp/generated")),
    };
    fs::create_dir_all(folder("typescript/cpp/generated"))?;
    command.args(["--library", "--no-format", "--ts-dir"]).arg(&code).arg(&built.library);
    quietly("generating TypeScript", &mut command)?;
    if !code.join(format!("{NAMESPACE}.ts")).is_file() {
        bail!("the generator has written nothing: is the library stripped?");
    }
    quietly("adapting it", node().arg("scripts/adapt.mjs").arg(&code))
}

/// The glue of Kotlin, Objective-C and C++, with names from package.json.
fn turbo_module(generator: &Path) -> Result<()> {
    let mut command = Command::new(generator);
    command.current_dir(folder("typescript")).args(["generate", "jsi", "turbo-module", "--config", "ubrn.config.yaml"]);
    quietly("generating the turbo module", command.arg(NAMESPACE))?;
    quietly("adapting the turbo module", node().arg("scripts/adapt-turbo.mjs"))
}

/// Where src/addon.ts looks for it.
fn place_library(built: &Built) -> Result<()> {
    let platform = match (env::consts::OS, env::consts::ARCH) {
        ("macos", "aarch64") => "darwin-arm64",
        ("macos", _) => "darwin-x64",
        ("linux", "aarch64") => "linux-arm64-gnu",
        ("linux", _) => "linux-x64-gnu",
        (system, arch) => bail!("there is no addon of Node for {system} on {arch}"),
    };
    let prebuilds = folder("typescript/prebuilds").join(platform);
    fs::create_dir_all(&prebuilds)?;
    // A new file, because a process may still have the old one in use.
    let library = prebuilds.join(built.library.file_name().context("a library without a name")?);
    let _ = fs::remove_file(&library);
    if fs::hard_link(&built.library, &library).is_err() {
        fs::copy(&built.library, library)?;
    }
    Ok(())
}

// ── Programs

fn node() -> Command {
    let mut node = Command::new("node");
    node.current_dir(folder("typescript"));
    node
}

fn tsc(project: &str) -> Result<Output> {
    let mut tsc = node();
    tsc.args(["node_modules/typescript/bin/tsc", "--project", project]);
    tsc.output().context("cannot start tsc")
}

fn cpp_syntax() -> Result<Output> {
    let react_native = "node_modules/react-native/ReactCommon";
    let mut compiler = Command::new("g++");
    compiler.current_dir(folder("typescript")).args(["-std=c++20", "-Wall", "-Werror", "-fsyntax-only", "-Icpp"]);
    for include in ["", "/jsi", "/callinvoker"] {
        compiler.arg(format!("-I{react_native}{include}"));
    }
    compiler.arg("-Inode_modules/@ubjs/core/cpp/includes");
    compiler.args(["cpp/fieldpost.cpp", &format!("cpp/generated/{NAMESPACE}.cpp")]);
    compiler.output().context("cannot start g++")
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// Runs it, and shows what it says only if it fails.
fn quietly(title: &str, command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let told = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
        bail!("{title} failed:\n{told}");
    }
    Ok(())
}
