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
    Changes, ConversationId, ConversationKind, DeleteMessage, Intent, MedicId, MessageContent, MessageId, MessageKind,
    Mutation, NewMessage, OrgId, Person, PersonId, RefusalCode, Seq, Time,
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

/// The own messages that were deleted and that the restored server has with their content.
pub(super) async fn forgotten_deletions(tx: &Tx, context: &PageContext, changes: &Changes) -> Res<Vec<DeleteMessage>> {
    let Some(viewer) = context.viewer.filter(|_| context.new_epoch) else { return Ok(Vec::new()) };
    let own = changes.messages.iter().filter(|row| row.deleted_at.is_none() && row.sender_id.as_uuid() == viewer);
    let own: Vec<_> = own.map(|row| Id(row.id.as_uuid())).collect();
    let mut forgotten = Vec::new();
    for these in own.chunks(AT_ONCE) {
        let deleted = Entity::find().filter(Column::Id.is_in(these.iter().copied()));
        let deleted = deleted.filter(Column::DeletedAt.is_not_null()).filter(Column::Base.is_null());
        forgotten.extend(tx.find::<Model>(&deleted).await?.into_iter().filter_map(|row| {
            Some(DeleteMessage {
                conversation_id: ConversationId::from_uuid(row.conversation_id.0),
                message_id: MessageId::from_uuid(row.id.0),
                deleted_at: row.deleted_at?.0,
            })
        }));
    }
    Ok(forgotten)
}

/// The most ids of one statement.
const AT_ONCE: usize = 500;

/// Queues deletions anew, of messages that are still here.
pub(super) async fn delete_again(tx: &Tx, ids: &dyn MutationIds, forgotten: Vec<DeleteMessage>, at: Time) -> Res<()> {
    for deletion in forgotten {
        if tx.finds(&Entity::find().filter(Column::Id.eq(Id(deletion.message_id.as_uuid())))).await? {
            let mutation = Mutation { id: ids.new_id(at), intent: Intent::DeleteMessage(deletion) };
            record::record(tx, mutation, None, at).await?;
        }
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
