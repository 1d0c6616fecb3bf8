//! Sending a message: the local echo, its mutation and the conversation, in one transaction.

use crate::{
    derived,
    error::{Fault, Res},
    messages,
    outbox::record,
    resolve,
    rows::json,
    sql::{Tx, id, int, opt_id, text, time},
    version::UNTOLD,
};
use fieldpost_domain::{ConversationId, Intent, MessageStatus, Mutation, MutationId, NewMessage, RefusalCode};
use fieldpost_storage::ThreadMessage;
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn send(tx: &Tx, mutation: MutationId, mut message: NewMessage) -> Res<ThreadMessage> {
    let message_id = message.id.as_uuid();
    if let Some(already) = messages::by_id(tx, message_id).await? {
        return Ok(already);
    }
    let conversation = resolve::existing(tx, message.conversation_id).await?;
    message.conversation_id = ConversationId::from_uuid(conversation);
    let refused = open_is_refused(tx, conversation).await?.then_some(RefusalCode::OpenRefused);
    let at = message.composed_at;
    let mutation = Mutation { id: mutation, intent: Intent::SendMessage(message.clone()) };
    let position = record::record(tx, &mutation, refused.as_ref(), at).await?;
    insert_local(tx, &message, position).await?;
    derived::refresh_newest(tx, &BTreeSet::from([conversation])).await?;
    messages::by_id(tx, message_id).await?.ok_or_else(|| Fault::corrupt("a message that was just written is not here"))
}

/// A conversation that the server refused to open takes no messages; they wait with it for a person.
async fn open_is_refused(tx: &Tx, conversation: Uuid) -> Res<bool> {
    let sql = "SELECT 1 FROM conversations AS c JOIN outbox AS o ON o.conversation_id = c.id
        WHERE c.id = ? AND c.server_id IS NULL AND o.kind IN ('open_direct', 'open_broadcast')
            AND o.failed_code IS NOT NULL";
    Ok(tx.one(sql, vec![id(conversation)]).await?.is_some())
}

/// The local echo.
pub(crate) async fn insert_local(tx: &Tx, message: &NewMessage, position: i64) -> Res<()> {
    let at = || time(message.composed_at);
    let values = vec![
        id(message.id.as_uuid()),
        id(message.conversation_id.as_uuid()),
        int(position),
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
    tx.run(INSERT_LOCAL, values).await.map(drop)
}

const INSERT_LOCAL: &str = "
INSERT INTO messages (id, conversation_id, position, sender_id, message_type, content, metadata, reply_to, status,
    composed_at, created_at, updated_at, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
