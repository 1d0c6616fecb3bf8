//! Two clients of supabase-js, in a process of their own: `benches/peers/live.mjs`.

use super::{Pair, Place, Sent};
use crate::{Reading, Size, peers, project::root};
use anyhow::{Context as _, Result, ensure};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// As in benches/peers/package.json: the last one that runs on Node 20.
const PACKAGE: &str = "supabase-2.109.0";

/// How long it may take for one message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether it takes part.
pub(super) fn is_installed(size: Size) -> Result<bool> {
    peers::is_installed(PACKAGE, size)
}

pub(super) struct SupabaseJs {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// What it says of a message.
#[derive(Deserialize)]
struct Said {
    acknowledged: f64,
    seen: f64,
    cpu: f64,
}

impl Pair for SupabaseJs {
    const SUBJECT: &str = "supabase-js 2.109.0";

    async fn open(place: &Place) -> Result<Self> {
        let mut command = Command::new("node");
        command.arg(root().join("benches/peers/live.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().context("cannot start node")?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        let mut pair = Self { _process: process, input, output };
        let person = |network: &str, email| json!({"url": network, "email": email, "password": DEMO_PASSWORD});
        let said: Value = pair
            .asked(&json!({
                "package": PACKAGE,
                "key": place.server.anon_key(),
                "writer": person(place.here.url(), DEMO_ADMIN),
                "reader": person(place.there.url(), DEMO_ADA),
            }))
            .await?;
        ensure!(said == json!({"ready": true}), "it said {said}");
        Ok(pair)
    }

    async fn send(&mut self, text: &str) -> Result<Sent> {
        let Said { acknowledged, seen, cpu } = self.asked(&json!({"send": text})).await?;
        Ok(Sent { acknowledged: Reading { seconds: acknowledged, cpu }, seen: Reading { seconds: seen, cpu } })
    }
}

impl SupabaseJs {
    async fn asked<T: DeserializeOwned>(&mut self, question: &Value) -> Result<T> {
        self.input.write_all(format!("{question}\n").as_bytes()).await?;
        let line = timeout(PATIENCE, self.output.next_line()).await.context("it says nothing")??;
        let line = line.context("it ended without a word")?;
        serde_json::from_str(&line).with_context(|| format!("it said {line}"))
    }
}
