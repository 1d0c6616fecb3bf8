//! How large the library is that a phone carries.

use super::mobile::{self, System};
use crate::process;
use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// For one processor, stripped, without encryption.
pub(super) const BUDGET: u64 = 10_000_000;

#[derive(Debug, Args)]
pub(crate) struct SizeOptions {
    /// With encrypted files, for which there is no budget: tells the size alone
    #[arg(long)]
    encryption: bool,
}

/// Builds the library with the profile `mobile` for this machine, and holds it to the budget.
pub(super) fn run(options: &SizeOptions) -> Result<()> {
    let mut cargo = process::cargo();
    // With a target the flags are for it alone, and not for what runs while it is built.
    let host = mobile::host()?;
    cargo.args(mobile::command("cdylib").iter().skip(1)).args(["--quiet", "--target", &host]);
    // It would win over RUSTFLAGS.
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").envs(mobile::environment(System::HereAsOnAPhone));
    cargo.args(options.encryption.then_some(["--features", "encryption"]).into_iter().flatten());
    process::run("building the library as phones have it (minutes)", &mut cargo)?;
    let library = mobile::library(&target()?.join(host));
    if options.encryption {
        println!("── {}: {}", library.display(), megabytes(bytes(&library)?));
        return Ok(());
    }
    check(&library, BUDGET)
}

pub(super) fn target() -> Result<PathBuf> {
    let metadata = MetadataCommand::new().manifest_path(process::root().join("Cargo.toml")).no_deps().exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// Fails if a file is larger than its budget.
pub(super) fn check(file: &Path, most: u64) -> Result<()> {
    let bytes = bytes(file)?;
    println!("── {}: {} of {}", file.display(), megabytes(bytes), megabytes(most));
    if bytes > most {
        bail!("{} is larger than its budget", file.display());
    }
    Ok(())
}

fn bytes(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).with_context(|| format!("there is no {}", file.display()))?.len())
}

pub(super) fn megabytes(bytes: u64) -> String {
    let hundredths = bytes.div_ceil(10_000);
    format!("{}.{:02} MB", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_never_told_smaller_than_it_is() {
        assert_eq!(megabytes(0), "0.00 MB");
        assert_eq!(megabytes(10_000_000), "10.00 MB");
        assert_eq!(megabytes(10_000_001), "10.01 MB");
    }

    #[test]
    fn a_file_over_its_budget_is_an_error() {
        let file = process::root().join("Cargo.toml");
        let bytes = fs::metadata(&file).unwrap().len();
        assert!(check(&file, bytes).is_ok());
        assert!(check(&file, bytes - 1).is_err());
        assert!(check(Path::new("no such file"), BUDGET).is_err());
    }
}
