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
    outbox::record::{self, columns},
    resolve::OWNER,
    rows::{json, message::JOINS},
    sql::{Bound, Tx, id, int, opt_id, text, time},
    version::UNTOLD,
};
use fieldpost_domain::{Intent, MessageStatus, Mutation, MutationId, NewMessage, PersonId, RefusalCode};
use fieldpost_storage::{ChangeSet, OutgoingMessage, StorageErrorKind, ThreadMessage};
use sea_orm::Value;

pub(super) async fn send(tx: &Tx, mutation: MutationId, message: OutgoingMessage) -> Res<ThreadMessage> {
    // The place of the sender, for the statements to fill.
    let message = message.by(PersonId::NOBODY);
    let written = tx.last_row([
        recording(mutation, &message)?,
        local(ECHO_OF_NEW, Value::Bytes(None), id(mutation.as_uuid()), &message),
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
    let sent = messages::one(&row, 2)?;
    tx.changed(ChangeSet::of([sent.conversation_id]).and_outbox()).await;
    Ok(sent)
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
WHERE a.only = 1 AND a.person_id IS NOT NULL AND c.id = coalesce((SELECT l.canonical_id FROM aliases AS l WHERE l.id = ?), ?)
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = ?)"
);

/// The local echo of a message whose mutation is recorded: that gives it its place.
pub(crate) async fn insert_local(tx: &Tx, message: &NewMessage) -> Res<()> {
    local(ECHO, id(message.sender_id.as_uuid()), id(message.id.as_uuid()), message).run(tx).await.map(drop)
}

/// By this sender; if that is null, by whose file this is.
fn local(sql: &'static str, sender: Value, recorded: Value, message: &NewMessage) -> Bound {
    let at = || time(message.composed_at);
    let values = vec![
        sender,
        text(message.kind.as_str()),
        text(message.content.as_str()),
        json::metadata(message.metadata.as_ref()),
        opt_id(message.reply_to.map(|id| id.as_uuid())),
        json::mentions(&message.mentions),
        text(MessageStatus::Queued.as_str()),
        at(),
        at(),
        at(),
        int(UNTOLD),
        recorded,
    ];
    Bound::new(sql, values)
}

macro_rules! echo {
    ($of:literal) => {
        concat!(
            "
INSERT INTO messages (id, conversation_id, position, sender_id, message_type, content, metadata, reply_to, mentions, status,
    composed_at, created_at, updated_at, version)
SELECT o.message_id, o.conversation_id, o.position,
    coalesce(?, (SELECT person_id FROM account WHERE only = 1)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM outbox AS o WHERE ",
            $of
        )
    };
}

const ECHO: &str = echo!("o.message_id = ?");

pub(crate) const ECHO_OF_NEW: &str =
    echo!("o.id = ? AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = o.message_id)");
