//! `fieldpost send`.

use super::{messages::as_json, text::message_line};
use crate::{device::Device, failure::Failure, output::Output};

pub(super) async fn run(device: &Device, wanted: &str, text: &str, output: &Output) -> Result<(), Failure> {
    let conversation = device.find_conversation(wanted).await?;
    let written = device.client.conversation(conversation.id).send(text).await?;
    // Printed before the network is tried: from here on the message is safe, whatever the network does.
    output.tell("Kept on this device.");
    let synced = device.sync_if_possible(output).await;
    let now = device.client.conversation(conversation.id).messages(fieldpost::Window::newest(100)).await?;
    let message = now
        .messages
        .into_iter()
        .find(|message| message.id == written.id())
        .unwrap_or_else(|| written.message().clone());
    output.result(&as_json(&message), || message_line(&message));
    synced?;
    match message.failure {
        Some(refusal) => Err(Failure::error(format!(
            "the server refused this message ({}); it is kept, see `fieldpost outbox`",
            refusal.detail.as_deref().unwrap_or(refusal.code.as_str())
        ))),
        None => Ok(()),
    }
}
