//! `fieldpost read`.

use crate::{device::Device, failure::Failure, output::Output};
use serde_json::json;

pub(super) async fn run(device: &Device, wanted: &str, output: &Output) -> Result<(), Failure> {
    let conversation = device.find_conversation(wanted).await?;
    let marker = device.client.conversation(conversation.id).mark_read(conversation.last_seq).await?;
    output.result(&json!({"conversation_id": conversation.id, "read_seq": marker}), || {
        format!("Read up to message {marker}.")
    });
    device.sync_if_possible(output).await
}
