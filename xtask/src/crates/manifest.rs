//! What a manifest has to say before a registry takes the crate.

use cargo_metadata::{DependencyKind, Package};

/// How many keywords and categories a registry takes.
const MOST_WORDS: usize = 5;

/// What is wrong with the manifest of one of the published crates.
pub(super) fn faults(package: &Package, published: &[&Package], members: &[String]) -> Vec<String> {
    let mut faults = words(package);
    let is_published = |name: &str| published.iter().any(|other| other.name.as_str() == name);
    // What is needed by tests alone is left out if it has no version.
    for dependency in &package.dependencies {
        let ours = members.contains(&dependency.name);
        let left_out = dependency.kind == DependencyKind::Development
            && dependency.req == cargo_metadata::semver::VersionReq::STAR;
        if ours && !left_out && !is_published(&dependency.name) {
            faults.push(format!("{} needs {}, which is not published", package.name, dependency.name));
        }
    }
    faults
}

fn words(package: &Package) -> Vec<String> {
    let readme = package.readme().is_some_and(|path| path.is_file());
    let present = [
        ("a description", package.description.is_some()),
        ("a readme that is there", readme),
        ("a license", package.license.is_some()),
        ("a link to the documentation", package.documentation.is_some()),
        ("one to five keywords", (1..=MOST_WORDS).contains(&package.keywords.len())),
        ("one to five categories", (1..=MOST_WORDS).contains(&package.categories.len())),
        ("the oldest Rust that it builds with", package.rust_version.is_some()),
    ];
    present.iter().filter(|(_, is)| !is).map(|(what, _)| format!("{} lacks {what}", package.name)).collect()
}
