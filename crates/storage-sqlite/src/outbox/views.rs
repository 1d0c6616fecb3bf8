//! The outbox as a person sees it.
//!
//! SQL by hand: what the server cannot do yet is said by the file itself.

use crate::{
    entity::{
        outbox::{Column, Entity, Model},
        outbox_counts,
        value::Id,
    },
    error::Res,
    mutations::record::Recorded,
    sql::{Tx, unsigned},
};
use fieldpost_domain::{
    Capability, ConversationId, Intent, MessageId, Mutation, MutationId, MutationKind, Refusal, RefusalCode, RetryCode,
    Undecodable,
};
use fieldpost_storage::{EntryState, OutboxCounts, OutboxEntry};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{CaseStatement, Expr, ExprTrait},
};
use uuid::Uuid;

pub(super) async fn counts(tx: &Tx) -> Res<OutboxCounts> {
    let counts = tx.find_one::<outbox_counts::Model>(&outbox_counts::Entity::find()).await?;
    let counts = counts.map(|kept| OutboxCounts { pending: unsigned(kept.pending), failed: unsigned(kept.failed) });
    Ok(counts.unwrap_or_default())
}

pub(super) async fn entries(tx: &Tx, limit: u32) -> Res<Vec<OutboxEntry>> {
    read(tx, all().limit(u64::from(limit))).await
}

/// One entry, by the mutation.
pub(super) async fn of_mutation(tx: &Tx, mutation: Uuid) -> Res<Option<OutboxEntry>> {
    Ok(read(tx, all().filter(Column::Id.eq(Id(mutation)))).await?.pop())
}

/// One entry, by the message that it sends.
pub(super) async fn of_message(tx: &Tx, message: Uuid) -> Res<Option<OutboxEntry>> {
    Ok(read(tx, all().filter(Column::MessageId.eq(Id(message)))).await?.pop())
}

/// The entries that change a message, oldest first.
pub(super) async fn of_target(tx: &Tx, message: Uuid) -> Res<Vec<OutboxEntry>> {
    read(tx, all().filter(Column::TargetId.eq(Id(message)))).await
}

/// Whether the server can do what an entry of `outbox` needs, as far as it has said.
pub(super) const CAN_BE_SENT: &str =
    "(needs IS NULL OR needs IN (SELECT value FROM json_each((SELECT capabilities FROM sync_state WHERE only = 1))))";

/// What a person waits for, in the order of recording.
fn all() -> Select<Entity> {
    Entity::find().filter(Column::Counts.eq(true)).order_by_asc(Column::Position)
}

async fn read(tx: &Tx, entries: Select<Entity>) -> Res<Vec<OutboxEntry>> {
    let lacking = CaseStatement::new().case(Expr::cust(CAN_BE_SENT).not(), Expr::col(Column::Needs));
    let rows = tx.rows(&entries.column_as(Expr::Case(Box::new(lacking)), LACKING)).await?;
    rows.iter().map(|row| Ok(entry(row.model()?, row.get(LACKING)?))).collect()
}

/// What an entry needs of the server and the server cannot do.
const LACKING: &str = "lacking";

fn entry(entry: Model, lacking: Option<String>) -> OutboxEntry {
    let read = Recorded::from(&entry).mutation();
    let content = match &read {
        Ok(Mutation { intent, .. }) => intent.text().map(str::to_owned),
        Err(_) => Intent::text_in(&entry.payload.0),
    };
    OutboxEntry {
        mutation_id: MutationId::from_uuid(entry.id.0),
        state: state(&entry, read.err(), lacking),
        kind: MutationKind::from(entry.kind.0),
        conversation_id: ConversationId::from_uuid(entry.conversation_id.0),
        message_id: entry.message_id.map(|id| MessageId::from_uuid(id.0)),
        target_id: entry.target_id.map(|id| MessageId::from_uuid(id.0)),
        content,
        recorded_at: entry.recorded_at.0,
    }
}

fn state(entry: &Model, unread: Option<Undecodable>, lacking: Option<String>) -> EntryState {
    let refused = entry
        .failed_code
        .clone()
        .map(|code| Refusal { code: RefusalCode::from(code), detail: entry.failed_detail.clone() });
    if let Some(refusal) = refused.or_else(|| unread.map(unreadable)) {
        return EntryState::Failed(refusal);
    }
    if entry.in_flight > 0 {
        return EntryState::Sending;
    }
    if let Some(needed) = lacking {
        return EntryState::NeedsServer(Capability::from(needed));
    }
    let retries = u32::try_from(unsigned(entry.retries)).unwrap_or(u32::MAX);
    EntryState::Queued { retries, last_retry: entry.last_retry.clone().map(RetryCode::from) }
}

fn unreadable(why: Undecodable) -> Refusal {
    Refusal { code: RefusalCode::Unreadable, detail: Some(why.to_string()) }
}
