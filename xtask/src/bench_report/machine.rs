//! The machine that measured the figures.

use crate::process;
use anyhow::Result;
use std::{fs, process::Command};

/// A list: the machine, its system, the versions of the tools.
pub(super) fn describe() -> Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new().manifest_path(process::root().join("Cargo.toml")).exec()?;
    let version = |name: &str| {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == name);
        package.map_or_else(|| "?".to_owned(), |package| package.version.to_string())
    };
    Ok(vec![
        format!("{} × {}, {} GiB of memory", cores(), processor(), memory()),
        format!("{}, {}", said("uname", &["-sr"]), said("rustc", &["--version"])),
        format!("Fieldpost at {}", said("git", &["describe", "--always", "--dirty"])),
        format!(
            "sqlx-sqlite {}, rusqlite {}, both on the SQLite of libsqlite3-sys {}; Node {}",
            version("sqlx-sqlite"),
            version("rusqlite"),
            version("libsqlite3-sys"),
            said("node", &["--version"]),
        ),
    ])
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn processor() -> String {
    let found = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = found.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn memory() -> u64 {
    let found = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = found.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = total.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) >> 20
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(process::root()).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if said.is_empty() { format!("{program} ?") } else { said }
}
