//! `fieldpost status`.

use super::{import, text::moment};
use crate::{device::Device, failure::Failure, output::Output, terminal::one_line};
use fieldpost::ContextState;
use serde_json::{Map, Value, json};

pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    let status = device.client.status().borrow().clone();
    let me = device.client.me().await?;
    let unread = device.client.total_unread().await?;
    let imported = device.client.imported().await?;
    let mut value = json!({
        "status": status.sync_status(),
        "me": me.as_ref().map(|me| json!({"id": me.id, "name": me.full_name(), "role": me.role})),
        "unread": unread,
        "pending": status.pending,
        "failed": status.failed,
        "last_success_at": status.last_success_at,
        "imported": imported.as_ref().map(import::brief),
    });
    let records = records(device)?;
    if let (Some(state), Some(fields)) = (&records, value.as_object_mut()) {
        fields.extend(records_as_json(state));
    }
    output.result(&value, || {
        let word = serde_json::to_value(status.sync_status()).ok();
        let word = word.as_ref().and_then(|word| word.as_str()).unwrap_or("unknown").replace('_', " ");
        let owner = me.map(|me| one_line(&format!("{} ({})", me.display_name(), me.role)));
        let name = owner.map(|owner| match status.signed_in {
            true => format!(" as {owner}"),
            false => format!("; this database is of {owner}"),
        });
        let last = status.last_success_at.map_or_else(|| "never".to_owned(), moment);
        format!(
            "{word}{}\n{unread} unread, {} waiting for the server, {} refused\nlast synced: {last}{}",
            name.unwrap_or_default(),
            status.pending,
            status.failed,
            records.as_ref().map(records_text).unwrap_or_default()
                + &imported.map_or_else(String::new, |report| format!("\nimported: {}", import::summary(&report))),
        )
    });
    Ok(())
}

/// The state of both sides; none without tables of records.
pub(super) fn records(device: &Device) -> Result<Option<ContextState>, Failure> {
    Ok(match device.client.has_records() {
        true => Some(device.client.sync_context()?.state()),
        false => None,
    })
}

/// What a state adds to that of the messages: the state of both, and the records.
pub(super) fn records_as_json(state: &ContextState) -> Map<String, Value> {
    let records = &state.records;
    let value = json!({
        "context": {
            "status": state.sync_status(),
            "message_sync_status": state.message_sync_status(),
            "pending": state.pending(),
            "failed": state.failed(),
            "is_online": state.is_online(),
            "connection": state.connection,
            "last_sync_at": state.last_sync_at(),
            "last_error": state.last_error().map(ToString::to_string),
        },
        "records": {
            "pending": records.pending,
            "immediate": records.immediate,
            "failed": records.failed,
            "conflicts": records.conflicts,
            "carried": records.carried,
            "audit_pending": records.audit_pending,
            "audit_dropped": records.audit_dropped,
            "next_at": records.next_at,
            "last_success_at": records.last_success_at,
            "error": records.last_error.as_ref().map(ToString::to_string),
            "audit_error": records.audit_error.as_ref().map(ToString::to_string),
        },
    });
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn records_text(state: &ContextState) -> String {
    let records = &state.records;
    let mut parts = vec![format!("{} waiting for the server", records.pending)];
    for (count, what) in [
        (records.immediate, "of them immediate"),
        (records.failed, "refused (see `fieldpost queue`)"),
        (records.conflicts, "lost (see `fieldpost records conflicts`)"),
        (records.carried, "of an older app (see `fieldpost queue carried`)"),
        (records.audit_pending, "audit entries"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let last = records.last_success_at.map_or_else(|| "never".to_owned(), moment);
    format!("\nrecords: {}\nrecords last synced: {last}", parts.join(", "))
}
