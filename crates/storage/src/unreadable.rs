//! What can still be told of a row that cannot be read.
//!
//! Such a row is kept for a version that can read it. Two things about it matter before that: whose it is, because it has to
//! leave the device with its conversation; and which message, conversation or person it is, because a copy of an earlier state
//! may be here and must not be taken for one that the server no longer has. Both are read leniently, and it is no failure when
//! they cannot be.

use fieldpost_domain::{Changes, ConversationId, MessageId, PersonId, UnreadableRow};
use serde_json::Value;
use std::collections::BTreeSet;

/// How many are kept; the oldest leave. A server that sends nothing else must not fill the disk.
pub const KEPT: u32 = 1_000;

/// The conversation that the row belongs to, by whatever id the server gave.
#[must_use]
pub fn conversation_of(row: &UnreadableRow) -> Option<ConversationId> {
    let field = if row.list == "conversations" { "id" } else { "conversation_id" };
    serde_json::from_value(field_of(row, field)?).ok()
}

/// The messages of a page that cannot be read; none if the page has no such row. The set holds those that say their id.
#[must_use]
pub fn messages_of(changes: &Changes) -> Option<BTreeSet<MessageId>> {
    let mut rows = changes.unreadable.iter().filter(|row| row.list == "messages").peekable();
    rows.peek()?;
    Some(rows.filter_map(|row| serde_json::from_value(field_of(row, "id")?).ok()).collect())
}

/// The conversations that a page lists by rows that cannot be read but say their id: they may be seen, whatever else is true of
/// them. Of a row that says none nobody can tell, and what is not listed has to be taken for out of sight.
#[must_use]
pub fn conversations_of(changes: &Changes) -> BTreeSet<ConversationId> {
    changes.unreadable.iter().filter(|row| row.list == "conversations").filter_map(conversation_of).collect()
}

/// The same of people.
#[must_use]
pub fn people_of(changes: &Changes) -> BTreeSet<PersonId> {
    let rows = changes.unreadable.iter().filter(|row| row.list == "people");
    rows.filter_map(|row| serde_json::from_value(field_of(row, "id")?).ok()).collect()
}

fn field_of(row: &UnreadableRow, field: &str) -> Option<Value> {
    let mut payload: Value = serde_json::from_str(&row.payload).ok()?;
    payload.get_mut(field).map(Value::take)
}
