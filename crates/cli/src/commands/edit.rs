//! `fieldpost edit`.

use super::{
    messages::as_json,
    text::{KEPT, NOT_YET, SENT, message_line, refused},
};
use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::{Conversation, EntryState, ThreadMessage, Window};

/// The number of newest messages to search for a part of an id.
const LOOKED_AT: u32 = 10_000;

/// The message to edit, and its new text.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// The message's id, or a part of it
    message: String,
    /// The new text
    #[arg(allow_hyphen_values = true, value_parser = crate::args::text)]
    text: String,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    let shown = newest(&conversation).await?;
    let id = find(&shown, &arguments.message)?.id;
    let edited = conversation.edit(id, &arguments.text).await?;
    follow(device, &conversation, edited, "change", output).await
}

/// Syncs what a person has changed of a message, and shows what became of it.
pub(super) async fn follow(
    device: &Device,
    conversation: &Conversation,
    changed: ThreadMessage,
    what: &str,
    output: &Output,
) -> Result<(), Failure> {
    output.tell(KEPT);
    let synced = device.sync_if_possible(output).await;
    let shown = newest(conversation).await?;
    let now = shown.into_iter().find(|message| message.id == changed.id).unwrap_or(changed);
    output.result(&as_json(&now), || message_line(&now));
    let waiting = device.client.changes_of(now.id).await?;
    let refused = waiting.iter().find_map(|entry| match &entry.state {
        EntryState::Failed(refusal) => Some(refused(what, refusal)),
        _ => None,
    });
    if refused.is_none() {
        output.tell(if waiting.is_empty() && now.seq.is_some() { SENT } else { NOT_YET });
    }
    synced?;
    refused.map_or(Ok(()), Err)
}

/// The newest messages of a conversation that are here, among which a person may name one.
pub(super) async fn newest(conversation: &Conversation) -> Result<Vec<ThreadMessage>, Failure> {
    Ok(conversation.messages(Window::newest(LOOKED_AT)).await?.messages)
}

/// The message with this id or part of an id.
pub(super) fn find<'a>(shown: &'a [ThreadMessage], wanted: &str) -> Result<&'a ThreadMessage, Failure> {
    let wanted = wanted.to_lowercase();
    let mut found = shown.iter().filter(|message| wanted.len() >= 4 && message.id.to_string().contains(&wanted));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::error(format!(
            "no message here has the id {wanted:?}; `fieldpost messages --json` shows the ids"
        ))),
        (Some(_), Some(_)) => Err(Failure::usage(format!("{wanted:?} names more than one; give the whole id"))),
    }
}
