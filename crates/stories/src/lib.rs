//! Lists the stories of a conformance suite, so that one that is written is run as well. For the build scripts of both contracts.
//!
//! A suite is a folder with a file per group. In it every public function is a story: `pub async fn name(_: &dyn Subject)`.
//! The list is a macro; it hands each group to another macro, which makes tests of them.

#![expect(clippy::print_stdout, reason = "build scripts speak to Cargo so")]

use std::{env, error::Error, fs, path::Path};

/// Where the suite lies in its crate.
const SUITE: &str = "src/conformance";

/// Writes the macro `list` for the build, into `stories.rs` of `OUT_DIR`: one call of the macro `group` for each file of
/// `src/conformance` but the `helpers`.
///
/// # Errors
/// If a file cannot be read or written, or holds a public function that is no story.
pub fn write(list: &str, group: &str, helpers: &[&str]) -> Result<(), Box<dyn Error>> {
    write_suite((SUITE, "stories.rs"), list, group, helpers)
}

/// [`write()`] for the suite in a folder, into a file of its own.
///
/// # Errors
/// As [`write()`].
pub fn write_suite(
    (suite, output): (&str, &str),
    list: &str,
    group: &str,
    helpers: &[&str],
) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={suite}");
    let mut calls = String::new();
    for (file, source) in files(suite)? {
        if !helpers.contains(&file.as_str()) {
            let stories = stories(&source).map_err(|line| format!("{suite}/{file}.rs: not a story: {line}"))?;
            calls += &format!("        $crate::{group}! {{ $made; {file}: {} }}\n", stories.concat());
        }
    }
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let text = format!(
        "#[doc(hidden)]\n#[macro_export]\nmacro_rules! {list} {{\n    ($made:expr) => {{\n{calls}    }};\n}}\n"
    );
    Ok(fs::write(Path::new(&out).join(output), text)?)
}

/// The files of the suite in the order of their names, without the ending, and what they hold.
fn files(suite: &str) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(suite)? {
        let path = entry?.path();
        if path.is_dir() {
            continue;
        }
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            files.push((name.to_owned(), fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// Each story of a file as `Subject name,`; or the line of a public function that is none.
fn stories(source: &str) -> Result<Vec<String>, &str> {
    let functions = source.lines().filter(|line| line.starts_with("pub ") && line.contains("fn "));
    functions.map(|line| story(line).ok_or(line)).collect()
}

/// A story gets one thing, of the trait `subject`.
fn story(line: &str) -> Option<String> {
    let (name, arguments) = line.strip_prefix("pub async fn ")?.split_once('(')?;
    let (subject, rest) = arguments.split_once(": &dyn ")?.1.split_once(')')?;
    let whole = subject.chars().all(char::is_alphanumeric) && [" {", " -> Verdict {"].contains(&rest);
    whole.then(|| format!("{subject} {name}, "))
}
