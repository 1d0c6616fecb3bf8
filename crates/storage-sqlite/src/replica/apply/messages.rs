//! Messages of a page.

use super::{
    Applied, Barred, deleted,
    news::{Here, note_new},
    unreadable,
};
use crate::{
    error::Res,
    overlay,
    replica::position::Standing,
    resolve,
    rows::json,
    sql::{IdSet, Insert, Tx, id, opt_id, opt_text, opt_time, seq, text, time},
};
use fieldpost_domain::{ConversationId, Message, UnreadableRow};
use fieldpost_storage::ChangeSet;
use sea_orm::Value;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

pub(super) async fn put(tx: &Tx, standing: &Standing, messages: Vec<Message>, applied: &mut Applied) -> Res<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let all = messages.len();
    let messages = readdress(tx, messages).await?;
    let ids: BTreeSet<Uuid> = messages.iter().map(|message| message.conversation_id.as_uuid()).collect();
    let set = IdSet::of(ids.iter().copied());
    let here = Here::read(tx, &set).await?;
    let messages = without_orphans(tx, messages, &here, &set, applied).await?;
    let orphans_and_left = all - messages.len();
    let messages = without_deleted(tx, standing, messages, &here).await?;
    let came = IdSet::of(messages.iter().map(|message| message.id.as_uuid()));
    if here.changes {
        overlay::lift(tx, &came).await?;
    }
    let changed = UPSERT.run(tx, &messages, |message, values| bind(message, standing, values)).await?;
    applied.count(all - orphans_and_left, changed);
    applied.report.new_messages += note_new(tx, &messages, &here).await?;
    if here.dead_letters && tx.run(HAS_ARRIVED, vec![came.bind(), opt_id(here.viewer)]).await? > 0 {
        tx.changed(ChangeSet::of_outbox()).await;
    }
    if here.changes {
        overlay::lay(tx, &came).await?;
    }
    applied.touched.extend(ids.into_iter().filter(|id| here.has(*id)));
    Ok(())
}

/// Dead letters that the server has all the same: refused or lost once, and sent from another device, or restored.
pub(crate) const HAS_ARRIVED: &str = "
DELETE FROM outbox WHERE failed_code IS NOT NULL AND message_id IN (
    SELECT m.id FROM json_each(?) AS j CROSS JOIN messages AS m ON m.id = unhex(j.value)
    WHERE m.seq IS NOT NULL AND m.sender_id = ?)";

/// A page may name a conversation by an id that has an alias by now.
async fn readdress(tx: &Tx, mut messages: Vec<Message>) -> Res<Vec<Message>> {
    let aliases: HashMap<Uuid, Uuid> = resolve::aliases(tx).await?;
    if !aliases.is_empty() {
        for message in &mut messages {
            if let Some(canonical) = aliases.get(&message.conversation_id.as_uuid()) {
                message.conversation_id = ConversationId::from_uuid(*canonical);
            }
        }
    }
    Ok(messages)
}

/// Messages of conversations that are not here: of those that left for a known reason they are stale, of others nobody knows
/// why they came, and they are kept aside.
async fn without_orphans(
    tx: &Tx,
    messages: Vec<Message>,
    here: &Here,
    conversations: &IdSet,
    applied: &mut Applied,
) -> Res<Vec<Message>> {
    let (homeless, messages): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| !here.has(message.conversation_id.as_uuid()));
    if homeless.is_empty() {
        return Ok(messages);
    }
    let barred = Barred::among(tx, conversations).await?;
    let (stale, orphans): (Vec<_>, Vec<_>) =
        homeless.into_iter().partition(|message| barred.has_left(message.conversation_id.as_uuid()));
    applied.report.stale += stale.len() as u64;
    unreadable::keep(tx, orphans.iter().map(orphan).collect(), applied).await?;
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
async fn without_deleted(tx: &Tx, standing: &Standing, mut messages: Vec<Message>, here: &Here) -> Res<Vec<Message>> {
    if here.tombstones {
        let ids = IdSet::of(messages.iter().map(|message| message.id.as_uuid()));
        let deleted = deleted(tx, &ids).await?;
        messages.retain(|message| {
            let version = standing.epoch.stored(message.version);
            deleted.get(&message.id.as_uuid()).is_none_or(|deleted| version > *deleted)
        });
    }
    Ok(messages)
}

fn bind(message: &Message, standing: &Standing, values: &mut Vec<Value>) {
    values.extend([
        id(message.id.as_uuid()),
        id(message.id.as_uuid()),
        id(message.conversation_id.as_uuid()),
        seq(message.seq),
        id(message.sender_id.as_uuid()),
        text(message.kind.as_str()),
        opt_text(message.content.as_deref()),
        json::metadata(message.metadata.as_ref()),
        opt_id(message.reply_to.map(|id| id.as_uuid())),
        json::mentions(&message.mentions),
        text(message.status.as_str()),
        opt_time(message.composed_at),
        time(message.created_at),
        time(message.updated_at),
        opt_time(message.edited_at),
        opt_time(message.deleted_at),
        json::omitted(message.omitted.as_ref()),
        standing.epoch.bind(message.version),
        json::extra(&message.extra),
    ]);
}

/// Of one version a row should say one thing. Where it does not, what the server says counts.
pub(crate) const UPSERT: Insert = Insert {
    head: "INSERT INTO messages (id, server_id, conversation_id, seq, sender_id, message_type, content, metadata, reply_to,
        mentions, status, composed_at, created_at, updated_at, edited_at, deleted_at, omitted, version, extra) VALUES",
    columns: 19,
    tail: "ON CONFLICT (id) DO UPDATE SET server_id = excluded.server_id, conversation_id = excluded.conversation_id,
            seq = excluded.seq, position = NULL, sender_id = excluded.sender_id, sender_name = NULL,
            message_type = excluded.message_type, content = excluded.content, metadata = excluded.metadata,
            reply_to = excluded.reply_to, mentions = excluded.mentions, status = excluded.status, composed_at = excluded.composed_at,
            created_at = excluded.created_at, updated_at = excluded.updated_at, edited_at = excluded.edited_at, deleted_at = excluded.deleted_at,
            omitted = excluded.omitted, version = excluded.version, extra = excluded.extra
        WHERE excluded.version > version OR (excluded.version = version
            AND (excluded.message_type, excluded.content, excluded.metadata, excluded.omitted, excluded.sender_id,
                excluded.reply_to, excluded.mentions, excluded.deleted_at)
                IS NOT (message_type, content, metadata, omitted, sender_id, reply_to, mentions, deleted_at))",
};
