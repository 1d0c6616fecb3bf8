//! `fieldpost queue`: changes of records that wait.

use super::{
    records::shown_fields,
    text::{list_line, moment, short},
};
use crate::{
    device::Device,
    failure::Failure,
    named::{self, Candidate, Kind},
    output::Output,
    terminal::{cut, one_line},
};
use clap::Subcommand;
use fieldpost::records::{CarriedItem, RecordEntryState, RecordQueueEntry};
use serde_json::{Value, json};

/// What to do with a waiting change.
#[derive(Debug, Subcommand)]
pub(crate) enum Decision {
    /// Send a change again that the server refused, with those that were parked behind it
    Retry {
        /// The id of the mutation or the record, or a part of it
        #[arg(required_unless_present = "all")]
        which: Option<String>,
        /// Everything that was refused
        #[arg(long, conflicts_with = "which")]
        all: bool,
    },
    /// Give up a change that the server does not have yet
    Cancel {
        /// The id of the mutation, or a part of it
        which: String,
    },
    /// List the items of an older app's queue that the app must take over, such as photo uploads
    Carried,
}

pub(super) async fn run(
    device: &Device,
    limit: u32,
    decision: Option<Decision>,
    output: &Output,
) -> Result<(), Failure> {
    match decision {
        None => return list(device, limit, output).await,
        Some(Decision::Carried) => return carried(device, output).await,
        Some(Decision::Retry { which: Some(which), .. }) => {
            let entry = find(device, &which).await?;
            device.client.retry_record(entry.mutation_id).await?;
            output.result(&as_json(&entry), || line(&entry));
        }
        Some(Decision::Retry { which: None, .. }) => {
            let again = device.client.retry_all_records().await?;
            output.result(&json!({ "retried": again }), || format!("{again} will be sent again."));
        }
        Some(Decision::Cancel { which }) => {
            let entry = find(device, &which).await?;
            device.client.cancel_record(entry.mutation_id).await?;
            output.result(&as_json(&entry), || format!("{}\nTaken back.", line(&entry)));
            return Ok(());
        }
    }
    device.sync_if_possible(output).await
}

async fn list(device: &Device, limit: u32, output: &Output) -> Result<(), Failure> {
    let entries = device.client.record_queue(limit).await?;
    if entries.is_empty() {
        output.tell("Nothing waits: every record is on the server.");
    }
    entries.iter().for_each(|entry| output.result(&as_json(entry), || line(entry)));
    Ok(())
}

async fn carried(device: &Device, output: &Output) -> Result<(), Failure> {
    let items = device.client.carried_items().await?;
    if items.is_empty() {
        output.tell("Nothing of an older app waits.");
    }
    items.iter().for_each(|item| output.result(&carried_as_json(item), || carried_line(item)));
    Ok(())
}

async fn find(device: &Device, wanted: &str) -> Result<RecordQueueEntry, Failure> {
    let entries = device.client.record_queue(u32::MAX).await?.into_iter();
    let candidates = entries.map(|entry| Candidate {
        name: String::new(),
        ids: vec![entry.mutation_id.to_string(), entry.record_id.to_string()],
        what: entry,
    });
    let kind = Kind { one: "change", several: "changes", listed_by: "queue" };
    named::find(candidates.collect(), wanted, &kind)
}

fn as_json(entry: &RecordQueueEntry) -> Value {
    let (state, failures, refusal) = match &entry.state {
        RecordEntryState::Queued { failures, .. } => ("queued", *failures, None),
        RecordEntryState::Sending => ("sending", 0, None),
        RecordEntryState::Failed(refusal) => ("failed", 0, Some(refusal)),
        RecordEntryState::NotDeclared => ("not_declared", 0, None),
    };
    let next_at = match &entry.state {
        RecordEntryState::Queued { next_at, .. } => *next_at,
        _ => None,
    };
    json!({
        "mutation_id": entry.mutation_id,
        "table": entry.table,
        "record_id": entry.record_id,
        "operation": entry.operation,
        "fields": entry.fields,
        "priority": entry.priority.number(),
        "state": state,
        "failures": failures,
        "next_at": next_at,
        "failure": refusal,
        "recorded_at": entry.recorded_at,
    })
}

/// The most columns of a state, whatever a server says of it.
const STATE: usize = 60;

fn line(entry: &RecordQueueEntry) -> String {
    let state = match &entry.state {
        RecordEntryState::Queued { failures: 0, .. } => "queued".to_owned(),
        RecordEntryState::Queued { failures, next_at, .. } => {
            let next = next_at.map_or_else(|| "now".to_owned(), moment);
            format!("failed {failures} times, next {next}")
        }
        RecordEntryState::Sending => "sent, no answer yet".to_owned(),
        RecordEntryState::Failed(refusal) => match &refusal.detail {
            Some(detail) => format!("refused: {} ({detail})", refusal.code),
            None => format!("refused: {}", refusal.code),
        },
        RecordEntryState::NotDeclared => "its table is not declared".to_owned(),
    };
    let columns = format!(
        "{}  P{}  {} {} {}  [{}]  ",
        moment(entry.recorded_at),
        entry.priority.number(),
        entry.operation,
        entry.table,
        short(entry.record_id),
        cut(&one_line(&state), STATE)
    );
    list_line(&columns, &shown_fields(&entry.fields))
}

fn carried_as_json(item: &CarriedItem) -> Value {
    json!({
        "id": item.id,
        "table": item.table,
        "record_id": item.record_id,
        "operation": item.operation,
        "idempotency_key": item.idempotency_key,
        "payload": item.payload,
        "priority": item.priority,
        "retry_count": item.retry_count,
        "created_at": item.created_at,
    })
}

fn carried_line(item: &CarriedItem) -> String {
    list_line(&format!("{}  {} {} {}  ", item.id, item.operation, item.table, item.record_id), &item.payload)
}
