//! What a person decides about what waits: send it again, send something else, take it back.
//!
//! SQL by hand: positions are SQLite's own count, in a table of its own.

use crate::{
    derived,
    entity::{
        conversations, messages,
        outbox::{Column, Entity, Model},
        value::{Id, Micros},
    },
    error::{Fault, Res},
    mutations::{
        overlay, park,
        record::{self, Recorded},
        settings,
    },
    outbox::views,
    resolve,
    sql::{Tx, id},
};
use fieldpost_domain::{Intent, MessageContent, MutationId, RefusalCode, Time};
use fieldpost_storage::{ChangeSet, NotPossible, OutboxEntry, StorageErrorKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr};
use std::collections::BTreeSet;
use uuid::Uuid;

/// An entry, as much of it as deciding needs.
struct Waiting {
    id: Uuid,
    lane: Uuid,
    message: Option<Uuid>,
    target: Option<Uuid>,
    opens: bool,
    keeps: bool,
    failed: bool,
    in_flight: bool,
    /// None if this version cannot read it.
    intent: Option<Intent>,
}

pub(super) async fn retry(tx: &Tx, mutation: MutationId, at: Time) -> Res<OutboxEntry> {
    let entry = find(tx, mutation).await?;
    tx.changed(ChangeSet::of_outbox()).await;
    if entry.failed {
        check_sendable(tx, &entry).await?;
        for again in going_together(tx, &entry).await? {
            queue_again(tx, again, at).await?;
        }
        overlay::rebuild(tx, overlay::targets_of_lane(tx, entry.lane).await?).await?;
        settings::rebuild(tx, &BTreeSet::from([entry.lane])).await?;
        derived::refresh(tx, &BTreeSet::from([entry.lane])).await?;
    }
    views::of_mutation(tx, entry.id).await?.ok_or_else(not_found)
}

pub(super) async fn edit(tx: &Tx, mutation: MutationId, content: MessageContent, at: Time) -> Res<OutboxEntry> {
    let entry = find(tx, mutation).await?;
    // What cannot be read may have a text: then it says so below.
    if entry.intent.as_ref().is_some_and(|intent| intent.text().is_none()) {
        return Err(not_possible(NotPossible::NoMessage));
    }
    // Of a dead letter too: should the server have it, under this id, the new text would be taken for the old.
    if entry.in_flight {
        return Err(Fault::kind(StorageErrorKind::OutcomeUnknown));
    }
    if entry.failed {
        check_sendable(tx, &entry).await?;
    }
    let Some(mut intent) = entry.intent else { return Err(not_possible(NotPossible::Unreadable)) };
    let shown = content.as_str().to_owned();
    intent.set_text(content);
    record::rewrite(tx, mutation, &intent).await?;
    if let Some(message) = entry.message {
        let echo = messages::Entity::update_many()
            .col_expr(messages::Column::Content, Expr::value(shown))
            .filter(messages::Column::Id.eq(Id(message)))
            .filter(messages::Column::Seq.is_null());
        tx.execute(&echo).await?;
    }
    overlay::rebuild(tx, entry.target.into_iter().collect()).await?;
    derived::refresh_newest(tx, &BTreeSet::from([entry.lane])).await?;
    retry(tx, mutation, at).await
}

pub(super) async fn cancel(tx: &Tx, mutation: MutationId) -> Res<Vec<OutboxEntry>> {
    let entry = find(tx, mutation).await?;
    if !entry.keeps {
        return Err(not_possible(NotPossible::AlreadyRead));
    }
    let here_alone =
        conversations::Entity::find_by_id(Id(entry.lane)).filter(conversations::Column::ServerId.is_null());
    let whole = entry.opens && tx.finds(&here_alone).await?;
    let leaving = if whole { lane(tx, entry.lane).await? } else { with_dependent(tx, &entry).await? };
    let these = Column::Id.is_in(leaving.iter().copied().map(Id));
    let on_their_way = Entity::find().filter(these.clone()).filter(Column::FailedCode.is_null());
    if tx.finds(&on_their_way.filter(Column::InFlight.gt(0_i64))).await? {
        return Err(Fault::kind(StorageErrorKind::OutcomeUnknown));
    }
    let mut left = Vec::with_capacity(leaving.len());
    for mutation in leaving {
        left.extend(views::of_mutation(tx, mutation).await?);
    }
    tx.changed(ChangeSet::of_outbox()).await;
    let targets = if whole { BTreeSet::new() } else { entry.target.into_iter().collect() };
    let echoes = messages::Entity::delete_many().filter(messages::Column::ServerId.is_null());
    let echoes = echoes.filter(messages::Column::Seq.is_null());
    let sent = Entity::find().select_only().column(Column::MessageId).filter(these.clone());
    tx.execute(&echoes.filter(messages::Column::Id.in_subquery(sent.into_query()))).await?;
    tx.execute(&Entity::delete_many().filter(these)).await?;
    overlay::rebuild(tx, targets).await?;
    settings::rebuild(tx, &BTreeSet::from([entry.lane])).await?;
    if whole {
        park::purge(tx, entry.lane, &RefusalCode::OpenRefused).await?;
    }
    derived::refresh(tx, &BTreeSet::from([entry.lane])).await?;
    Ok(left)
}

/// An entry, and what was queued behind the message that it sends, if the server never had that.
async fn with_dependent(tx: &Tx, entry: &Waiting) -> Res<Vec<Uuid>> {
    let mut leaving = vec![entry.id];
    let Some(message) = entry.message else { return Ok(leaving) };
    let unsent = messages::Entity::find().filter(messages::Column::Id.eq(Id(message)));
    let unsent = unsent.filter(messages::Column::ServerId.is_null()).filter(messages::Column::Seq.is_null());
    if tx.finds(&unsent).await? {
        let behind = Entity::find().filter(Column::TargetId.eq(Id(message))).order_by_asc(Column::Position);
        leaving.extend(ids(tx.find(&behind).await?));
    }
    Ok(leaving)
}

fn not_found() -> Fault {
    Fault::kind(StorageErrorKind::NotFound)
}

pub(super) fn not_possible(why: NotPossible) -> Fault {
    Fault::kind(StorageErrorKind::NotApplicable(why))
}

async fn find(tx: &Tx, mutation: MutationId) -> Res<Waiting> {
    let entry = Entity::find().filter(Column::Id.eq(Id(mutation.as_uuid())));
    tx.find_one::<Model>(&entry).await?.map(Waiting::from).ok_or_else(not_found)
}

impl From<Model> for Waiting {
    fn from(entry: Model) -> Self {
        Self {
            id: entry.id.0,
            lane: entry.conversation_id.0,
            message: entry.message_id.map(|id| id.0),
            target: entry.target_id.map(|id| id.0),
            opens: entry.opens,
            keeps: entry.keeps,
            failed: entry.failed_code.is_some(),
            in_flight: entry.in_flight > 0,
            intent: Recorded::from(&entry).mutation().ok().map(|mutation| mutation.intent),
        }
    }
}

async fn check_sendable(tx: &Tx, entry: &Waiting) -> Res<()> {
    let Some(intent) = &entry.intent else { return Err(not_possible(NotPossible::Unreadable)) };
    let viewer = resolve::viewer(tx).await?;
    if matches!(intent, Intent::SendMessage(message) if Some(message.sender_id.as_uuid()) != viewer) {
        return Err(not_possible(NotPossible::AnotherPersons));
    }
    if !tx.finds(&conversations::Entity::find_by_id(Id(entry.lane))).await? {
        return Err(not_possible(NotPossible::ConversationGone));
    }
    if let Some(target) = entry.target
        && !tx.finds(&messages::Entity::find().filter(messages::Column::Id.eq(Id(target)))).await?
    {
        return Err(not_possible(NotPossible::MessageGone));
    }
    Ok(())
}

/// The dead letters that are sent again with this one, in their order.
async fn going_together(tx: &Tx, entry: &Waiting) -> Res<Vec<Uuid>> {
    let parked = of_lane(entry.lane).filter(Column::FailedCode.is_not_null());
    if !tx.finds(&parked.clone().filter(Column::Opens.eq(true))).await? {
        return Ok(vec![entry.id]);
    }
    Ok(ids(tx.find(&parked).await?))
}

async fn lane(tx: &Tx, lane: Uuid) -> Res<Vec<Uuid>> {
    Ok(ids(tx.find(&of_lane(lane)).await?))
}

fn of_lane(lane: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::ConversationId.eq(Id(lane))).order_by_asc(Column::Position)
}

fn ids(entries: Vec<Model>) -> Vec<Uuid> {
    entries.into_iter().map(|entry| entry.id.0).collect()
}

/// Moves a dead letter to the end of the outbox, and its message to the end of its thread.
async fn queue_again(tx: &Tx, mutation: Uuid, at: Time) -> Res<()> {
    let waits = Entity::update_many()
        .col_expr(Column::FailedCode, Expr::value(None::<String>))
        .col_expr(Column::FailedDetail, Expr::value(None::<String>))
        .col_expr(Column::Retries, Expr::value(0_i64))
        .col_expr(Column::LastRetry, Expr::value(None::<String>))
        .col_expr(Column::RecordedAt, Expr::value(Micros(at)))
        .filter(Column::Id.eq(Id(mutation)));
    tx.execute(&waits).await?;
    for sql in QUEUE_AGAIN {
        tx.run(sql, vec![id(mutation)]).await?;
    }
    Ok(())
}

/// The table counts positions up and never uses one twice; the next is one above the highest there ever was.
const QUEUE_AGAIN: [&str; 3] = [
    "UPDATE outbox SET position = 1 + (SELECT seq FROM sqlite_sequence WHERE name = 'outbox') WHERE id = ?",
    "UPDATE sqlite_sequence SET seq = (SELECT position FROM outbox WHERE id = ?) WHERE name = 'outbox'",
    "UPDATE messages SET position = o.position FROM outbox AS o
        WHERE o.id = ? AND messages.id = o.message_id AND messages.position IS NOT NULL",
];
