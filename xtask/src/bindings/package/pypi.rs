//! A wheel: the Python package with the library in it, installed into an empty environment and tried.

use super::{
    build_here,
    plan::{Need, Plan, Step, words},
};
use crate::bindings::{languages::folder, mobile};
use std::{
    env::consts::{ARCH, OS},
    path::Path,
};

/// The library is loaded by ctypes, so one wheel serves every Python; it is for one platform all the same.
const SETUP: &str = include_str!("setup.py");
const TRIED: &str = include_str!("tried.py");

pub(super) fn plan(target: &Path) -> Plan {
    let out = target.join("packages/pypi");
    let (source, wheels) = (out.join("source"), out.join("wheels"));
    let native = source.join("src/fieldpost/_native");
    let library = mobile::library(target);
    let mut steps = vec![
        // It has no budget: a back end carries it, not a phone.
        build_here(),
        Step::Empty(out.clone()),
        Step::Copy { from: folder("python/pyproject.toml"), to: source.join("pyproject.toml") },
        Step::Copy { from: folder("python/README.md"), to: source.join("README.md") },
        Step::Copy { from: folder("python/src"), to: source.join("src") },
        // Not the library and the code that the tests use.
        Step::Empty(native.clone()),
        Step::Generate { language: "python", folder: native.clone() },
        Step::Write { file: native.join("__init__.py"), text: String::new() },
        Step::Copy { from: library, to: native.join("libfieldpost_ffi.so") },
        Step::Write { file: source.join("setup.py"), text: SETUP.to_owned() },
    ];
    let text = |path: &Path| path.display().to_string();
    let mut build = words("python3 -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir");
    build.extend([text(&wheels), text(&source)]);
    steps.push(Step::run(build));
    let fresh = out.join("fresh");
    steps.push(Step::run(words("python3 -m venv").into_iter().chain([text(&fresh)]).collect()));
    let python = text(&fresh.join("bin/python"));
    let install = "-m pip install --quiet --disable-pip-version-check --no-index fieldpost --find-links";
    let mut install = [vec![python.clone()], words(install)].concat();
    install.push(text(&wheels));
    steps.push(Step::run(install));
    let tried = out.join("tried.py");
    steps.push(Step::Write { file: tried.clone(), text: TRIED.to_owned() });
    // In a folder without the sources, so that Python finds nothing but what is installed.
    steps.push(Step::Run { command: vec![python, text(&tried)], folder: fresh, environment: Vec::new() });
    Plan { title: format!("The wheel for {OS} on {ARCH}"), needs: needs(), steps }
}

fn needs() -> Vec<Need> {
    vec![
        Need::Program { name: "python3", install: "install Python 3.10 or later, with venv and pip" },
        Need::Program { name: "objdump", install: "install binutils: it tells which glibc the library needs" },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wheel_is_tried_where_nothing_else_is_installed() {
        let lines = plan(Path::new("/t")).lines();
        let step = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}"));
        assert!(step("generate python") < step("pip wheel"));
        assert!(step("pip wheel") < step("--no-index fieldpost"));
        assert!(
            lines.last().unwrap().ends_with("fresh/bin/python /t/packages/pypi/tried.py (in /t/packages/pypi/fresh)")
        );
    }
}
