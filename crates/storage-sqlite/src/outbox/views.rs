//! The outbox as a person sees it.

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
    ConversationId, Intent, MessageId, Mutation, MutationId, MutationKind, Refusal, RefusalCode, RetryCode, Undecodable,
};
use fieldpost_storage::{EntryState, OutboxCounts, OutboxEntry};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

pub(super) async fn counts(tx: &Tx) -> Res<OutboxCounts> {
    let counts = tx.find_one::<outbox_counts::Model>(&outbox_counts::Entity::find()).await?;
    let counts = counts.map(|kept| OutboxCounts { pending: unsigned(kept.pending), failed: unsigned(kept.failed) });
    Ok(counts.unwrap_or_default())
}

pub(super) async fn entries(tx: &Tx, limit: u32) -> Res<Vec<OutboxEntry>> {
    let entries = Entity::find().order_by_asc(Column::Position).limit(u64::from(limit));
    Ok(tx.find::<Model>(&entries).await?.into_iter().map(OutboxEntry::from).collect())
}

/// One entry, by the mutation.
pub(super) async fn of_mutation(tx: &Tx, mutation: Uuid) -> Res<Option<OutboxEntry>> {
    let entry = tx.find_one::<Model>(&Entity::find().filter(Column::Id.eq(Id(mutation)))).await?;
    Ok(entry.map(OutboxEntry::from))
}

/// One entry, by the message that it sends.
pub(super) async fn of_message(tx: &Tx, message: Uuid) -> Res<Option<OutboxEntry>> {
    let entry = tx.find_one::<Model>(&Entity::find().filter(Column::MessageId.eq(Id(message)))).await?;
    Ok(entry.map(OutboxEntry::from))
}

impl From<Model> for OutboxEntry {
    fn from(entry: Model) -> Self {
        let read = Recorded::from(&entry).mutation();
        let content = match &read {
            Ok(Mutation { intent, .. }) => intent.text().map(str::to_owned),
            Err(_) => Intent::text_in(&entry.payload.0),
        };
        Self {
            mutation_id: MutationId::from_uuid(entry.id.0),
            state: state(&entry, read.err()),
            kind: MutationKind::from(entry.kind.0),
            conversation_id: ConversationId::from_uuid(entry.conversation_id.0),
            message_id: entry.message_id.map(|id| MessageId::from_uuid(id.0)),
            target_id: entry.target_id.map(|id| MessageId::from_uuid(id.0)),
            content,
            recorded_at: entry.recorded_at.0,
        }
    }
}

fn state(entry: &Model, unread: Option<Undecodable>) -> EntryState {
    let refused = entry
        .failed_code
        .clone()
        .map(|code| Refusal { code: RefusalCode::from(code), detail: entry.failed_detail.clone() });
    if let Some(refusal) = refused.or_else(|| unread.map(unreadable)) {
        return EntryState::Failed(refusal);
    }
    if entry.unanswered > 0 {
        return EntryState::Sending;
    }
    let retries = u32::try_from(unsigned(entry.retries)).unwrap_or(u32::MAX);
    EntryState::Queued { retries, last_retry: entry.last_retry.clone().map(RetryCode::from) }
}

/// The code of dead letters that this version cannot read. A version that can takes them up again when it opens the file.
pub(crate) const UNREADABLE: &str = "unreadable";

fn unreadable(why: Undecodable) -> Refusal {
    Refusal { code: RefusalCode::from(UNREADABLE), detail: Some(why.to_string()) }
}
