//! Records for people and for programs.

use super::super::text::{list_line, moment, short};
use crate::terminal::one_line;
use fieldpost::records::{Fields, Record, RecordState};
use serde_json::{Value, json};

pub(super) fn as_json(record: &Record) -> Value {
    json!({
        "id": record.id,
        "table": record.table,
        "server_id": record.server_id,
        "org_id": record.org_id,
        "fields": record.fields,
        "extra": record.extra,
        "created_at": record.created_at,
        "modified_at": record.modified_at,
        "version": record.version,
        "state": record.state,
    })
}

/// One line of a list.
pub(super) fn line(record: &Record) -> String {
    let columns = format!("{}  {}  [{}]  ", moment(record.modified_at), short(record.id), state(record.state));
    list_line(&columns, &shown_fields(&record.fields))
}

/// Every field on a line of its own.
pub(super) fn whole(record: &Record) -> String {
    let mut lines = vec![format!("{} {}  [{}]", record.table, record.id, state(record.state))];
    let fields = record.fields.iter().chain(record.extra.iter());
    lines.extend(fields.map(|(name, value)| format!("  {name:<30} {}", one_line(&plain(value)))));
    lines.push(format!("  {:<30} {}", "created", moment(record.created_at)));
    lines.push(format!("  {:<30} {}", "changed", moment(record.modified_at)));
    lines.join("\n")
}

/// The fields that say something, on one line.
pub(in crate::commands) fn shown_fields(fields: &Fields) -> String {
    let said = fields.iter().filter(|(_, value)| !value.is_null() && **value != json!([]));
    said.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

const fn state(state: RecordState) -> &'static str {
    match state {
        RecordState::Synced => "synced",
        RecordState::Queued => "queued",
        RecordState::Failed => "refused",
    }
}
