//! The writes of a send.

use super::{Raw, page::micros};
use anyhow::Result;
use fieldpost_domain::Message;
use rusqlite::{Connection, TransactionBehavior, params};

impl Raw {
    /// One row in its own transaction.
    pub(crate) fn insert_one(&mut self, message: &Message) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        insert(&transaction, message, None)?;
        Ok(transaction.commit()?)
    }

    /// The rows that a send must write: the mutation, the local echo, the conversation's newest message.
    pub(crate) fn send(&mut self, message: &Message, payload: &str) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (id, conversation) = (message.id.as_uuid(), message.conversation_id.as_uuid());
        let at = micros(message.created_at);
        let mut statement = transaction.prepare_cached(OUTBOX)?;
        statement.execute(params![id.as_bytes(), conversation.as_bytes(), payload, payload.len() as i64, at])?;
        drop(statement);
        insert(&transaction, message, Some(transaction.last_insert_rowid()))?;
        let mut statement = transaction.prepare_cached(NEWEST)?;
        statement.execute(params![at, message.content, conversation.as_bytes()])?;
        drop(statement);
        Ok(transaction.commit()?)
    }
}

fn insert(connection: &Connection, message: &Message, position: Option<i64>) -> Result<()> {
    let mut statement = connection.prepare_cached(LOCAL)?;
    let at = micros(message.created_at);
    statement.execute(params![
        message.id.as_uuid().as_bytes(),
        message.conversation_id.as_uuid().as_bytes(),
        position,
        message.sender_id.as_uuid().as_bytes(),
        message.content,
        at,
    ])?;
    Ok(())
}

const OUTBOX: &str = "
INSERT INTO outbox (id, kind, conversation_id, message_id, payload, wire_size, recorded_at)
VALUES (?1, 'send_message', ?2, ?1, ?3, ?4, ?5)";

const LOCAL: &str = "
INSERT INTO messages (id, conversation_id, position, sender_id, message_type, content, status, composed_at, created_at,
    updated_at, version)
VALUES (?1, ?2, ?3, ?4, 'text', ?5, 'queued', ?6, ?6, ?6, -1)";

const NEWEST: &str =
    "UPDATE conversations SET last_message_at = ?, last_message_preview = substr(?, 1, 101) WHERE id = ?";
