//! What a release uploads: `cargo xtask bindings package …`. Each kind is a plan, which can be printed or carried out.

mod android;
mod apple;
mod npm;
mod plan;
mod pypi;

use super::{
    mobile::{self, System},
    size,
};
use anyhow::Result;
use clap::{Args, ValueEnum};
use plan::Step;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// An xcframework, and the Swift package with its checksum
    Apple,
    /// An AAR with four processors
    Android,
    /// What npm publishes
    Npm,
    /// A wheel for this machine
    Pypi,
}

#[derive(Debug, Args)]
pub(crate) struct PackageOptions {
    #[arg(value_enum)]
    kind: Kind,
    /// Only print the steps
    #[arg(long)]
    plan: bool,
    /// Where the release will have the zipped xcframework (apple)
    #[arg(long, default_value = "")]
    url: String,
}

pub(super) fn run(options: &PackageOptions) -> Result<()> {
    let target = size::target()?;
    let plan = match options.kind {
        Kind::Apple => apple::plan(&target, &options.url),
        Kind::Android => android::plan(&target),
        Kind::Npm => npm::plan(&target)?,
        Kind::Pypi => pypi::plan(&target),
    };
    if options.plan {
        println!("{plan}");
        return Ok(());
    }
    plan.carry_out()
}

/// Builds the library as phones have it, for this machine.
fn build_here() -> Step {
    Step::Run {
        command: mobile::command("cdylib"),
        folder: crate::process::root(),
        environment: mobile::environment(System::Here),
    }
}
