//! Starts and kills the process under test.

use super::said::Said;
use anyhow::{Context, Result, bail};
use fieldpost::{Client, Fieldpost, Key};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// The program to start again and again.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) file: PathBuf,
    pub(super) url: String,
    pub(super) anon_key: String,
    pub(super) key: Option<Key>,
}

/// One process.
pub(super) struct Victim {
    name: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A process's output before it was killed.
pub(super) struct LastWords {
    /// The process's name.
    pub(super) process: String,
    pub(super) said: Vec<Said>,
}

/// When to kill a process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// This long after it was started; probably while it opens the file.
    AfterStart(Duration),
    /// This long after it has begun to work.
    AfterBusy(Duration),
}

impl Program {
    /// Opens the file in this process.
    pub(super) async fn open(&self) -> Result<Client> {
        let builder = Fieldpost::builder().database(&self.file).url(&self.url).anon_key(&self.anon_key);
        let builder = match &self.key {
            Some(key) => builder.key(key.clone()),
            None => builder,
        };
        builder.clinical().open().await.with_context(|| format!("opening {}", self.file.display()))
    }

    pub(super) fn start(&self, name: String, seed: u64) -> Result<Victim> {
        let mut command = Command::new(&self.path);
        if let Some(key) = &self.key {
            command.arg("--key").arg(digits(key));
        }
        let mut child = command
            .arg("--db")
            .arg(&self.file)
            .args(["--url", &self.url, "--anon-key", &self.anon_key, "--name", &name, "--seed", &seed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", self.path.display()))?;
        let stdout = child.stdout.take().context("a process without output")?;
        Ok(Victim { name, child, lines: BufReader::new(stdout).lines() })
    }
}

/// A key as the process reads it.
pub(super) fn digits(key: &Key) -> String {
    key.reveal().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Victim {
    /// Kills the process at that moment, and reads all its output until then.
    pub(super) async fn kill_at(mut self, moment: Moment) -> Result<LastWords> {
        let mut words = LastWords { process: self.name.clone(), said: Vec::new() };
        let delay = match moment {
            Moment::AfterStart(delay) => delay,
            Moment::AfterBusy(delay) => {
                self.until_busy(&mut words).await?;
                delay
            }
        };
        let pause = tokio::time::sleep(delay);
        tokio::pin!(pause);
        // Keep reading meanwhile, so that the process never blocks on a full pipe.
        loop {
            tokio::select! {
                () = &mut pause => break,
                line = self.lines.next_line() => match line? {
                    Some(line) => words.add(&line),
                    None => bail!("the process {} ended by itself", self.name),
                },
            }
        }
        self.child.start_kill()?;
        while let Some(line) = self.lines.next_line().await? {
            words.add(&line);
        }
        self.child.wait().await?;
        Ok(words)
    }

    async fn until_busy(&mut self, words: &mut LastWords) -> Result<()> {
        while words.said.last() != Some(&Said::Busy) {
            match self.lines.next_line().await? {
                Some(line) => words.add(&line),
                None => bail!("the process {} did not get to work: {:?}", self.name, words.said.last()),
            }
        }
        Ok(())
    }
}

impl LastWords {
    fn add(&mut self, line: &str) {
        // A line that the kill has cut off is ignored.
        self.said.extend(serde_json::from_str::<Said>(line));
    }
}
