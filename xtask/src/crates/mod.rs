//! The crates that apps depend on, as a registry gets them.
//!
//! What is published is not what lies here: paths are gone, files outside of a crate are gone, dependencies that only tests have are
//! gone. So the check packs each crate, and builds all of them from the packages.

mod manifest;
mod supported;

use crate::process;
use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use clap::Args;
use serde::Serialize;
use std::{fs, path::Path, process::Command};

/// What the registry takes at most.
const MOST_BYTES: u64 = 10 * 1024 * 1024;

/// What to do with the crates.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Pack them, and do not build them from the packages
    #[arg(long)]
    no_build: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// A crate that was packed.
#[derive(Debug, Serialize)]
struct Packed {
    name: String,
    version: String,
    bytes: u64,
}

/// Packs, and builds.
pub(crate) fn run(options: &Options) -> Result<()> {
    let metadata = metadata()?;
    judge(&metadata)?;
    let published = published(&metadata);
    let packed = pack(&metadata, &published, options)?;
    report(&packed, options)?;
    compare_with_last_tag(&published)
}

/// Checks what shows without packing.
pub(crate) fn check() -> Result<()> {
    println!("── crates for a registry");
    let metadata = metadata()?;
    judge(&metadata)?;
    println!("{} crates can be published", published(&metadata).len());
    Ok(())
}

fn metadata() -> Result<Metadata> {
    let manifest = process::root().join("Cargo.toml");
    Ok(MetadataCommand::new().manifest_path(manifest).other_options(["--locked".to_owned()]).exec()?)
}

/// Those whose manifests do not forbid it.
fn published(metadata: &Metadata) -> Vec<&Package> {
    let members = metadata.workspace_packages().into_iter();
    let mut published: Vec<_> = members.filter(|package| package.publish.is_none()).collect();
    published.sort_by(|one, other| one.name.cmp(&other.name));
    published
}

fn judge(metadata: &Metadata) -> Result<()> {
    let published = published(metadata);
    let members: Vec<_> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let mut faults: Vec<_> =
        published.iter().flat_map(|package| manifest::faults(package, &published, &members)).collect();
    faults.extend(supported::faults(metadata, &published));
    if faults.is_empty() {
        return Ok(());
    }
    bail!("these crates cannot be published as they are:\n  {}", faults.join("\n  "))
}

fn pack(metadata: &Metadata, published: &[&Package], options: &Options) -> Result<Vec<Packed>> {
    let mut command = process::cargo();
    command.args(["package", "--locked", "--allow-dirty", "--quiet"]);
    for package in published {
        command.args(["-p", package.name.as_str()]);
    }
    if options.no_build {
        command.arg("--no-verify");
    }
    process::run(if options.no_build { "packing" } else { "packing, and building from the packages" }, &mut command)?;
    let folder = metadata.target_directory.join("package");
    published.iter().map(|package| packed(package, folder.as_std_path())).collect()
}

fn packed(package: &Package, folder: &Path) -> Result<Packed> {
    let (name, version) = (package.name.to_string(), package.version.to_string());
    let file = folder.join(format!("{name}-{version}.crate"));
    let bytes = fs::metadata(&file).with_context(|| format!("{} was not packed", file.display()))?.len();
    if bytes > MOST_BYTES {
        bail!("{name} has {bytes} bytes; a registry takes {MOST_BYTES}");
    }
    Ok(Packed { name, version, bytes })
}

fn report(packed: &[Packed], options: &Options) -> Result<()> {
    if options.json {
        println!("{}", serde_json::to_string(packed)?);
        return Ok(());
    }
    for Packed { name, version, bytes } in packed {
        println!("{name:<28} {version}  {:>5} KiB", bytes.div_ceil(1024));
    }
    println!("{} crates packed{}", packed.len(), if options.no_build { ", NOT built" } else { " and built from that" });
    Ok(())
}

/// Whether the public interface breaks what the last version promised. cargo-semver-checks is optional, and compares with a tag.
fn compare_with_last_tag(published: &[&Package]) -> Result<()> {
    let tag = Command::new("git").current_dir(process::root()).args(["describe", "--tags", "--abbrev=0"]).output()?;
    let tag = String::from_utf8_lossy(&tag.stdout).trim().to_owned();
    if tag.is_empty() {
        println!("── no version was tagged yet, so the interfaces were NOT compared with one");
        return Ok(());
    }
    let installed = process::cargo().args(["semver-checks", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        println!(
            "── cargo-semver-checks is not installed, so the interfaces were NOT compared with {tag} (`cargo install cargo-semver-checks`)"
        );
        return Ok(());
    }
    let mut command = process::cargo();
    command.args(["semver-checks", "--baseline-rev", &tag]);
    for package in published {
        command.args(["-p", package.name.as_str()]);
    }
    process::run(&format!("interfaces, compared with {tag}"), &mut command)
}
