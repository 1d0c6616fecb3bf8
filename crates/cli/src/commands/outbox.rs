//! `fieldpost outbox`.

use super::text::{list_line, moment, short};
use crate::{
    args::Decision,
    device::Device,
    failure::Failure,
    output::Output,
    terminal::{cut, one_line},
};
use fieldpost::{EntryState, OutboxEntry};
use serde_json::{Value, json};

pub(super) async fn decide(device: &Device, decision: Decision, output: &Output) -> Result<(), Failure> {
    match decision {
        Decision::Retry { which: Some(which), .. } => {
            let entry = find(device, &which).await?;
            show(output, &device.client.retry(entry.mutation_id).await?);
        }
        Decision::Retry { which: None, .. } => {
            let again = device.client.retry_all().await?;
            output.result(&json!({ "retried": again }), || format!("{again} will be sent again."));
        }
        Decision::Edit { which, text } => {
            let entry = find(device, &which).await?;
            show(output, &device.client.edit_entry(entry.mutation_id, &text).await?);
        }
        Decision::Cancel { which, .. } => {
            let cancelled = match which {
                Some(which) => device.client.cancel(find(device, &which).await?.mutation_id).await?,
                None => device.client.cancel_failed().await?,
            };
            // The last chance to see the texts, so they are whole.
            cancelled.iter().for_each(|entry| output.result(&as_json(entry), || whole(entry)));
            output.tell(&format!("{} taken back.", cancelled.len()));
            return Ok(());
        }
    }
    device.sync_if_possible(output).await
}

fn show(output: &Output, entry: &OutboxEntry) {
    output.result(&as_json(entry), || line(entry));
}

/// The entry that a person named: by the message's id, the mutation's id, or a unique part of either.
async fn find(device: &Device, wanted: &str) -> Result<OutboxEntry, Failure> {
    let wanted = wanted.to_lowercase();
    let named = |entry: &OutboxEntry| {
        let message = entry.message_id.map(|id| id.to_string()).unwrap_or_default();
        wanted.len() >= 4 && (message.contains(&wanted) || entry.mutation_id.to_string().contains(&wanted))
    };
    let entries = device.client.outbox(u32::MAX).await?;
    let mut found = entries.into_iter().filter(named);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::error(format!(
            "nothing with the id {wanted:?} waits in the outbox; `fieldpost outbox` lists what does"
        ))),
        (Some(_), Some(_)) => Err(Failure::usage(format!("{wanted:?} names more than one; give the whole id"))),
    }
}

pub(super) async fn list(device: &Device, limit: u32, output: &Output) -> Result<(), Failure> {
    let entries = device.client.outbox(limit).await?;
    if entries.is_empty() {
        output.tell("Nothing waits: everything is on the server.");
    }
    for entry in &entries {
        show(output, entry);
    }
    Ok(())
}

pub(super) fn as_json(entry: &OutboxEntry) -> Value {
    let (state, retries, refusal) = match &entry.state {
        EntryState::Queued { retries, .. } => ("queued", *retries, None),
        EntryState::NeedsServer(_) => ("needs_server", 0, None),
        EntryState::Sending => ("sending", 0, None),
        EntryState::Failed(refusal) => ("failed", 0, Some(refusal)),
    };
    json!({
        "mutation_id": entry.mutation_id,
        "kind": entry.kind,
        "conversation_id": entry.conversation_id,
        "message_id": entry.message_id,
        "target_id": entry.target_id,
        "content": entry.content,
        "state": state,
        "retries": retries,
        "failure": refusal,
        "recorded_at": entry.recorded_at,
    })
}

/// The most columns of a state, whatever a server says of it.
const STATE: usize = 60;

fn line(entry: &OutboxEntry) -> String {
    list_line(&columns(entry), entry.content.as_deref().unwrap_or_default())
}

fn whole(entry: &OutboxEntry) -> String {
    let content = entry.content.as_deref().map(one_line).unwrap_or_default();
    format!("{}{content}", columns(entry)).trim_end().to_owned()
}

fn columns(entry: &OutboxEntry) -> String {
    let state = match &entry.state {
        EntryState::Queued { retries: 0, .. } => "queued".to_owned(),
        EntryState::Queued { retries, .. } => format!("queued, tried {retries} times"),
        EntryState::NeedsServer(capability) => format!("waits until the server knows {capability}: upgrade its SQL"),
        EntryState::Sending => "sent, no answer yet".to_owned(),
        EntryState::Failed(refusal) => match &refusal.detail {
            Some(detail) => format!("failed: {} ({detail})", refusal.code),
            None => format!("failed: {}", refusal.code),
        },
    };
    let state = cut(&one_line(&state), STATE);
    let id = entry.message_id.map_or_else(|| short(entry.mutation_id), short);
    format!("{}  {:<12}  {id}  [{state}]  ", moment(entry.recorded_at), entry.kind.as_str())
}
