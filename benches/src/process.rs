//! A client's process: it gets its task, reports that it is ready, and starts on command.
//!
//! No client may hold up the run. One that does not finish in time is told to stop, reports its progress if it can, and
//! is killed if it cannot.

use crate::{
    peer_client::{Done, Task},
    peers::Client,
    watch::Reading,
};
use anyhow::{Context as _, Result, bail};
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    time::timeout,
};

pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// The result of a process.
pub(crate) struct Ended {
    pub(crate) finished: bool,
    pub(crate) done: Done,
}

impl Ended {
    /// A process that did nothing, as far as is known.
    pub(crate) fn failed(limit: Duration) -> Self {
        let reading = Reading { seconds: limit.as_secs_f64(), cpu: 0.0 };
        Self { finished: false, done: Done::new(reading, [("failed", 1.0)]) }
    }
}

/// How long a client may take to report its progress.
const LAST_WORDS: Duration = Duration::from_secs(10);

impl Process {
    pub(crate) fn start(client: Client) -> Result<Self> {
        let mut command = client.command()?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, input, output })
    }

    pub(crate) async fn prepare(&mut self, task: &Task, limit: Duration) -> Result<()> {
        self.input.write_all(format!("{}\n", serde_json::to_string(task)?).as_bytes()).await?;
        match timeout(limit, self.output.next_line()).await {
            Ok(line) => match line? {
                Some(line) if line == "ready" => Ok(()),
                other => bail!("not ready: {other:?}"),
            },
            Err(_) => bail!("not ready in {} s", limit.as_secs()),
        }
    }

    pub(crate) async fn go(mut self, limit: Duration) -> Result<Ended> {
        self.input.write_all(b"\n").await?;
        match timeout(limit, self.output.next_line()).await {
            Ok(line) => {
                let done = read(&line?.context("it ended without a word")?)?;
                self.child.wait().await?;
                Ok(Ended { finished: true, done })
            }
            Err(_) => self.stop(limit).await,
        }
    }

    /// The time is over. Work done until it stops still counts as done within the limit.
    async fn stop(mut self, limit: Duration) -> Result<Ended> {
        self.input.write_all(b"stop\n").await?;
        let words = timeout(LAST_WORDS, self.output.next_line()).await;
        self.child.kill().await?;
        let said = words.ok().and_then(Result::ok).flatten().and_then(|line| read(&line).ok());
        let mut done = said.unwrap_or_else(|| Done::new(Reading::default(), []));
        done.reading.seconds = limit.as_secs_f64();
        Ok(Ended { finished: false, done })
    }
}

fn read(line: &str) -> Result<Done> {
    serde_json::from_str(line).with_context(|| format!("it said {line}"))
}
