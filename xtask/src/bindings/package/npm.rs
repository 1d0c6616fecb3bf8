//! What npm publishes: what package.json of the TypeScript package names, packed by npm itself, installed into an empty folder and tried.

use super::{
    build_here,
    plan::{Need, Plan, Step, words},
};
use crate::bindings::{languages::folder, mobile};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{fs, path::Path};

#[derive(Debug, Deserialize)]
struct Manifest {
    name: String,
    version: String,
}

pub(super) fn plan(target: &Path) -> Result<Plan> {
    let package = folder("typescript");
    let manifest = package.join("package.json");
    let archive = if manifest.exists() { archive(&read(&manifest)?)? } else { "the archive".to_owned() };
    let (out, library) = (target.join("packages/npm"), mobile::library(target));
    let text = |path: &Path| path.display().to_string();
    let node = |arguments: Vec<String>| Step::Run {
        command: [words("node"), arguments].concat(),
        folder: package.clone(),
        environment: Vec::new(),
    };
    let pack = [words("scripts/pack.mjs"), vec![text(&out)], words("--library"), vec![text(&library)]].concat();
    let tried = vec!["scripts/tried.mjs".to_owned(), text(&out.join(&archive)), text(&out.join("fresh"))];
    Ok(Plan {
        title: "The package for npm".to_owned(),
        needs: vec![
            Need::Program { name: "npm", install: "install Node 20 or later" },
            Need::File { path: manifest, why: "the TypeScript package is not there" },
        ],
        steps: vec![
            build_here(),
            // From a library with its names, which the generator reads.
            Step::run(words("cargo xtask bindings build --only typescript")),
            Step::Empty(out),
            node(pack),
            node(tried),
        ],
    })
}

fn read(manifest: &Path) -> Result<Manifest> {
    serde_json::from_str(&fs::read_to_string(manifest)?)
        .with_context(|| format!("{} is no manifest", manifest.display()))
}

/// The name that npm gives it. A package of another version than the library would refuse to load.
fn archive(manifest: &Manifest) -> Result<String> {
    let version = env!("CARGO_PKG_VERSION");
    if manifest.version != version {
        bail!("package.json is {}, and the workspace is {version}", manifest.version);
    }
    let name = manifest.name.trim_start_matches('@').replace('/', "-");
    Ok(format!("{name}-{version}.tgz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_has_the_name_that_npm_gives_it() {
        let manifest = |name: &str, version: &str| Manifest { name: name.to_owned(), version: version.to_owned() };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(archive(&manifest("fieldpost", version)).unwrap(), format!("fieldpost-{version}.tgz"));
        assert_eq!(archive(&manifest("@field/post", version)).unwrap(), format!("field-post-{version}.tgz"));
        assert!(archive(&manifest("fieldpost", "0.0.0")).is_err());
    }

    #[test]
    fn what_is_packed_is_generated_first_and_tried_where_nothing_else_is_installed() {
        let lines = plan(Path::new("/t")).unwrap().lines();
        let step = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}"));
        assert!(step("--profile mobile") < step("scripts/pack.mjs"));
        assert!(
            step("bindings build --only typescript") < step("scripts/pack.mjs /t/packages/npm --library /t/mobile/")
        );
        assert!(step("scripts/pack.mjs") < step("scripts/tried.mjs /t/packages/npm/fieldpost-"));
    }
}
