//! `fieldpost outbox`.

use super::text::{moment, one_line};
use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::{EntryState, OutboxEntry};
use serde_json::{Value, json};

pub(super) async fn run(device: &Device, limit: u32, output: &Output) -> Result<(), Failure> {
    let entries = device.client.outbox(limit).await?;
    if entries.is_empty() {
        output.tell("Nothing waits: everything is on the server.");
    }
    for entry in &entries {
        output.result(&as_json(entry), || line(entry));
    }
    Ok(())
}

fn as_json(entry: &OutboxEntry) -> Value {
    let (state, retries, refusal) = match &entry.state {
        EntryState::Queued { retries, .. } => ("queued", *retries, None),
        EntryState::Failed(refusal) => ("failed", 0, Some(refusal)),
    };
    json!({
        "mutation_id": entry.mutation_id,
        "kind": entry.kind,
        "conversation_id": entry.conversation_id,
        "message_id": entry.message_id,
        "content": entry.content,
        "state": state,
        "retries": retries,
        "failure": refusal,
        "recorded_at": entry.recorded_at,
    })
}

fn line(entry: &OutboxEntry) -> String {
    let state = match &entry.state {
        EntryState::Queued { retries: 0, .. } => "queued".to_owned(),
        EntryState::Queued { retries, .. } => format!("queued, tried {retries} times"),
        EntryState::Failed(refusal) => match &refusal.detail {
            Some(detail) => format!("failed: {} ({detail})", refusal.code),
            None => format!("failed: {}", refusal.code),
        },
    };
    let content = entry.content.as_deref().map(one_line).unwrap_or_default();
    format!("{}  {:<14} {}  [{state}]  {content}", moment(entry.recorded_at), entry.kind, entry.conversation_id)
        .trim_end()
        .to_owned()
}
