//! `fieldpost typing`.

use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::{Conversation, LiveStatus, Person, Updates};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep_until};

/// How to use it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// Tell the others that you are writing, for this many seconds, then exit
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    say: Option<u64>,
}

/// How long to wait for a connection before the command fails.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    let writing = conversation.watch_typing()?;
    device.client.start().await;
    let ended = tokio::select! {
        ended = follow(device, &conversation, writing, arguments, output) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    device.client.stop().await;
    ended
}

async fn follow(
    device: &Device,
    conversation: &Conversation,
    writing: Updates<Vec<Person>>,
    arguments: &Arguments,
    output: &Output,
) -> Result<(), Failure> {
    let mut status = device.client.status();
    let live = async { status.wait_for(|status| status.live == LiveStatus::Live).await.is_ok() };
    if !tokio::time::timeout(PATIENCE, live).await.unwrap_or(false) {
        return Err(Failure::error("there is no live connection: see `fieldpost status` and docs/howto/live.md"));
    }
    match arguments.say {
        Some(seconds) => say(conversation, Duration::from_secs(seconds), output).await,
        None => tell(writing, output).await,
    }
}

async fn say(conversation: &Conversation, lasting: Duration, output: &Output) -> Result<(), Failure> {
    let (end, mut keys) = (Instant::now() + lasting, interval(Duration::from_secs(1)));
    loop {
        tokio::select! {
            _ = keys.tick() => conversation.set_typing()?,
            () = sleep_until(end) => break,
        }
    }
    output.result(&json!({"said_for_seconds": lasting.as_secs()}), || "The others were told.".to_owned());
    Ok(())
}

/// Prints who is writing, whenever that changes.
async fn tell(mut writing: Updates<Vec<Person>>, output: &Output) -> Result<(), Failure> {
    output.tell("Waiting for somebody to write; end with ctrl-c.");
    while let Some(people) = writing.next().await {
        let people = people?;
        let value: Vec<_> = people.iter().map(|one| json!({"id": one.id, "name": one.full_name()})).collect();
        output.result(&json!({"writing": value}), || text(&people));
        if output.is_closed() {
            break;
        }
    }
    Ok(())
}

fn text(people: &[Person]) -> String {
    let names: Vec<_> = people.iter().map(Person::display_name).collect();
    match names.len() {
        0 => "Nobody is writing.".to_owned(),
        1 => one_line(&format!("{} is writing …", names[0])),
        _ => one_line(&format!("{} are writing …", names.join(", "))),
    }
}
