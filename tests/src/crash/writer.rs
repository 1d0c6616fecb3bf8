//! The process that is killed: the SDK on a file, sending, reading and syncing until it is no more.

use anyhow::Result;
use clap::Parser;
use fieldpost::{Client, ConversationId, Error, Fieldpost, Window};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use std::{io::Write, path::PathBuf, time::Duration};

/// What it is started with.
#[derive(Debug, Parser)]
#[command(name = "crash-writer")]
pub struct Args {
    /// The file; somebody has signed in on it
    #[arg(long)]
    pub db: PathBuf,
    /// The project's URL
    #[arg(long)]
    pub url: String,
    /// Its public key
    #[arg(long)]
    pub anon_key: String,
    /// What every message begins with
    #[arg(long)]
    pub name: String,
    /// What it does follows from it
    #[arg(long)]
    pub seed: u64,
}

/// Works until it is killed. Each line it prints is a JSON value.
///
/// # Errors
/// When it cannot go on: that is a finding.
pub async fn main(args: Args) -> Result<()> {
    let builder = Fieldpost::builder().database(args.db).url(args.url).anon_key(args.anon_key);
    let client = builder.open().await?;
    let conversations: Vec<ConversationId> = client.conversations().await?.iter().map(|one| one.id).collect();
    say(&json!({"busy": true}))?;
    let syncing = sync_for_ever(&client, StdRng::seed_from_u64(args.seed));
    let writing = write_for_ever(&client, &conversations, &args.name, StdRng::seed_from_u64(args.seed ^ 1));
    tokio::try_join!(syncing, writing)?;
    Ok(())
}

async fn write_for_ever(client: &Client, conversations: &[ConversationId], name: &str, mut rng: StdRng) -> Result<()> {
    for number in 1_u64.. {
        let Some(conversation) = conversations.choose(&mut rng).copied() else { anyhow::bail!("nothing to write in") };
        // What `send` has returned is accepted; what is said here before that would be a lie.
        let written = client.send(conversation, &format!("{name}#{number}")).await?;
        say(&json!({"accepted": written.id, "number": number}))?;
        if rng.random_ratio(1, 8) {
            let shown = client.messages(conversation, Window::newest(20)).await?;
            client.mark_read(conversation, shown.last_seq().unwrap_or_default()).await?;
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..4))).await;
    }
    Ok(())
}

async fn sync_for_ever(client: &Client, mut rng: StdRng) -> Result<()> {
    loop {
        match client.trigger_message_sync().await {
            Ok(_) => {}
            Err(Error::Offline(_)) => say(&json!({"offline": true}))?,
            Err(error) => say(&json!({"trouble": format!("{error:?}")}))?,
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..8))).await;
    }
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
