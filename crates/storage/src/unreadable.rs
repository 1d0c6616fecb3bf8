//! What can be read of an unreadable row.
//!
//! An unreadable row is kept for a newer version. Two fields matter before that. Its conversation: the row must leave
//! the device together with it. And its own id: a stored older state of the message, conversation or person must not be
//! taken for one that the server no longer has. Both are read leniently, and may be missing.

use fieldpost_domain::{Changes, ConversationId, MessageId, PersonId, UnreadableRow};
use serde_json::{Value, value::RawValue};
use std::collections::{BTreeSet, HashMap};

/// How many rows are kept; the oldest leave. A server that sends only unreadable rows must not fill the disk.
pub const KEPT: u32 = 1_000;

/// The conversation of the row, by the server's id.
#[must_use]
pub fn conversation_of(row: &UnreadableRow) -> Option<ConversationId> {
    let field = if row.list == "conversations" { "id" } else { "conversation_id" };
    serde_json::from_value(field_of(row, field)?).ok()
}

/// The ids of unreadable messages in a page, as far as they have one; none if the page has no unreadable message.
#[must_use]
pub fn messages_of(changes: &Changes) -> Option<BTreeSet<MessageId>> {
    let mut rows = changes.unreadable.iter().filter(|row| row.list == "messages").peekable();
    rows.peek()?;
    Some(rows.filter_map(|row| serde_json::from_value(field_of(row, "id")?).ok()).collect())
}

/// The ids of unreadable conversations in a page: they are visible, although nothing else of them is known. A row
/// without an id names no conversation, so a stored conversation that is not listed counts as out of sight.
#[must_use]
pub fn conversations_of(changes: &Changes) -> BTreeSet<ConversationId> {
    changes.unreadable.iter().filter(|row| row.list == "conversations").filter_map(conversation_of).collect()
}

/// The ids of unreadable people in a page.
#[must_use]
pub fn people_of(changes: &Changes) -> BTreeSet<PersonId> {
    let rows = changes.unreadable.iter().filter(|row| row.list == "people");
    rows.filter_map(|row| serde_json::from_value(field_of(row, "id")?).ok()).collect()
}

/// One field of a row. The others are skipped as text, because one of them may be the unreadable one.
fn field_of(row: &UnreadableRow, field: &str) -> Option<Value> {
    let fields: HashMap<&str, &RawValue> = serde_json::from_str(&row.payload).ok()?;
    serde_json::from_str(fields.get(field)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conversation_of_a_row_is_read_whatever_else_is_in_it() {
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
