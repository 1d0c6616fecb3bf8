//! Node's test runner.

use super::runner::{Counts, Output, node_summary, run_and_count};
use crate::process;
use anyhow::Result;
use std::{fs, path::Path, process::Command};

/// What runs of Node came to.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) counts: Counts,
    /// The lines in which the tests say what they measured.
    pub(super) claims: Vec<String>,
}

impl Run {
    /// Runs the `*.test.mjs` files of a folder, without those of its subfolders.
    pub(super) fn files_of(&mut self, folder: &Path, output: &mut Output) -> Result<()> {
        output.begin(&format!("node --test {}", folder.strip_prefix(process::root()).unwrap_or(folder).display()));
        let mut files: Vec<_> = fs::read_dir(folder)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".test.mjs"))
            .collect();
        files.sort();
        let mut node = Command::new("node");
        node.args(["--test", "--test-concurrency=1", "--test-reporter=tap"]).args(files).current_dir(folder);
        let counts = run_and_count(&mut node, output, |line| {
            self.claims.extend(line.strip_prefix("# claim: ").map(str::to_owned));
            node_summary(line)
        })?;
        self.counts = self.counts.plus(counts);
        Ok(())
    }
}
