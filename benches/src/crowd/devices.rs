//! All devices of a crowd, in one process. They do what standard input tells them, line by line, and say how long it took.

use super::usage::{FILES, MEMORY, THREADS, Usage};
use crate::{Reading, peer_client::Done, watch::Watch};
use anyhow::{Context as _, Result};
use fieldpost::{Client, Conversation, ConversationId, Fieldpost, LiveStatus, MessageId, Rhythm, Updates, Window};
use fieldpost_storage::memory::MemoryStore;
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::time::{Instant, sleep_until};

/// Who they are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) url: String,
    pub(super) key: String,
    pub(super) password: String,
    /// Those of the admins, then those of the medics.
    pub(super) emails: Vec<String>,
    /// The conversations of the medics.
    pub(super) directs: Vec<String>,
    pub(super) in_files: bool,
    pub(super) deliver: Duration,
}

/// What they do. A device is named by its place in the list of addresses.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// All open, sign in, load, and listen.
    Gather,
    /// Nothing: says what the process takes beyond what it took without devices.
    Usage,
    /// One sends; it is done when all these have it.
    Send { by: usize, conversation: String, text: String, seen_by: Vec<usize> },
    /// One reads the newest message; it is done when the server knows.
    Read { by: usize, conversation: String },
    /// One reacts to the newest message; it is done when the server knows.
    React { by: usize, conversation: String },
    /// So many direct messages, one after so long, of medics and admins in turn; each is read by one who gets it.
    Talk { messages: usize, every: Duration },
}

/// How many come at the same time.
const AT_ONCE: usize = 16;

/// The timer is off: devices pull when they are told to.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Obeys orders until standard input ends.
///
/// # Errors
/// If one cannot be carried out.
pub fn answer() -> Result<()> {
    let mut lines = std::io::stdin().lines();
    let spec = serde_json::from_str(&lines.next().context("nobody says who they are")??)?;
    // The clients go on, on threads of the runtime, while this one waits for an order.
    let runtime = tokio::runtime::Runtime::new()?;
    let (alone, folder) = (Usage::of_this_process(), tempfile::tempdir()?);
    let mut devices = Devices { spec, clients: Vec::new(), alone, folder };
    for line in lines {
        runtime.block_on(devices.obey(serde_json::from_str(&line?)?))?.say()?;
    }
    Ok(())
}

struct Devices {
    spec: Spec,
    clients: Vec<Client>,
    /// What the process took before there were any.
    alone: Usage,
    folder: TempDir,
}

impl Devices {
    async fn obey(&mut self, order: Order) -> Result<Done> {
        let reading = match order {
            Order::Gather => self.gather().await?,
            Order::Usage => {
                let Usage { kibibytes, files, threads } = Usage::of_this_process().beyond(self.alone);
                return Ok(Done::new(Reading::default(), [(MEMORY, kibibytes), (FILES, files), (THREADS, threads)]));
            }
            Order::Send { by, conversation, text, seen_by } => {
                self.send(by, conversation.parse()?, &text, &seen_by).await?
            }
            Order::Read { by, conversation } => {
                let watch = Watch::start();
                self.read(by, conversation.parse()?).await?;
                watch.stop()
            }
            Order::React { by, conversation } => {
                let (thread, watch) = (self.thread(by, conversation.parse()?)?, Watch::start());
                let newest = thread.messages(Window::newest(1)).await?;
                let newest = newest.messages.last().context("there is a message")?.id;
                thread.react(newest, "👍").await?;
                self.known(by).await?;
                watch.stop()
            }
            Order::Talk { messages, every } => self.talk(messages, every).await?,
        };
        Ok(Done::new(reading, []))
    }

    async fn gather(&mut self) -> Result<Reading> {
        let watch = Watch::start();
        let all = stream::iter(0..self.spec.emails.len()).map(|number| self.come(number)).buffered(AT_ONCE);
        self.clients = all.try_collect().await?;
        Ok(watch.stop())
    }

    async fn come(&self, number: usize) -> Result<Client> {
        let builder = Fieldpost::builder().url(&self.spec.url).anon_key(&self.spec.key);
        let builder = if self.spec.in_files {
            builder.database(self.folder.path().join(format!("{number}.db")))
        } else {
            builder.store(Arc::new(MemoryStore::new()))
        };
        let rhythm = Rhythm { foreground: NEVER, deliver: self.spec.deliver, ..Rhythm::default() };
        let client = builder.rhythm(rhythm).open().await?;
        let email = self.spec.emails.get(number).context("no such device")?;
        client.sign_in(email, &self.spec.password).await?;
        client.start().await;
        let mut status = client.status();
        status.wait_for(|status| status.live == LiveStatus::Live && status.last_success_at.is_some()).await?;
        Ok(client)
    }

    fn thread(&self, device: usize, conversation: ConversationId) -> Result<Conversation> {
        Ok(self.clients.get(device).context("no such device")?.conversation(conversation))
    }

    /// Waits until the server has all that a device has to say.
    async fn known(&self, device: usize) -> Result<()> {
        let mut status = self.clients.get(device).context("no such device")?.status();
        status.wait_for(|status| status.pending == 0).await?;
        Ok(())
    }

    async fn read(&self, by: usize, conversation: ConversationId) -> Result<()> {
        let thread = self.thread(by, conversation)?;
        let newest = thread.messages(Window::newest(1)).await?.last_seq();
        thread.mark_read(newest.context("there is a message")?).await?;
        self.known(by).await
    }

    async fn talk(&self, messages: usize, every: Duration) -> Result<Reading> {
        let (watch, started) = (Watch::start(), Instant::now());
        let all = (0..messages).map(|number| async move {
            sleep_until(started + every.saturating_mul(u32::try_from(number)?)).await;
            self.exchange(number).await
        });
        try_join_all(all).await?;
        Ok(watch.stop())
    }

    /// One message between an admin and a medic.
    async fn exchange(&self, number: usize) -> Result<()> {
        let medics = self.spec.directs.len();
        let (admins, nth) = (self.spec.emails.len() - medics, number % medics.max(1));
        let conversation = self.spec.directs.get(nth).context("no such conversation")?.parse()?;
        let (medic, admin) = (admins + nth, number % admins.max(1));
        let (from, to) = if number.is_multiple_of(2) { (medic, admin) } else { (admin, medic) };
        self.send(from, conversation, "Where are you?", &[to]).await?;
        self.read(to, conversation).await
    }

    async fn send(&self, by: usize, conversation: ConversationId, text: &str, seen_by: &[usize]) -> Result<Reading> {
        let mut screens = Vec::new();
        for device in seen_by {
            let thread = self.thread(*device, conversation)?;
            let (_, updates) = thread.watch(Window::newest(5)).await?;
            screens.push((thread, updates));
        }
        let watch = Watch::start();
        let sent = self.thread(by, conversation)?.send(text).await?.id();
        try_join_all(screens.iter_mut().map(|(thread, updates)| shows(thread, updates, sent))).await?;
        Ok(watch.stop())
    }
}

async fn shows<T>(thread: &Conversation, updates: &mut Updates<T>, sent: MessageId) -> Result<()> {
    while !thread.messages(Window::newest(5)).await?.messages.iter().any(|one| one.id == sent) {
        updates.next().await.context("the client is gone")??;
    }
    Ok(())
}
