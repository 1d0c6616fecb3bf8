//! `fieldpost send`.

use super::{
    messages::as_json,
    text::{KEPT, NOT_YET, SENT, message_line, refused},
};
use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::Conversation;

pub(super) async fn run(device: &Device, wanted: &str, text: &str, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(wanted).await?.id);
    to(device, &conversation, text, output).await
}

/// Writes a message, syncs, and shows what became of it.
pub(super) async fn to(
    device: &Device,
    conversation: &Conversation,
    text: &str,
    output: &Output,
) -> Result<(), Failure> {
    let written = conversation.send(text).await?;
    // Printed before the network is tried: from here on the message is safe, whatever the network does.
    output.tell(KEPT);
    let synced = device.sync_if_possible(output).await;
    let now = conversation.messages(fieldpost::Window::newest(100)).await?;
    let message = now
        .messages
        .into_iter()
        .find(|message| message.id == written.id())
        .unwrap_or_else(|| written.message().clone());
    output.result(&as_json(&message), || message_line(&message));
    if message.failure.is_none() {
        output.tell(if message.seq.is_some() { SENT } else { NOT_YET });
    }
    synced?;
    match message.failure {
        Some(refusal) => Err(refused("message", &refusal)),
        None => Ok(()),
    }
}
