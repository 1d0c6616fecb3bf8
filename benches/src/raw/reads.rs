//! The contents of a screen, each read by one prepared statement.

use super::Raw;
use anyhow::Result;
use fieldpost_domain::ConversationId;
use rusqlite::{Row, params};

/// A row as an app would hold it: owned ids, numbers and texts.
type Cells = (Vec<[u8; 16]>, Vec<Option<i64>>, Vec<Option<String>>);

impl Raw {
    /// The number of messages.
    pub(crate) fn messages(&self) -> Result<u64> {
        let count = self.connection.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))?;
        Ok(count.unsigned_abs())
    }

    /// The newest conversations with their displayed names.
    pub(crate) fn list(&self, limit: u32) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(LIST)?;
        let rows = statement.query_map([limit], |row| cells(row, 0..3, 3..8, 8..15))?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.len())
    }

    /// The newest messages of a thread with their senders' names.
    pub(crate) fn window(&self, conversation: ConversationId, limit: u32) -> Result<usize> {
        let mut statement = self.connection.prepare_cached(WINDOW)?;
        let rows = statement
            .query_map(params![conversation.as_uuid().as_bytes(), limit], |row| cells(row, 0..3, 3..7, 7..14))?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.len())
    }
}

fn cells(
    row: &Row<'_>,
    mut ids: std::ops::Range<usize>,
    mut numbers: std::ops::Range<usize>,
    mut texts: std::ops::Range<usize>,
) -> rusqlite::Result<Cells> {
    Ok((
        ids.try_fold(Vec::new(), |mut all, column| row.get(column).map(|id| push(&mut all, id)).map(|()| all))?,
        numbers.try_fold(Vec::new(), |mut all, column| {
            row.get(column).map(|number| push(&mut all, number)).map(|()| all)
        })?,
        texts.try_fold(Vec::new(), |mut all, column| row.get(column).map(|text| push(&mut all, text)).map(|()| all))?,
    ))
}

fn push<T>(all: &mut Vec<T>, one: T) {
    all.push(one);
}

const LIST: &str = "
SELECT c.id, c.org_id, c.created_by, c.created_at, c.updated_at, c.last_seq, c.last_message_at, c.unread_count,
    c.type, c.subject, c.medic_name, c.last_message_preview, me.role, p.first_name, p.last_name
FROM conversations AS c
LEFT JOIN people AS me ON me.id = (SELECT person_id FROM account WHERE only = 1)
LEFT JOIN people AS p ON p.id =
    (SELECT q.id FROM people AS q WHERE q.medic_id = c.medic_id ORDER BY q.removed, q.id LIMIT 1)
ORDER BY coalesce(c.pinned_at, 0) DESC, coalesce(c.last_message_at, c.created_at) DESC, c.id LIMIT 0 + ?";

const WINDOW: &str = "
SELECT m.id, m.conversation_id, m.sender_id, m.seq, m.composed_at, m.created_at, m.deleted_at,
    m.sender_name, m.message_type, m.content, m.metadata, m.status, p.first_name, p.last_name
FROM messages AS m LEFT JOIN people AS p ON p.id = m.sender_id
WHERE m.conversation_id = ? AND m.seq IS NOT NULL ORDER BY m.seq DESC LIMIT 0 + ?";
