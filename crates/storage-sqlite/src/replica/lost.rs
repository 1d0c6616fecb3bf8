//! Messages that the server had, and after it was restored from an older state has no longer.
//!
//! A message of somebody else is their device's business. One that the signed-in person wrote, and was told had arrived,
//! must not vanish in silence: it becomes a dead letter that says so and can be sent again. If its send is still in the
//! outbox (the answer never came), it goes on waiting there.

use crate::{
    error::Res,
    outbox::{record, send::insert_local},
    replica::position::Standing,
    resolve,
    row::Row,
    rows::json,
    sql::{Tx, id, int, seq},
};
use fieldpost_domain::{
    ConversationId, Intent, MessageContent, MessageId, MessageKind, Mutation, MutationId, NewMessage, PersonId,
    RefusalCode, Seq,
};
use uuid::Uuid;

/// Removes what is of an older epoch. Below `from` nothing is lost: the server may have it, and it comes back as history.
pub(super) async fn sweep(tx: &Tx, standing: &Standing, conversation: Uuid, from: Seq) -> Res<()> {
    let floor = int(standing.epoch.floor());
    let rows = tx.all(OLD, vec![id(conversation), seq(from), floor.clone()]).await?;
    let viewer = resolve::viewer(tx).await?;
    let own: Vec<_> = rows.iter().filter(|row| row.id(1).ok() == viewer).collect();
    let lost =
        own.into_iter().map(|row| Ok((as_composed(row)?, row.get::<Option<i64>>(8)?))).collect::<Res<Vec<_>>>()?;
    tx.run(REMOVE_OLD, vec![id(conversation), floor]).await?;
    for (message, waiting) in lost {
        let Some(message) = message else { continue };
        if waiting.is_none() {
            park(tx, &message).await?;
        }
        insert_local(tx, &message).await?;
    }
    Ok(())
}

const OLD: &str = "
SELECT m.id, m.sender_id, m.conversation_id, m.message_type, m.content, m.metadata, m.reply_to,
    coalesce(m.composed_at, m.created_at), o.position, m.deleted_at
FROM messages AS m LEFT JOIN outbox AS o ON o.message_id = m.id
WHERE m.conversation_id = ? AND m.seq >= ? AND m.version < ? ORDER BY m.seq";

const REMOVE_OLD: &str = "DELETE FROM messages WHERE conversation_id = ? AND version < ? AND server_id IS NOT NULL";

async fn park(tx: &Tx, message: &NewMessage) -> Res<()> {
    // There is at most one send of a message, so its id serves for the mutation too.
    let id = MutationId::from_uuid(message.id.as_uuid());
    let mutation = Mutation { id, intent: Intent::SendMessage(message.clone()) };
    record::record(tx, &mutation, Some(&RefusalCode::LostByServer), message.composed_at).await
}

/// What its author once composed, if it can be sent again.
fn as_composed(row: &Row) -> Res<Option<NewMessage>> {
    let kind = MessageKind::from(row.get::<String>(3)?);
    let content = row.get::<Option<String>>(4)?.and_then(|text| MessageContent::new(&text).ok());
    let deleted = row.get::<Option<i64>>(9)?.is_some();
    let Some(content) = content.filter(|_| !deleted && kind != MessageKind::System) else { return Ok(None) };
    Ok(Some(NewMessage {
        id: MessageId::from_uuid(row.id(0)?),
        conversation_id: ConversationId::from_uuid(row.id(2)?),
        sender_id: PersonId::from_uuid(row.id(1)?),
        kind,
        content,
        metadata: json::read_metadata(row.get(5)?)?,
        reply_to: row.opt_id(6)?.map(MessageId::from_uuid),
        composed_at: row.time(7)?,
    }))
}
