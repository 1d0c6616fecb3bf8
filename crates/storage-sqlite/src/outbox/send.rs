//! Sending a message: the local echo, its mutation and the conversation, in one transaction.

use crate::{
    derived,
    error::{Fault, Res},
    messages,
    outbox::record,
    resolve::CANONICAL,
    rows::json,
    sql::{Bound, Tx, id, int, opt_id, text, time},
    version::UNTOLD,
};
use fieldpost_domain::{ConversationId, Intent, MessageStatus, Mutation, MutationId, NewMessage, RefusalCode};
use fieldpost_storage::{StorageErrorKind, ThreadMessage};
use std::collections::BTreeSet;

pub(super) async fn send(tx: &Tx, mutation: MutationId, mut message: NewMessage) -> Res<ThreadMessage> {
    let message_id = message.id.as_uuid();
    let found = tx.only(&look_sql(), vec![id(message.conversation_id.as_uuid()), id(message_id)]).await?;
    if found.get::<i64>(0)? != 0 {
        return messages::one(&tx.only(&messages::one_sql(), vec![id(message_id)]).await?);
    }
    let conversation = found.opt_id(1)?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    message.conversation_id = ConversationId::from_uuid(conversation);
    // A conversation that the server refused to open takes no messages; they wait with it for a person.
    let refused = (found.get::<i64>(2)? != 0).then_some(RefusalCode::OpenRefused);
    let at = message.composed_at;
    let mutation = Mutation { id: mutation, intent: Intent::SendMessage(message.clone()) };
    let written = tx.last([
        record::recording(&mutation, refused.as_ref(), at)?,
        local(&message),
        derived::newest(&BTreeSet::from([conversation])),
        Bound::new(messages::one_sql(), vec![id(message_id)]),
    ]);
    messages::one(&written.await?)
}

/// Whether the message is here already, its conversation, and whether the server refused to open that.
pub(crate) fn look_sql() -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?2), c.id, c.server_id IS NULL AND EXISTS (
            SELECT 1 FROM outbox AS o WHERE o.conversation_id = c.id AND o.kind IN ('open_direct', 'open_broadcast')
                AND o.failed_code IS NOT NULL)
        FROM (SELECT 1) LEFT JOIN conversations AS c ON c.id = {CANONICAL}"
    )
}

/// The local echo of a message whose mutation is recorded: that gives it its place.
pub(crate) async fn insert_local(tx: &Tx, message: &NewMessage) -> Res<()> {
    local(message).run(tx).await.map(drop)
}

fn local(message: &NewMessage) -> Bound {
    let at = || time(message.composed_at);
    let values = vec![
        id(message.id.as_uuid()),
        id(message.conversation_id.as_uuid()),
        id(message.id.as_uuid()),
        id(message.sender_id.as_uuid()),
        text(message.kind.as_str()),
        text(message.content.as_str()),
        json::metadata(message.metadata.as_ref()),
        opt_id(message.reply_to.map(|id| id.as_uuid())),
        text(MessageStatus::Queued.as_str()),
        at(),
        at(),
        at(),
        int(UNTOLD),
    ];
    Bound::new(INSERT_LOCAL, values)
}

const INSERT_LOCAL: &str = "
INSERT INTO messages (id, conversation_id, position, sender_id, message_type, content, metadata, reply_to, status,
    composed_at, created_at, updated_at, version)
VALUES (?, ?, (SELECT o.position FROM outbox AS o WHERE o.message_id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
