//! `fieldpost draft`.

use super::text::{NOT_YET, SENT, message_line};
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::StoredDraft;
use serde_json::{Value, json};

/// The conversation, and what becomes of its draft.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// The text to keep; without one, the draft is shown
    #[arg(allow_hyphen_values = true, value_parser = crate::args::text)]
    text: Option<String>,
    /// Remove the draft
    #[arg(long, conflicts_with_all = ["text", "send"])]
    clear: bool,
    /// Send the draft
    #[arg(long, conflicts_with = "text")]
    send: bool,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    if arguments.send {
        if conversation.draft().await?.is_none() {
            return Err(Failure::error(
                "there is no draft to send in this conversation; write one with `fieldpost draft`",
            ));
        }
        let sent = conversation.send_stored_draft().await?;
        let synced = device.sync_if_possible(output).await;
        let now = device.client.sent_message(sent.id()).await?;
        let message = now.as_ref().unwrap_or(&sent).message();
        output.result(&super::messages::as_json(message), || message_line(message));
        output.tell(if message.seq.is_some() { SENT } else { NOT_YET });
        return synced;
    }
    match &arguments.text {
        Some(text) => conversation.set_draft(text).await?,
        None if arguments.clear => conversation.clear_draft().await?,
        None => {}
    }
    let draft = conversation.draft().await?;
    output.result(&draft.as_ref().map_or(Value::Null, as_json), || match &draft {
        Some(draft) => one_line(&draft.text),
        None => "No draft.".to_owned(),
    });
    Ok(())
}

fn as_json(draft: &StoredDraft) -> Value {
    json!({
        "conversation_id": draft.conversation_id,
        "text": draft.text,
        "reply_to": draft.reply_to,
        "mentions": draft.mentions,
        "metadata": draft.metadata,
        "updated_at": draft.updated_at,
    })
}
