//! `fieldpost delete`.

use super::edit::{find, follow, newest};
use crate::{device::Device, failure::Failure, output::Output};

/// The message to delete.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// The message's id, or a part of it
    message: String,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(&arguments.conversation).await?.id);
    let shown = newest(&conversation).await?;
    let message = find(&shown, &arguments.message)?;
    let deleted = conversation.delete(message.id).await?;
    if device.client.sent_message(message.id).await?.is_none() {
        output
            .result(&super::messages::as_json(&deleted), || "The message was never sent. It is taken back.".to_owned());
        return Ok(());
    }
    follow(device, &conversation, deleted, "deletion", output).await
}
