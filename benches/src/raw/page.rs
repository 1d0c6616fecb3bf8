//! A page of a pull through prepared statements, in one transaction.

use super::Raw;
use anyhow::Result;
use fieldpost_domain::{Conversation, Message, PullPage, Time};
use rusqlite::{Connection, Statement, TransactionBehavior, params};

/// The number of rows that one execution of a statement inserts.
///
/// Row by row is how most apps write. Batches are the fastest way in SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    RowByRow,
    InBatches,
}

impl Way {
    pub(crate) const ALL: [Self; 2] = [Self::RowByRow, Self::InBatches];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RowByRow => "raw SQLite, row by row",
            Self::InBatches => "raw SQLite, in batches",
        }
    }

    const fn sizes(self) -> &'static [usize] {
        match self {
            Self::RowByRow => &[1],
            Self::InBatches => &[500, 50, 1],
        }
    }
}

impl Raw {
    pub(crate) fn apply(&mut self, page: &PullPage, way: Way) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        conversations(&transaction, &page.changes.conversations)?;
        messages(&transaction, &page.changes.messages, way)?;
        let mut statement = transaction.prepare_cached(FOLLOWED)?;
        statement.execute(params![page.cursor.as_str(), page.more])?;
        drop(statement);
        Ok(transaction.commit()?)
    }
}

/// A run of pages stays open until its last page.
const FOLLOWED: &str = "UPDATE sync_state SET cursor = ?1, run_open = ?2 WHERE only = 1";

fn conversations(connection: &Connection, rows: &[Conversation]) -> Result<()> {
    let mut statement = connection.prepare_cached(CONVERSATION)?;
    for row in rows {
        let (last_seq, unread) = (row.last_seq.get().cast_signed(), row.unread.cast_signed());
        let at = row.last_message_at.map(micros);
        let preview = row.last_message_preview.as_deref();
        let id = row.id.as_uuid();
        statement.execute(params![last_seq, at, preview, unread, id.as_bytes()])?;
    }
    Ok(())
}

/// The conversations exist since the first load; a page changes their newest message and its count.
const CONVERSATION: &str = "
UPDATE conversations SET last_seq = ?1, server_seq = ?1, server_at = ?2, server_preview = ?3, server_unread = ?4,
    range_to = ?1, unread_here = ?4, unread_count = ?4, last_message_at = ?2, last_message_preview = ?3
WHERE id = ?5";

fn messages(connection: &Connection, rows: &[Message], way: Way) -> Result<()> {
    let mut rest = rows;
    for &size in way.sizes() {
        let mut statement = connection.prepare_cached(&message_sql(size))?;
        while let Some((batch, after)) = rest.split_at_checked(size) {
            for (at, row) in batch.iter().enumerate() {
                bind(&mut statement, at * COLUMNS, row)?;
            }
            statement.raw_execute()?;
            rest = after;
        }
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, before: usize, row: &Message) -> rusqlite::Result<()> {
    let id = row.id.as_uuid();
    statement.raw_bind_parameter(before + 1, id.as_bytes())?;
    statement.raw_bind_parameter(before + 2, id.as_bytes())?;
    statement.raw_bind_parameter(before + 3, row.conversation_id.as_uuid().as_bytes())?;
    statement.raw_bind_parameter(before + 4, row.seq.get().cast_signed())?;
    statement.raw_bind_parameter(before + 5, row.sender_id.as_uuid().as_bytes())?;
    statement.raw_bind_parameter(before + 6, row.kind.as_str())?;
    statement.raw_bind_parameter(before + 7, row.content.as_deref())?;
    statement.raw_bind_parameter(before + 8, row.reply_to.map(|id| *id.as_uuid().as_bytes()))?;
    statement.raw_bind_parameter(before + 9, row.status.as_str())?;
    statement.raw_bind_parameter(before + 10, row.composed_at.map(micros))?;
    statement.raw_bind_parameter(before + 11, micros(row.created_at))?;
    statement.raw_bind_parameter(before + 12, micros(row.updated_at))?;
    statement.raw_bind_parameter(before + 13, row.deleted_at.map(micros))?;
    statement.raw_bind_parameter(before + 14, row.version.get().cast_signed())?;
    let metadata = row.metadata.as_ref().map(serde_json::to_string).transpose();
    let metadata = metadata.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    statement.raw_bind_parameter(before + 15, metadata)
}

const COLUMNS: usize = 15;

fn message_sql(rows: usize) -> String {
    let row = format!("({})", vec!["?"; COLUMNS].join(","));
    format!(
        "INSERT INTO messages (id, server_id, conversation_id, seq, sender_id, message_type, content, reply_to, status,
            composed_at, created_at, updated_at, deleted_at, version, metadata) VALUES {}
        ON CONFLICT (id) DO UPDATE SET conversation_id = excluded.conversation_id, seq = excluded.seq,
            content = excluded.content, status = excluded.status, updated_at = excluded.updated_at,
            deleted_at = excluded.deleted_at, version = excluded.version
        WHERE excluded.version > version",
        vec![row; rows].join(",")
    )
}

pub(super) fn micros(at: Time) -> i64 {
    at.timestamp_micros()
}
