//! What can still be told of a row that cannot be read.
//!
//! Such a row is kept for a version that can read it. Two things about it matter before that: whose it is, because it has to
//! leave the device with its conversation; and which message, conversation or person it is, because a copy of an earlier state
//! may be here and must not be taken for one that the server no longer has. Both are read leniently, and it is no failure when
//! they cannot be.

use fieldpost_domain::{Changes, ConversationId, MessageId, PersonId, UnreadableRow};
use serde_json::{Value, value::RawValue};
use std::collections::{BTreeSet, HashMap};

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

/// One field of a row. The others are skipped as text: one of them may be what nothing can read.
fn field_of(row: &UnreadableRow, field: &str) -> Option<Value> {
    let fields: HashMap<&str, &RawValue> = serde_json::from_str(&row.payload).ok()?;
    serde_json::from_str(fields.get(field)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whose_it_is_whatever_else_is_in_it() {
        let id = "0198c0de-0000-7000-8000-00000000000a";
        for odd in ["1e400".to_owned(), format!("{}1{}", "[".repeat(16_345), "]".repeat(16_345))] {
            let payload = format!(r#"{{"content":{odd},"id":"{id}","conversation_id":"{id}"}}"#);
            let row = UnreadableRow { list: "messages".to_owned(), payload, reason: String::new() };
            assert_eq!(conversation_of(&row).map(|id| id.to_string()).as_deref(), Some(id));
            let changes = Changes { unreadable: vec![row], ..Changes::default() };
            assert_eq!(messages_of(&changes).map(|ids| ids.len()), Some(1));
        }
    }
}
