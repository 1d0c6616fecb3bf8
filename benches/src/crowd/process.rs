//! The process with the devices, seen from the server's.

use super::devices::{Order, Spec};
use crate::{peer_client::Done, peers::program};
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long one order may take.
const PATIENCE: Duration = Duration::from_secs(600);

pub(super) struct Devices {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Devices {
    pub(super) async fn start(spec: &Spec) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.arg("--devices").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        let mut devices = Self { _process: process, input, output };
        devices.say(spec).await?;
        Ok(devices)
    }

    pub(super) async fn obey(&mut self, order: &Order) -> Result<Done> {
        self.say(order).await?;
        let Ok(line) = timeout(PATIENCE, self.output.next_line()).await else {
            bail!("the devices are not done in {} s: {order:?}", PATIENCE.as_secs());
        };
        let line = line?.with_context(|| format!("the devices have ended: {order:?}"))?;
        serde_json::from_str(&line).with_context(|| format!("the devices said {line}"))
    }

    async fn say(&mut self, what: &impl Serialize) -> Result<()> {
        Ok(self.input.write_all(format!("{}\n", serde_json::to_string(what)?).as_bytes()).await?)
    }
}
