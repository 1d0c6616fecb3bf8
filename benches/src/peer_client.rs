//! Fieldpost as a separate process, with the same protocol as the peers in `benches/peers`.

mod records;

use crate::{
    notes::percentile,
    project::run,
    subject::runtime,
    watch::{Reading, Watch, mebibytes, memory},
};
use anyhow::{Context as _, Result, bail, ensure};
use fieldpost::{Client, ConversationId, ConversationQuery, Delivery, Fieldpost, SentMessage, Window};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::Write as _,
    process::Command,
    time::{Duration, Instant},
};

/// The task of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) user_id: String,
    pub(crate) org_id: String,
    /// `pull`, `again`, `drain`, `meanwhile` or `records`.
    pub(crate) task: String,
    /// How many messages there are to pull.
    pub(crate) expected: u64,
    /// How many messages or records to queue or to send, and in which conversations.
    pub(crate) queued: u64,
    pub(crate) conversations: Vec<String>,
    /// The prefix of their texts.
    pub(crate) mark: String,
}

/// The result of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Done {
    #[serde(flatten)]
    pub(crate) reading: Reading,
    pub(crate) facts: BTreeMap<String, f64>,
}

impl Done {
    pub(crate) fn new<const N: usize>(reading: Reading, facts: [(&str, f64); N]) -> Self {
        Self { reading, facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// Reports it on standard output.
    pub(crate) fn say(&self) -> Result<()> {
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(self)?)?)
    }

    /// What a program reports that loads a number of messages and ends.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        Ok(serde_json::from_value(run(command, &Value::Null)?)?)
    }

    pub(crate) fn fact(&self, name: &str) -> f64 {
        self.facts.get(name).copied().unwrap_or_default()
    }
}

/// The conversations of a first screen.
const SCREEN: usize = 20;

/// Does the task given on standard input, and reports on standard output how long it took.
///
/// # Errors
/// If the task fails.
pub fn answer() -> Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line)?;
    runtime()?.block_on(carry_out(&task))?.say()
}

async fn carry_out(task: &Task) -> Result<Done> {
    let folder = tempfile::tempdir()?;
    let builder = Fieldpost::builder().url(&task.url).anon_key(&task.key).database(folder.path().join("phone.db"));
    let builder = if task.task == "records" { builder.clinical() } else { builder };
    let client = builder.open().await?;
    client.sign_in(&task.email, &task.password).await?;
    let done = match task.task.as_str() {
        "pull" => pull(&client, task).await?,
        "again" => {
            client.trigger_message_sync().await?;
            again(&client).await?
        }
        "drain" => {
            client.trigger_message_sync().await?;
            let queued = queue(&client, task).await?;
            wait_for_the_start()?;
            drain(&client, &queued).await?
        }
        "meanwhile" => meanwhile(&client, task).await?,
        "records" => records::drain(&client, task).await?,
        other => bail!("nobody knows how to {other}"),
    };
    client.close().await?;
    Ok(done)
}

async fn pull(client: &Client, task: &Task) -> Result<Done> {
    wait_for_the_start()?;
    let idle = memory("VmRSS").unwrap_or(0);
    let watch = Watch::start();
    let started = Instant::now();
    let screen = task.conversations.len().min(SCREEN);
    let sync = async { Ok(client.trigger_message_sync().await?) };
    let ((usable, pages), _) = tokio::try_join!(usable(client, screen, started), sync)?;
    let reading = watch.stop();
    let here = count(client).await?;
    ensure!(here == task.expected, "{here} of {} messages are here", task.expected);
    let peak = memory("VmHWM").unwrap_or(0);
    let facts = [
        ("usable_ms", usable.as_secs_f64() * 1e3),
        ("usable_pages", f64::from(pages)),
        ("peak_MiB", mebibytes(peak)),
        ("over_idle_MiB", mebibytes(peak.saturating_sub(idle))),
        ("lost", task.expected.saturating_sub(here) as f64),
    ];
    Ok(Done::new(reading, facts))
}

/// Waits until an app that observes the list can open its first screen: the latest message of each conversation is
/// there. The check for these messages comes after the time is taken, because the peers do not check at all, or check
/// afterwards. Also returns the number of pages.
async fn usable(client: &Client, screen: usize, started: Instant) -> Result<(Duration, u32)> {
    let (mut list, mut changes) = client.watch_conversations(ConversationQuery::default()).await?;
    let (mut pages, mut length) = (0, 0);
    while let Some(diffs) = changes.next().await {
        diffs?.into_iter().for_each(|diff| diff.apply(&mut list));
        let at = started.elapsed();
        // Every page of a first load adds conversations.
        pages += u32::from(list.len() != length);
        length = list.len();
        let mut shown = 0;
        for conversation in list.iter().take(SCREEN) {
            shown += usize::from(
                !client.conversation(conversation.id).messages(Window::newest(1)).await?.messages.is_empty(),
            );
        }
        if shown > 0 && shown >= screen.max(list.len().min(SCREEN)) {
            return Ok((at, pages));
        }
    }
    bail!("the client is gone")
}

async fn count(client: &Client) -> Result<u64> {
    let mut messages = 0;
    for conversation in client.conversations().await? {
        messages +=
            client.conversation(conversation.id).messages(Window::newest(u32::MAX)).await?.messages.len() as u64;
    }
    Ok(messages)
}

/// A sync that finds nothing new.
async fn again(client: &Client) -> Result<Done> {
    wait_for_the_start()?;
    let watch = Watch::start();
    client.trigger_message_sync().await?;
    Ok(Done::new(watch.stop(), []))
}

async fn queue(client: &Client, task: &Task) -> Result<Vec<SentMessage>> {
    let conversations = task.conversations.iter().map(|id| id.parse::<ConversationId>());
    let conversations = conversations.collect::<Result<Vec<_>, _>>()?;
    let mut queued = Vec::new();
    for number in 0..task.queued {
        let conversation = conversations.get((number % conversations.len().max(1) as u64) as usize);
        let conversation = conversation.context("a conversation to write in")?;
        queued.push(client.conversation(*conversation).send(&format!("{} {number}", task.mark)).await?);
    }
    Ok(queued)
}

/// Syncs until every acknowledgement is stored, as an app does: a failed pass is followed by another. What the last pass
/// still does after that is not in the time.
async fn drain(client: &Client, queued: &[SentMessage]) -> Result<Done> {
    let watch = Watch::start();
    let mut failures = 0;
    let syncs = async {
        while failures < 1_000 {
            failures += u32::from(client.trigger_message_sync().await.is_err());
        }
    };
    tokio::select! {
        biased;
        acknowledged = acknowledged(client, queued) => acknowledged?,
        () = syncs => bail!("it never drains"),
    }
    Ok(Done::new(watch.stop(), [("failed_passes", f64::from(failures))]))
}

/// Waits for the message that was queued last, and then for those that were overtaken by it.
async fn acknowledged(client: &Client, queued: &[SentMessage]) -> Result<()> {
    for message in queued.iter().rev() {
        message.delivered().await?;
        if client.pending().await?.pending == 0 {
            break;
        }
    }
    Ok(())
}

/// Sends messages while a first load runs.
async fn meanwhile(client: &Client, task: &Task) -> Result<Done> {
    wait_for_the_start()?;
    tokio::select! {
        biased;
        sent = send_meanwhile(client, task) => sent,
        load = client.trigger_message_sync() => {
            load?;
            bail!("the load was over before the messages were sent")
        }
    }
}

async fn send_meanwhile(client: &Client, task: &Task) -> Result<Done> {
    let (mut list, mut changes) = client.watch_conversations(ConversationQuery::default()).await?;
    while list.is_empty() {
        let diffs = changes.next().await.context("the client is gone")?;
        diffs?.into_iter().for_each(|diff| diff.apply(&mut list));
    }
    let (mut all, mut seconds, mut recorded) = (Reading::default(), Vec::new(), Duration::ZERO);
    for (number, conversation) in (0..task.queued).zip(list.iter().cycle()) {
        ensure!(is_loading(client), "the load was over before message {number} was sent");
        let text = format!("{} {number}", task.mark);
        let (watch, started) = (Watch::start(), Instant::now());
        let sent = client.conversation(conversation.id).send(&text).await?;
        recorded += started.elapsed();
        let delivery = sent.delivered().await?;
        let one = watch.stop();
        ensure!(matches!(delivery, Delivery::Sent(_)), "message {number}: {delivery:?}");
        ensure!(is_loading(client), "the load was over before message {number} was acknowledged");
        (all.seconds, all.cpu) = (all.seconds + one.seconds, all.cpu + one.cpu);
        seconds.push(one.seconds);
    }
    seconds.sort_by(f64::total_cmp);
    let facts = [
        ("p50", percentile(&seconds, 0.5)),
        ("p99", percentile(&seconds, 1.0)),
        ("recorded_ms", recorded.as_secs_f64() * 1e3 / task.queued.max(1) as f64),
    ];
    Ok(Done::new(all, facts))
}

fn is_loading(client: &Client) -> bool {
    client.status().borrow().bootstrap.is_some()
}

/// Reports that it is ready, and waits until the conditions of the line are set.
fn wait_for_the_start() -> Result<()> {
    writeln!(std::io::stdout(), "ready")?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}
