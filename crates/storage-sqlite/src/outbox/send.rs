//! Sending a message: the local echo, its mutation and the conversation, in one transaction and one trip.
//!
//! Nothing is asked before: what must hold (the file is somebody's, the message is not here yet, its conversation is)
//! are conditions of the first insert, and what follows builds on the row that it made. Where they do not hold nothing is
//! written, and the last statement, which reads the message, says why there is none. The sender is whose file this is at that
//! moment, so it is filled in by the statements too.

use crate::{
    derived,
    error::{Fault, Res},
    messages,
    mutations::{
        echo,
        record::{self, columns},
    },
    resolve::OWNER,
    rows::message::JOINS,
    sql::{Bound, Tx, id},
};
use fieldpost_domain::{Intent, Mutation, MutationId, NewMessage, PersonId, RefusalCode};
use fieldpost_storage::{OutgoingMessage, StorageErrorKind, ThreadMessage};
use sea_orm::Value;

pub(super) async fn send(tx: &Tx, mutation: MutationId, message: OutgoingMessage) -> Res<ThreadMessage> {
    // The place of the sender, for the statements to fill.
    let message = message.by(PersonId::NOBODY);
    let written = tx.last_row([
        recording(mutation, &message)?,
        echo::local(echo::ECHO_OF_NEW, Value::Bytes(None), id(mutation.as_uuid()), &message),
        Bound::new(derived::NEWEST_OF_LANE, vec![id(mutation.as_uuid())]),
        Bound::new(sent_sql(), vec![id(message.id.as_uuid())]),
    ]);
    let row = written.await?;
    if row.get::<i64>(0)? == 0 {
        return Err(Fault::kind(StorageErrorKind::NoAccount));
    }
    if row.get::<i64>(1)? == 0 {
        return Err(Fault::kind(StorageErrorKind::NotFound));
    }
    messages::one(&row, 2)
}

/// Whether the file is somebody's, whether the message is here, and the message.
pub(crate) fn sent_sql() -> String {
    let message = messages::columns();
    format!(
        "SELECT {OWNER} IS NOT NULL, m.id IS NOT NULL, {message} FROM (SELECT 1) LEFT JOIN messages AS m ON m.id = ? {JOINS}"
    )
}

/// Records a message that may be sent, in its conversation as that is called here. One that the server refused to open takes
/// no messages; they wait with it for a person.
fn recording(mutation: MutationId, message: &NewMessage) -> Res<Bound> {
    let conversation = id(message.conversation_id.as_uuid());
    let mutation = Mutation { id: mutation, intent: Intent::SendMessage(message.clone()) };
    let mut values = Vec::from(record::values(&mutation, Some(&RefusalCode::OpenRefused), message.composed_at)?);
    // The conversation is the one that the statement finds.
    values.pop();
    values.extend([conversation.clone(), conversation, id(message.id.as_uuid())]);
    Ok(Bound::new(RECORD, values))
}

pub(crate) const RECORD: &str = concat!(
    "
INSERT INTO outbox (",
    columns!(),
    ")
SELECT ?, ?, ?, ?, json_set(?, '$.sender_id', lower(hex(a.person_id))), ?, CASE WHEN c.server_id IS NULL AND EXISTS (
        SELECT 1 FROM outbox AS o WHERE o.conversation_id = c.id AND o.opens AND o.failed_code IS NOT NULL) THEN ? END,
    ?, ?, ?, ?, ?, ?, c.id
FROM account AS a CROSS JOIN conversations AS c
WHERE a.only = 1 AND a.person_id IS NOT NULL
    AND c.id = coalesce((SELECT a.canonical_id FROM aliases AS a WHERE a.id = ?), ?)
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = ?)"
);
