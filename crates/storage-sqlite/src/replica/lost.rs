//! Messages that the server had, and after it was restored from an older state has no longer.
//!
//! A message of somebody else is their device's business. One that the signed-in person wrote, and was told had arrived,
//! must not vanish in silence: it becomes a dead letter that says so and can be sent again. If its send is still in the
//! outbox (the answer never came), it goes on waiting there.

use crate::{
    entity::{
        conversations,
        messages::{Column, Entity, Model},
        outbox, people,
        value::Id,
    },
    error::Res,
    mutations::{echo::insert_local, record},
    replica::context::PageContext,
    rows::json,
    sql::{Tx, signed},
};
use fieldpost_domain::{
    ConversationId, ConversationKind, Intent, MedicId, MessageContent, MessageId, MessageKind, Mutation, NewMessage,
    OrgId, Person, PersonId, RefusalCode, Seq,
};
use fieldpost_storage::{
    MutationIds,
    visibility::{self, Place},
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

/// What became of messages in a conversation that a first load after a change of epoch does not list, if there is anything
/// to say.
pub(super) async fn fate_of_unlisted(
    tx: &Tx,
    context: &PageContext,
    conversation: Uuid,
    me: Option<&Person>,
) -> Res<Option<RefusalCode>> {
    let conversation = conversations::Entity::find_by_id(Id(conversation));
    let Some(row) = tx.find_one::<conversations::Model>(&conversation).await? else { return Ok(None) };
    let place = Place {
        org_id: OrgId::from_uuid(row.org_id.0),
        kind: ConversationKind::from(row.kind),
        medic_id: row.medic_id.map(|id| MedicId::from_uuid(id.0)),
    };
    // What she is in the org of the conversation, which need not be the one that the server names first.
    let Some(me) = me else { return Ok(None) };
    let there = people::Entity::find_by_id((Id(me.id.as_uuid()), row.org_id));
    let there = there.filter(people::Column::Confirmed.gte(context.generation));
    let there = tx.find_one::<people::Model>(&there).await?.map(Person::try_from).transpose()?;
    Ok(visibility::fate_of_unlisted(there.as_ref(), &place))
}

/// Removes what is of an older epoch, and says of what was lost what became of it. Below `from` nothing is lost: the server
/// may have it, and it comes back as history.
pub(super) async fn sweep(
    tx: &Tx,
    ids: &dyn MutationIds,
    context: &PageContext,
    conversation: Uuid,
    from: Seq,
    fate: Option<&RefusalCode>,
) -> Res<()> {
    let floor = context.epoch.floor();
    let older = Column::ConversationId.eq(Id(conversation)).and(Column::Version.lt(floor));
    let own = Entity::find()
        .filter(older.clone())
        .filter(Column::Seq.gte(signed(from.get())))
        .filter(Column::SenderId.eq(context.viewer.map(Id)));
    let own = tx.find::<Model>(&own.order_by_asc(Column::Seq)).await?;
    tx.execute(&Entity::delete_many().filter(older).filter(Column::ServerId.is_not_null())).await?;
    for row in own {
        let Some(message) = as_composed(row)? else { continue };
        let waits = outbox::Entity::find().filter(outbox::Column::MessageId.eq(Id(message.id.as_uuid())));
        match (tx.finds(&waits).await?, fate) {
            (true, _) => {}
            (false, Some(fate)) => park(tx, ids, &message, fate).await?,
            (false, None) => continue,
        }
        insert_local(tx, &message).await?;
    }
    Ok(())
}

async fn park(tx: &Tx, ids: &dyn MutationIds, message: &NewMessage, fate: &RefusalCode) -> Res<()> {
    let id = ids.new_id(message.composed_at);
    let mutation = Mutation { id, intent: Intent::SendMessage(message.clone()) };
    record::record(tx, mutation, Some(fate.clone()), message.composed_at).await
}

/// What its author once composed, if it can be sent again.
fn as_composed(row: Model) -> Res<Option<NewMessage>> {
    let kind = MessageKind::from(row.message_type);
    let content = row.content.and_then(|text| MessageContent::new(&text).ok());
    let again = row.deleted_at.is_none() && kind != MessageKind::System;
    let Some(content) = content.filter(|_| again) else { return Ok(None) };
    Ok(Some(NewMessage {
        id: MessageId::from_uuid(row.id.0),
        conversation_id: ConversationId::from_uuid(row.conversation_id.0),
        sender_id: PersonId::from_uuid(row.sender_id.0),
        kind,
        content,
        metadata: json::shown_metadata(row.metadata)?.0,
        reply_to: row.reply_to.map(|id| MessageId::from_uuid(id.0)),
        mentions: json::read_mentions(row.mentions)?,
        composed_at: row.composed_at.unwrap_or(row.created_at).0,
    }))
}
