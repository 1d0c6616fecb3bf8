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
    rows::{
        json,
        person::{self, PERSON},
    },
    sql::{Tx, id, int, seq},
};
use fieldpost_domain::{
    ConversationId, ConversationKind, Intent, MedicId, MessageContent, MessageId, MessageKind, Mutation, NewMessage,
    OrgId, Person, PersonId, RefusalCode, Seq,
};
use fieldpost_storage::{
    MutationIds,
    sight::{self, Place},
};
use uuid::Uuid;

/// What became of messages in a conversation that a first load after a change of epoch does not list, if there is anything
/// to say.
pub(super) async fn fate_of_unlisted(
    tx: &Tx,
    standing: &Standing,
    conversation: Uuid,
    me: Option<&Person>,
) -> Res<Option<RefusalCode>> {
    let sql = "SELECT org_id, type, medic_id FROM conversations WHERE id = ?";
    let Some(row) = tx.one(sql, vec![id(conversation)]).await? else { return Ok(None) };
    let (kind, medic_id) = (ConversationKind::from(row.get::<String>(1)?), row.opt_id(2)?.map(MedicId::from_uuid));
    let place = Place { org_id: OrgId::from_uuid(row.id(0)?), kind, medic_id };
    // What she is in the org of the conversation, which need not be the one that the server names first.
    let Some(me) = me else { return Ok(None) };
    let sql = format!("SELECT {PERSON} FROM people AS p WHERE p.id = ? AND p.org_id = ? AND p.confirmed >= ?");
    let row = tx.one(&sql, vec![id(me.id.as_uuid()), id(place.org_id.as_uuid()), int(standing.generation)]).await?;
    let there = row.map(|row| person::from_row(&row, 0)).transpose()?;
    Ok(sight::fate_of_unlisted(there.as_ref(), &place))
}

/// Removes what is of an older epoch, and says of what was lost what became of it. Below `from` nothing is lost: the server
/// may have it, and it comes back as history.
pub(super) async fn sweep(
    tx: &Tx,
    ids: &dyn MutationIds,
    standing: &Standing,
    conversation: Uuid,
    from: Seq,
    fate: Option<&RefusalCode>,
) -> Res<()> {
    let floor = int(standing.epoch.floor());
    let rows = tx.all(OLD, vec![id(conversation), seq(from), floor.clone()]).await?;
    let viewer = resolve::viewer(tx).await?;
    let own: Vec<_> = rows.iter().filter(|row| row.id(1).ok() == viewer).collect();
    let lost =
        own.into_iter().map(|row| Ok((as_composed(row)?, row.get::<Option<i64>>(8)?))).collect::<Res<Vec<_>>>()?;
    tx.run(REMOVE_OLD, vec![id(conversation), floor]).await?;
    for (message, waiting) in lost {
        let Some(message) = message else { continue };
        match (waiting, fate) {
            (Some(_), _) => {}
            (None, Some(fate)) => park(tx, ids, &message, fate).await?,
            (None, None) => continue,
        }
        insert_local(tx, &message).await?;
    }
    Ok(())
}

const OLD: &str = "
SELECT m.id, m.sender_id, m.conversation_id, m.message_type, m.content, m.metadata, m.reply_to,
    coalesce(m.composed_at, m.created_at), o.position, m.deleted_at, m.mentions
FROM messages AS m LEFT JOIN outbox AS o ON o.message_id = m.id
WHERE m.conversation_id = ? AND m.seq >= ? AND m.version < ? ORDER BY m.seq";

const REMOVE_OLD: &str = "DELETE FROM messages WHERE conversation_id = ? AND version < ? AND server_id IS NOT NULL";

async fn park(tx: &Tx, ids: &dyn MutationIds, message: &NewMessage, fate: &RefusalCode) -> Res<()> {
    let mutation = Mutation { id: ids.new_id(message.composed_at), intent: Intent::SendMessage(message.clone()) };
    record::record(tx, &mutation, Some(fate), message.composed_at).await
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
        metadata: json::shown_metadata(row.get(5)?)?.0,
        reply_to: row.opt_id(6)?.map(MessageId::from_uuid),
        mentions: json::read_mentions(row.get(10)?)?,
        composed_at: row.time(7)?,
    }))
}
