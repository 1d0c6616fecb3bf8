//! The arrows of the architecture, as a check.
//!
//! A crate may depend on what its row names and on nothing else of the workspace. The rule is about what a crate is built
//! with, so dev-dependencies have a rule of their own. Inside the crates with the most modules, no two of these know each
//! other.

use crate::modules::{Sources, circles};
use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Who may know whom, and why the list is not longer.
const ALLOWED: &[(&str, &[&str])] = &[
    ("fieldpost-domain", &[]),
    ("fieldpost-migrations", &[]),
    // For build scripts.
    ("fieldpost-stories", &[]),
    ("fieldpost-storage", &["fieldpost-domain", "fieldpost-stories"]),
    ("fieldpost-storage-sqlite", &["fieldpost-domain", "fieldpost-storage", "fieldpost-migrations"]),
    ("fieldpost-remote", &["fieldpost-domain", "fieldpost-stories"]),
    ("fieldpost-remote-supabase", &["fieldpost-domain", "fieldpost-remote"]),
    // Never an implementation.
    ("fieldpost-sync", &["fieldpost-domain", "fieldpost-storage", "fieldpost-remote"]),
    ("fieldpost-timeline", &["fieldpost-domain", "fieldpost-storage"]),
    // The composition root is the only one that names implementations.
    (
        "fieldpost",
        &[
            "fieldpost-domain",
            "fieldpost-storage",
            "fieldpost-remote",
            "fieldpost-sync",
            "fieldpost-timeline",
            "fieldpost-storage-sqlite",
            "fieldpost-remote-supabase",
        ],
    ),
    // Never remote-supabase: a mistake in reading the protocol must not hide on both sides.
    ("fieldpost-devserver", &["fieldpost-domain", "fieldpost-remote"]),
    (
        "fieldpost-testkit",
        &["fieldpost-domain", "fieldpost-storage", "fieldpost-remote", "fieldpost-sync", "fieldpost-timeline"],
    ),
    ("fieldpost-cli", &["fieldpost", "fieldpost-devserver"]),
    // The other languages get what the SDK has, and nothing beside it.
    ("fieldpost-ffi", &["fieldpost"]),
    // Reads a built library, never a crate.
    ("fieldpost-bindgen", &[]),
    // Whatever a public signature has in it, can be named with the SDK alone.
    ("fieldpost-app", &["fieldpost"]),
];

/// Crates that no other may depend on, and that may depend on everything.
const TOPS: &[&str] = &["fieldpost-tests", "fieldpost-benches", "xtask"];

/// The contract crates: testkit as a dev-dependency would build their types twice.
const WITHOUT_TESTKIT: &[&str] = &[
    "fieldpost-domain",
    "fieldpost-storage",
    "fieldpost-remote",
    "fieldpost-storage-sqlite",
    "fieldpost-remote-supabase",
    "fieldpost-timeline",
];

/// Libraries that only one layer may name, so that the layer stays replaceable.
const ONLY: &[(&str, &[&str])] = &[
    ("sea-orm", &["fieldpost-storage-sqlite"]),
    ("sea-orm-migration", &["fieldpost-storage-sqlite", "fieldpost-migrations"]),
    ("reqwest", &["fieldpost-remote-supabase"]),
    ("axum", &["fieldpost-devserver"]),
    ("uniffi", &["fieldpost-ffi", "fieldpost-bindgen"]),
];

/// Crates whose modules know each other one way, by folder.
const WITHOUT_CIRCLES: &[&str] = &["crates/storage-sqlite", "crates/devserver"];

/// The switch behind which bugs can be planted.
const PLANTED: &str = "planted-bugs";

/// Where that switch may be turned on: for the simulator and for tests, when it is asked for.
const MAY_PLANT: &[(&str, &str)] = &[("fieldpost-testkit", PLANTED), ("fieldpost-tests", PLANTED)];

pub(crate) fn run() -> Result<()> {
    println!("── layers");
    let metadata = MetadataCommand::new().manifest_path(crate::process::root().join("Cargo.toml")).no_deps().exec()?;
    let members = metadata.workspace_packages();
    let names: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let mut broken = Vec::new();
    for package in &members {
        broken.extend(check(package, &names));
        broken.extend(plants(package));
    }
    for folder in WITHOUT_CIRCLES {
        let sources = Sources::read(&crate::process::root().join(folder).join("src"))?;
        broken.extend(circles(&sources).into_iter().map(|circle| format!("{folder}, a circle of modules: {circle}")));
    }
    if broken.is_empty() {
        println!(
            "{} crates keep their arrows, and the modules of {} theirs",
            members.len(),
            WITHOUT_CIRCLES.join(" and ")
        );
        return Ok(());
    }
    bail!("the architecture (docs/architecture.md) does not allow:\n  {}", broken.join("\n  "))
}

fn check(package: &Package, members: &[&str]) -> Vec<String> {
    let name = package.name.as_str();
    if TOPS.contains(&name) {
        return Vec::new();
    }
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name}, which has no row in xtask/src/layers.rs")];
    };
    let mut broken = Vec::new();
    for dependency in &package.dependencies {
        let other = dependency.name.as_str();
        let dev = dependency.kind == DependencyKind::Development;
        if !dev && members.contains(&other) && !allowed.contains(&other) {
            broken.push(format!("{name} -> {other}"));
        }
        if dev && other == "fieldpost-testkit" && WITHOUT_TESTKIT.contains(&name) {
            broken.push(format!("{name} -> {other} (dev): its types would be built twice"));
        }
        if !dev && ONLY.iter().any(|(library, users)| *library == other && !users.contains(&name)) {
            broken.push(format!("{name} -> {other}: only {:?} may", only(other)));
        }
    }
    broken
}

/// Who turns on the switch and may not: through a dependency, or a feature.
fn plants(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let dependencies = package.dependencies.iter().filter(|other| other.features.iter().any(|one| one == PLANTED));
    let by_dependency = dependencies.map(|other| format!("{name} -> {} with {PLANTED}", other.name));
    let turns_on = |enabled: &String| enabled.rsplit('/').next() == Some(PLANTED);
    let features = package
        .features
        .iter()
        .filter(|(feature, enables)| enables.iter().any(turns_on) && !MAY_PLANT.contains(&(name, feature.as_str())));
    by_dependency.chain(features.map(|(feature, _)| format!("{name}: {feature} turns on {PLANTED}"))).collect()
}

fn only(library: &str) -> &'static [&'static str] {
    ONLY.iter().find(|(name, _)| *name == library).map_or(&[], |(_, users)| users)
}
