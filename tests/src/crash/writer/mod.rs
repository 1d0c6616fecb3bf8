//! The process to be killed: it runs the SDK on a file, and sends, opens, decides, reads and syncs until it is killed.

mod decide;
mod records;

use super::{newcomers, said::Said};
use anyhow::{Context, Result};
use clap::Parser;
use fieldpost::{Client, ConversationId, Error, Fieldpost, Key, OrgId, Window};
use fieldpost_testkit::SeededRandom;
use records::OwnRecords;
use std::{io::Write, path::PathBuf, time::Duration};

/// The arguments of the process.
#[derive(Debug, Parser)]
#[command(name = "crash-writer")]
pub struct Args {
    /// The file; somebody is signed in on it
    #[arg(long)]
    pub db: PathBuf,
    /// The project's URL
    #[arg(long)]
    pub url: String,
    /// Its public key
    #[arg(long)]
    pub anon_key: String,
    /// The prefix of every message
    #[arg(long)]
    pub name: String,
    /// Seed of all actions
    #[arg(long)]
    pub seed: u64,
    /// The key of the file, if it is encrypted: 64 hexadecimal digits. One that nobody needs to hide
    #[arg(long)]
    pub key: Option<Key>,
}

/// Who says when to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syncing {
    /// The app, all the time.
    Asked,
    /// The client, by its timer and by live hints.
    BySelf,
    /// Both at once.
    Both,
}

impl Syncing {
    const ALL: [Self; 3] = [Self::Asked, Self::BySelf, Self::Both];

    fn of(seed: u64) -> Self {
        SeededRandom::new(seed ^ 2).pick(&Self::ALL).copied().unwrap_or(Self::Both)
    }
}

/// Works until it is killed. Each line of output is a JSON value.
///
/// # Errors
/// When it cannot continue: that is a finding.
pub async fn main(args: Args) -> Result<()> {
    let builder = Fieldpost::builder().database(args.db).url(args.url).anon_key(args.anon_key);
    let builder = match args.key {
        Some(key) => builder.key(key),
        None => builder,
    };
    let client = builder.clinical().open().await?;
    let conversations = known_conversations(&client).await?;
    let org = client.me().await?.context("the file was synced once")?.org_id;
    say(&Said::Busy)?;
    let syncing = Syncing::of(args.seed);
    if syncing != Syncing::Asked {
        client.start().await;
    }
    let asking = async {
        if syncing == Syncing::BySelf { Ok(()) } else { sync_for_ever(&client, SeededRandom::new(args.seed)).await }
    };
    let random = SeededRandom::new(args.seed ^ 1);
    let records = OwnRecords::default();
    let writer = Writer { client: &client, name: &args.name, org, conversations, records, random };
    tokio::try_join!(asking, writer.write_for_ever())?;
    Ok(())
}

/// Everything in the list survives: it was committed by some process.
async fn known_conversations(client: &Client) -> Result<Vec<ConversationId>> {
    let list = client.conversations().await?;
    for one in &list {
        if let Some(medic) = one.medic_id {
            say(&Said::Here { conversation: one.id, medic })?;
        }
    }
    Ok(list.iter().map(|one| one.id).collect())
}

struct Writer<'a> {
    client: &'a Client,
    name: &'a str,
    org: OrgId,
    conversations: Vec<ConversationId>,
    records: OwnRecords,
    random: SeededRandom,
}

impl Writer<'_> {
    async fn write_for_ever(mut self) -> Result<()> {
        for number in 1_u64.. {
            if self.random.one_in(30) {
                self.open().await?;
            }
            self.send(number).await?;
            if self.random.one_in(6) {
                self.decide(number).await?;
            }
            if self.random.one_in(3) {
                self.work_on_records(number).await?;
            }
            tokio::time::sleep(Duration::from_millis(self.random.below(4))).await;
        }
        Ok(())
    }

    async fn send(&mut self, number: u64) -> Result<()> {
        let Some(conversation) = self.random.pick(&self.conversations).copied() else {
            anyhow::bail!("nothing to write in")
        };
        // A message is accepted once `send` has returned; reporting it earlier would be wrong.
        match self.client.conversation(conversation).send(&format!("{}#{number}", self.name)).await {
            Ok(written) => say(&Said::Accepted { id: written.id(), number, conversation })?,
            // The other process has cancelled the conversation.
            Err(Error::NotFound) => self.conversations.retain(|one| *one != conversation),
            Err(error) => return Err(error.into()),
        }
        if self.random.one_in(8) {
            match self.client.conversation(conversation).messages(Window::newest(20)).await {
                Ok(shown) => self.read(conversation, shown.last_seq().unwrap_or_default()).await?,
                Err(Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn read(&self, conversation: ConversationId, up_to: fieldpost::Seq) -> Result<()> {
        match self.client.conversation(conversation).mark_read(up_to).await {
            Ok(_) | Err(Error::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn open(&mut self) -> Result<()> {
        let medic = newcomers::any(self.org, &mut self.random);
        let opened = self.client.open_direct(medic).await?;
        say(&Said::Here { conversation: opened.id(), medic })?;
        // Added more than once, so that there are messages in it when it is cancelled or refused.
        self.conversations.extend([opened.id(); 3]);
        Ok(())
    }
}

async fn sync_for_ever(client: &Client, mut random: SeededRandom) -> Result<()> {
    loop {
        let report = client.trigger_sync().await?;
        for failed in [report.messages.err(), report.records.err()].into_iter().flatten() {
            match Error::from(failed) {
                Error::Offline(_) => say(&Said::Offline)?,
                error => say(&Said::Trouble(format!("{error:?}")))?,
            }
        }
        tokio::time::sleep(Duration::from_millis(random.below(8))).await;
    }
}

fn say(line: &Said) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    Ok(out.flush()?)
}
