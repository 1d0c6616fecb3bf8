//! The outbox as a person sees it.

use crate::{
    error::Res,
    outbox::record::intent,
    row::Row,
    rows::message::refusal,
    sql::{Tx, id, int},
};
use fieldpost_domain::{
    Capability, ConversationId, Intent, MessageId, MutationId, MutationKind, Refusal, RefusalCode, RetryCode,
    Undecodable,
};
use fieldpost_storage::{EntryState, OutboxCounts, OutboxEntry};
use uuid::Uuid;

pub(crate) const COUNTS: &str = "SELECT count(*), count(failed_code) FROM outbox";

pub(super) async fn counts(tx: &Tx) -> Res<OutboxCounts> {
    let row = tx.one(COUNTS, vec![]).await?;
    let Some(row) = row else { return Ok(OutboxCounts::default()) };
    let (all, failed) = (row.count(0)?, row.count(1)?);
    Ok(OutboxCounts { pending: all - failed, failed })
}

pub(super) async fn entries(tx: &Tx, limit: u32) -> Res<Vec<OutboxEntry>> {
    let sql = format!("{SELECT} ORDER BY position LIMIT 0 + ?");
    tx.all(&sql, vec![int(limit.into())]).await?.iter().map(entry).collect()
}

/// One entry, by the mutation.
pub(super) async fn of_mutation(tx: &Tx, mutation: Uuid) -> Res<Option<OutboxEntry>> {
    tx.one(&format!("{SELECT} WHERE id = ?"), vec![id(mutation)]).await?.as_ref().map(entry).transpose()
}

/// One entry, by the message that it sends.
pub(super) async fn of_message(tx: &Tx, message: Uuid) -> Res<Option<OutboxEntry>> {
    tx.one(&format!("{SELECT} WHERE message_id = ?"), vec![id(message)]).await?.as_ref().map(entry).transpose()
}

/// The entries that change a message, oldest first.
pub(super) async fn of_target(tx: &Tx, message: Uuid) -> Res<Vec<OutboxEntry>> {
    let sql = format!("{SELECT} WHERE target_id = ? ORDER BY position");
    tx.all(&sql, vec![id(message)]).await?.iter().map(entry).collect()
}

/// Whether the server can do what an entry of `outbox` needs, as far as it has said.
macro_rules! can_be_sent {
    () => {
        "(needs IS NULL OR needs IN (SELECT value FROM json_each((SELECT capabilities FROM sync_state WHERE only = 1))))"
    };
}
pub(super) use can_be_sent;

const SELECT: &str = concat!(
    "SELECT id, kind, conversation_id, target_id, payload, retries, last_retry, recorded_at, failed_code, failed_detail,
    unanswered, message_id, CASE WHEN NOT ",
    can_be_sent!(),
    " THEN needs END FROM outbox"
);

fn entry(row: &Row) -> Res<OutboxEntry> {
    let kind = row.text_if_any(1);
    let conversation_id = ConversationId::from_uuid(row.id(2)?);
    let intent = intent(row)?;
    let failure = refusal(row, 8)?.or_else(|| intent.as_ref().err().copied().map(unreadable));
    Ok(OutboxEntry {
        mutation_id: MutationId::from_uuid(row.id(0)?),
        kind: MutationKind::from(kind),
        conversation_id,
        message_id: row.opt_id(11)?.map(MessageId::from_uuid),
        target_id: row.opt_id(3)?.map(MessageId::from_uuid),
        content: intent
            .map_or_else(|_| Intent::text_in(&row.text_if_any(4)), |intent| intent.text().map(str::to_owned)),
        state: failure.map_or_else(|| queued(row), |refusal| Ok(EntryState::Failed(refusal)))?,
        recorded_at: row.time(7)?,
    })
}

fn queued(row: &Row) -> Res<EntryState> {
    if row.count(10)? > 0 {
        return Ok(EntryState::Sending);
    }
    if let Some(needed) = row.get::<Option<String>>(12)? {
        return Ok(EntryState::NeedsServer(Capability::from(needed)));
    }
    let retries = u32::try_from(row.count(5)?).unwrap_or(u32::MAX);
    Ok(EntryState::Queued { retries, last_retry: row.get::<Option<String>>(6)?.map(RetryCode::from) })
}

fn unreadable(why: Undecodable) -> Refusal {
    Refusal { code: RefusalCode::Unreadable, detail: Some(why.to_string()) }
}
