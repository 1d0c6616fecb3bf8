//! `fieldpost serve`, for as long as the value lives.

use super::build::Built;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) url: String,
    pub(super) anon_key: String,
}

#[derive(Debug, Deserialize)]
struct Told {
    url: String,
    anon_key: String,
}

impl Server {
    /// Starts one on a free port, with the demo world.
    pub(super) fn start(built: &Built) -> Result<Self> {
        let mut command = Command::new(&built.program);
        let mut child = command
            .args(["serve", "--port", "0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", built.program.display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Told = serde_json::from_str(&line).context("the server says something else than where it listens")?;
        Ok(Self { child, url: told.url, anon_key: told.anon_key })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
