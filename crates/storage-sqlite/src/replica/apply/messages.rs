//! Messages of a page.
//!
//! SQL by hand: sets of rows (`apply`).

use super::{
    applied::Applied,
    excluded::{Excluded, deleted},
    news::{Here, note_new},
    reactions, unreadable,
};
use crate::{
    entity::messages::{Column as M, Entity},
    error::Res,
    hot::{Plan, hot},
    mutations::overlay,
    replica::context::PageContext,
    rows::json,
    sql::{Field, IdSet, Insert, Tx, excluded, id, names, opt_id, opt_text, opt_time, seq, set_excluded, text, time},
};
use fieldpost_domain::{ConversationId, Message, UnreadableRow};
use fieldpost_storage::ChangeSet;
use std::{collections::BTreeSet, sync::LazyLock};
use uuid::Uuid;

pub(super) async fn put(tx: &Tx, context: &PageContext, mut messages: Vec<Message>, applied: &mut Applied) -> Res<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let all = messages.len();
    // A page may name a conversation by an id that has an alias by now.
    for message in &mut messages {
        let canonical = context.aliases.canonical(message.conversation_id.as_uuid());
        message.conversation_id = ConversationId::from_uuid(canonical);
    }
    let ids: BTreeSet<Uuid> = messages.iter().map(|message| message.conversation_id.as_uuid()).collect();
    let set = IdSet::of(ids.iter().copied());
    let here = Here::read(tx, context, &set).await?;
    let messages = without_orphans(tx, context, messages, &here, &set, applied).await?;
    let orphans_and_left = all - messages.len();
    let messages = without_deleted(tx, context, messages, &here).await?;
    let came = IdSet::of(messages.iter().map(|message| message.id.as_uuid()));
    if here.tombstones {
        tx.run(&IS_BACK, vec![came.bind()]).await?;
    }
    if here.changes {
        overlay::lift(tx, &came).await?;
    }
    let changed = UPSERT.run(tx, &messages, context).await?;
    let deleted = messages.iter().filter(|message| message.deleted_at.is_some());
    let deleted = IdSet::of(deleted.map(|message| message.id.as_uuid()));
    if !deleted.is_empty() {
        reactions::drop_of(tx, &deleted).await?;
    }
    applied.count(all - orphans_and_left, changed);
    applied.report.new_messages += note_new(tx, &messages, &here, applied).await?;
    if here.dead_letters && tx.run(&HAS_ARRIVED, vec![came.bind(), opt_id(context.viewer)]).await? > 0 {
        tx.changed(ChangeSet::of_outbox()).await;
    }
    if here.changes {
        overlay::lay(tx, &came).await?;
    }
    applied.touched.extend(ids.into_iter().filter(|id| here.has(*id)));
    Ok(())
}

hot! {
    /// Deletions of messages that have come back, because a policy shows them again. Once such a message leaves this device,
    /// nothing is known of its seq.
    IS_BACK: "deletions that are over", Plan::Bounded,
        "DELETE FROM tombstones WHERE id IN (SELECT unhex(value) FROM json_each(?))";

    /// Dead letters that the server has all the same: refused or lost once, and sent from another device, or restored.
    HAS_ARRIVED: "dead letters that have arrived", Plan::Bounded,
        "DELETE FROM outbox WHERE failed_code IS NOT NULL AND message_id IN (
            SELECT m.id FROM json_each(?) AS j CROSS JOIN messages AS m ON m.id = unhex(j.value)
            WHERE m.seq IS NOT NULL AND m.sender_id = ?)";
}

/// Messages of conversations that are not here: of those that left for a known reason they are stale, of others nobody knows
/// why they came, and they are kept aside.
async fn without_orphans(
    tx: &Tx,
    context: &PageContext,
    messages: Vec<Message>,
    here: &Here,
    conversations: &IdSet,
    applied: &mut Applied,
) -> Res<Vec<Message>> {
    let (unplaced, messages): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| !here.has(message.conversation_id.as_uuid()));
    if unplaced.is_empty() {
        return Ok(messages);
    }
    let excluded = Excluded::among(tx, conversations).await?;
    let (stale, orphans): (Vec<_>, Vec<_>) =
        unplaced.into_iter().partition(|message| excluded.has_left(message.conversation_id.as_uuid()));
    applied.report.stale += stale.len() as u64;
    unreadable::keep(tx, context, orphans.iter().map(orphan).collect(), applied).await?;
    Ok(messages)
}

fn orphan(message: &Message) -> UnreadableRow {
    UnreadableRow {
        list: "messages".to_owned(),
        payload: serde_json::to_string(message).unwrap_or_default(),
        reason: "its conversation is not here".to_owned(),
    }
}

/// Without those that were deleted for good, unless they are newer than that.
async fn without_deleted(tx: &Tx, context: &PageContext, mut messages: Vec<Message>, here: &Here) -> Res<Vec<Message>> {
    if here.tombstones {
        let ids = IdSet::of(messages.iter().map(|message| message.id.as_uuid()));
        let deleted = deleted(tx, &ids).await?;
        messages.retain(|message| {
            let version = context.epoch.stored(message.version);
            deleted.get(&message.id.as_uuid()).is_none_or(|deleted| version > *deleted)
        });
    }
    Ok(messages)
}

/// The columns of a message that the server tells, with their values.
const COLUMNS: [Field<Entity, Message, PageContext>; 19] = [
    (M::Id, |message, _| id(message.id.as_uuid())),
    (M::ServerId, |message, _| id(message.id.as_uuid())),
    (M::ConversationId, |message, _| id(message.conversation_id.as_uuid())),
    (M::Seq, |message, _| seq(message.seq)),
    (M::SenderId, |message, _| id(message.sender_id.as_uuid())),
    (M::MessageType, |message, _| text(message.kind.as_str())),
    (M::Content, |message, _| opt_text(message.content.as_deref())),
    (M::Metadata, |message, _| json::metadata(message.metadata.as_ref())),
    (M::ReplyTo, |message, _| opt_id(message.reply_to.map(|id| id.as_uuid()))),
    (M::Mentions, |message, _| json::mentions(&message.mentions)),
    (M::Status, |message, _| text(message.status.as_str())),
    (M::ComposedAt, |message, _| opt_time(message.composed_at)),
    (M::CreatedAt, |message, _| time(message.created_at)),
    (M::UpdatedAt, |message, _| time(message.updated_at)),
    (M::EditedAt, |message, _| opt_time(message.edited_at)),
    (M::DeletedAt, |message, _| opt_time(message.deleted_at)),
    (M::Omitted, |message, _| json::omitted(message.omitted.as_ref())),
    (M::Version, |message, context| context.epoch.bind(message.version)),
    (M::Extra, |message, _| json::extra(&message.extra)),
];

static UPSERT: LazyLock<Insert<Message, PageContext>> = LazyLock::new(|| Insert::into::<Entity>(&COLUMNS, upsert()));

/// Of one version a row should say one thing. Where it does not, what the server says counts.
fn upsert() -> String {
    use M::{Content, DeletedAt, Id, Mentions, MessageType, Metadata, Omitted, ReplyTo, SenderId};
    let columns: Vec<_> = COLUMNS.iter().map(|(column, _)| *column).filter(|column| !matches!(column, Id)).collect();
    let said = [MessageType, Content, Metadata, Omitted, SenderId, ReplyTo, Mentions, DeletedAt];
    format!(
        "ON CONFLICT (id) DO UPDATE SET {}, position = NULL, sender_name = NULL
        WHERE excluded.version > version OR (excluded.version = version AND ({}) IS NOT ({}))",
        set_excluded(&columns),
        excluded(&said),
        names(&said),
    )
}
