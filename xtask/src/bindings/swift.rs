//! Swift: the C header is compiled, all Swift is parsed, and the names that the hand-written files use are looked up. Where there is a
//! compiler, the package is compiled too, and its tests run.

mod compiler;

use super::{
    Language,
    build::Built,
    languages::folder,
    scenario,
    server::Server,
    table::{Outcome, Table},
};
use crate::process;
use anyhow::{Context, Result, bail};
use compiler::{Compiler, INSTALL};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const TITLE: &str = "Swift";
const STEPS: [&str; 4] = [
    "the C header compiles, and the module map names it",
    "package and library have one version, read through C",
    "planted faults are found",
    "all Swift parses, and its names exist in the library",
];
/// These need a compiler.
const COMPILED: [&str; 2] =
    ["all Swift of the package compiles, in language mode 6", "the tests of the hand-written layer"];
const SOURCE: &str = "FieldpostFFI.swift";
const HEADER: &str = "FieldpostFFIFFI.h";

/// What to install, if nothing can be checked.
pub(super) fn missing() -> Option<&'static str> {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let command = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let all = works("python3", &["-c", "import ensurepip, venv"]) && works("cc", &["--version"]);
    (!all).then_some("install Python with venv and a C compiler (Debian: apt-get install python3-venv gcc)")
}

/// Whether there is a compiler.
pub(super) fn can_be_compiled() -> bool {
    Compiler::find().is_some()
}

/// Generates into the scratch folder, and puts the Swift source into the package.
pub(super) fn prepare(built: &Built) -> Result<()> {
    let generated = generated(built);
    built.generate("swift", &generated)?;
    let sources = folder("swift/Sources/FieldpostFFI");
    fs::create_dir_all(&sources)?;
    fs::copy(generated.join(SOURCE), sources.join(SOURCE))?;
    compiler::prepare(&generated, HEADER)
}

/// Where the generator has left source, header and module map.
pub(super) fn generated(built: &Built) -> PathBuf {
    built.scratch.join("swift")
}

/// Notes that nothing was checked.
pub(super) fn skip(table: &mut Table) {
    for step in STEPS {
        table.enter_outcome(TITLE, step, Language::Swift, Outcome::Skipped);
    }
    skip_compiled(table);
}

fn skip_compiled(table: &mut Table) {
    for step in COMPILED {
        table.enter_outcome(TITLE, step, Language::Swift, Outcome::Skipped);
    }
    table.skip(Language::Swift);
}

pub(super) fn check(built: &Built, table: &mut Table) -> Result<()> {
    let python = parser(built)?;
    let names = python_on(&python, "check.py", built)?;
    let planted = python_on(&python, "test_check.py", built)?;
    let header = compile_header(&generated(built))?;
    let done = |output: &Output| (output.status.success(), told(output));
    let versions = versions_agree(built).map_or_else(|error| (false, error.to_string()), |()| (true, String::new()));
    let outcomes = [done(&header), versions, done(&planted), done(&names)];
    for (step, (passed, told)) in STEPS.into_iter().zip(outcomes) {
        table.enter(TITLE, step, Language::Swift, passed, &told);
    }
    if let Some(summary) = told(&names).lines().last() {
        println!("── Swift: {summary}");
    }
    compile(built, table)
}

fn compile(built: &Built, table: &mut Table) -> Result<()> {
    let Some(compiler) = Compiler::find() else {
        eprintln!("── Swift is parsed, and NOT compiled: {INSTALL}");
        skip_compiled(table);
        return Ok(());
    };
    let (compiled, told) = compiler.compile(built)?;
    table.enter(TITLE, COMPILED[0], Language::Swift, compiled, &told);
    let (passed, told) = if compiled { compiler.test(built)? } else { (false, "it does not compile".to_owned()) };
    table.enter(TITLE, COMPILED[1], Language::Swift, passed, &told);
    if compiled { scenario::run(Language::Swift, built, table) } else { Ok(()) }
}

/// The command that carries out one file of the scenario.
pub(super) fn runner(built: &Built, file: &Path, server: &Server, folder: &Path) -> Command {
    // Nothing asks for it without a compiler.
    Compiler::find().map_or_else(|| Command::new("false"), |compiler| compiler.runner(built, file, server, folder))
}

/// The header is for clang, which knows whether a pointer may be null; the module map must name it.
fn compile_header(generated: &Path) -> Result<Output> {
    let map = fs::read_to_string(generated.join("FieldpostFFIFFI.modulemap"))?;
    if !map.contains(&format!("header \"{HEADER}\"")) {
        bail!("the module map does not name {HEADER}");
    }
    let mut compiler = compiler(generated);
    compiler.args(["-fsyntax-only", "-x", "c", "-include", HEADER, "/dev/null"]);
    compiler.output().context("cannot start the C compiler")
}

fn compiler(generated: &Path) -> Command {
    let mut compiler = Command::new("cc");
    compiler.args(["-Wall", "-Werror", "-D_Nullable=", "-D_Nonnull=", "-I"]).arg(generated).current_dir(generated);
    compiler
}

/// The layer asks the library for its version in C, before the generated code runs. Here a program in C does the same.
fn versions_agree(built: &Built) -> Result<()> {
    let program = built.scratch.join("swift-version");
    let mut compiler = compiler(&generated(built));
    compiler.arg(folder("swift/tools/version.c")).arg(&built.library).arg("-o").arg(&program);
    let compiled = compiler.output().context("cannot start the C compiler")?;
    if !compiled.status.success() {
        bail!("{}", told(&compiled));
    }
    let library = built.library.parent().context("a library without a folder")?;
    let ran = Command::new(&program).env("LD_LIBRARY_PATH", library).env("DYLD_LIBRARY_PATH", library).output()?;
    let version = told(&ran);
    let source = fs::read_to_string(folder("swift/Sources/Fieldpost/LibraryVersion.swift"))?;
    if !ran.status.success() || !source.contains(&format!("package = \"{version}\"")) {
        bail!("the library says {version:?}, LibraryVersion.swift says something else");
    }
    Ok(())
}

/// What is written by hand, but for the tests, which are there for the compiler.
fn sources() -> Result<Vec<PathBuf>> {
    let mut sources = vec![folder("swift/README.md")];
    for part in ["swift/Sources/Fieldpost", "swift/example"] {
        let entries = fs::read_dir(folder(part)).with_context(|| part.to_owned())?;
        sources.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    sources.push(process::root().join("docs/howto/swift.md"));
    sources.retain(|path| path.extension().is_some_and(|it| it == "swift" || it == "md"));
    sources.sort();
    Ok(sources)
}

/// Runs one of the tools on all that is written by hand.
fn python_on(python: &Path, tool: &str, built: &Built) -> Result<Output> {
    let mut check = Command::new(python);
    check.arg("-B").arg(folder("swift/tools").join(tool)).arg(generated(built).join(SOURCE)).args(sources()?);
    check.output().context("cannot start Python")
}

/// A Python that has the grammar, fetched once.
fn parser(built: &Built) -> Result<PathBuf> {
    let environment = built.scratch.join("swift-parser");
    let python = environment.join("bin/python");
    let wanted = fs::read_to_string(folder("swift/tools/requirements.txt"))?;
    let stamp = environment.join("installed.txt");
    if fs::read_to_string(&stamp).ok().as_ref() == Some(&wanted) {
        return Ok(python);
    }
    process::run(
        "a place for the grammar of Swift",
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment),
    )?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    process::run("the grammar of Swift", pip.arg(folder("swift/tools/requirements.txt")))?;
    fs::write(stamp, wanted)?;
    Ok(python)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
