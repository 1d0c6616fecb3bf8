//! What a person decides about what waits: send it again, send something else, take it back.

use crate::{
    derived,
    error::{Fault, Res},
    outbox::{
        change, park,
        record::{MUTATION, mutation},
        views,
    },
    overlay, resolve,
    row::Row,
    sql::{IdSet, Tx, id, text, time},
};
use fieldpost_domain::{Intent, MessageContent, MutationId, RefusalCode, Time};
use fieldpost_storage::{OutboxEntry, StorageErrorKind};
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
    unanswered: bool,
    /// None if this version cannot read it.
    intent: Option<Intent>,
}

pub(super) async fn retry(tx: &Tx, mutation: MutationId, at: Time) -> Res<OutboxEntry> {
    let entry = find(tx, mutation).await?;
    if entry.failed {
        check_sendable(tx, &entry).await?;
        for again in going_together(tx, &entry).await? {
            queue_again(tx, again, at).await?;
        }
        overlay::rebuild(tx, overlay::targets_of_lane(tx, entry.lane).await?).await?;
        derived::refresh_newest(tx, &BTreeSet::from([entry.lane])).await?;
    }
    views::of_mutation(tx, entry.id).await?.ok_or_else(not_found)
}

pub(super) async fn edit(tx: &Tx, mutation: MutationId, content: MessageContent, at: Time) -> Res<OutboxEntry> {
    let entry = find(tx, mutation).await?;
    // What cannot be read may have a text: then it says so below.
    if entry.intent.as_ref().is_some_and(|intent| intent.text().is_none()) {
        return Err(not_applicable("only a message can be edited"));
    }
    // Of a dead letter too: should the server have it, under this id, the new text would be taken for the old.
    if entry.unanswered {
        return Err(Fault::kind(StorageErrorKind::OutcomeUnknown));
    }
    if entry.failed {
        check_sendable(tx, &entry).await?;
    }
    let Some(mut intent) = entry.intent else { return Err(not_applicable(UNREADABLE)) };
    let shown = content.as_str().to_owned();
    intent.set_text(content);
    change::rewrite(tx, mutation, &intent).await?;
    if let Some(message) = entry.message {
        tx.run("UPDATE messages SET content = ? WHERE id = ? AND seq IS NULL", vec![text(shown), id(message)]).await?;
    }
    overlay::rebuild(tx, entry.target.into_iter().collect()).await?;
    derived::refresh_newest(tx, &BTreeSet::from([entry.lane])).await?;
    retry(tx, mutation, at).await
}

pub(super) async fn cancel(tx: &Tx, mutation: MutationId) -> Res<Vec<OutboxEntry>> {
    let entry = find(tx, mutation).await?;
    if !entry.keeps {
        return Err(not_applicable("what was read stays read"));
    }
    let sql = "SELECT 1 FROM conversations WHERE id = ? AND server_id IS NULL";
    let whole = entry.opens && tx.one(sql, vec![id(entry.lane)]).await?.is_some();
    let leaving = if whole { lane(tx, entry.lane).await? } else { vec![entry.id] };
    let ids = IdSet::of(leaving.iter().copied());
    if tx.one(ON_THEIR_WAY, vec![ids.bind()]).await?.is_some() {
        return Err(Fault::kind(StorageErrorKind::OutcomeUnknown));
    }
    let mut left = Vec::with_capacity(leaving.len());
    for mutation in leaving {
        left.extend(views::of_mutation(tx, mutation).await?);
    }
    let targets = if whole { BTreeSet::new() } else { entry.target.into_iter().collect() };
    tx.run(DROP_ECHOES, vec![ids.bind()]).await?;
    tx.run("DELETE FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?))", vec![ids.bind()]).await?;
    overlay::rebuild(tx, targets).await?;
    if whole {
        park::purge(tx, entry.lane, &RefusalCode::OpenRefused).await?;
    }
    derived::refresh_newest(tx, &BTreeSet::from([entry.lane])).await?;
    Ok(left)
}

const ON_THEIR_WAY: &str = "
SELECT 1 FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND failed_code IS NULL AND unanswered > 0";

const DROP_ECHOES: &str = "
DELETE FROM messages WHERE server_id IS NULL AND seq IS NULL
    AND id IN (SELECT message_id FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?)))";

const UNREADABLE: &str = "this version cannot read it; a newer one can, or cancel it";

fn not_found() -> Fault {
    Fault::kind(StorageErrorKind::NotFound)
}

pub(super) fn not_applicable(why: &str) -> Fault {
    Fault::Kind(StorageErrorKind::NotApplicable, Some(why.to_owned()))
}

async fn find(tx: &Tx, mutation: MutationId) -> Res<Waiting> {
    let sql = format!(
        "SELECT {MUTATION}, message_id, failed_code IS NOT NULL, unanswered, opens, keeps FROM outbox WHERE id = ?"
    );
    tx.one(&sql, vec![id(mutation.as_uuid())]).await?.as_ref().map(waiting).transpose()?.ok_or_else(not_found)
}

fn waiting(row: &Row) -> Res<Waiting> {
    Ok(Waiting {
        id: row.id(0)?,
        lane: row.id(2)?,
        message: row.opt_id(5)?,
        target: row.opt_id(3)?,
        opens: row.get::<i64>(8)? != 0,
        keeps: row.get::<i64>(9)? != 0,
        failed: row.get::<i64>(6)? != 0,
        unanswered: row.get::<i64>(7)? > 0,
        intent: mutation(row)?.map(|mutation| mutation.intent),
    })
}

async fn check_sendable(tx: &Tx, entry: &Waiting) -> Res<()> {
    let Some(intent) = &entry.intent else { return Err(not_applicable(UNREADABLE)) };
    let viewer = resolve::viewer(tx).await?;
    if matches!(intent, Intent::SendMessage(message) if Some(message.sender_id.as_uuid()) != viewer) {
        return Err(not_applicable("another person wrote it"));
    }
    if tx.one("SELECT 1 FROM conversations WHERE id = ?", vec![id(entry.lane)]).await?.is_none() {
        return Err(not_applicable("its conversation is not on this device any more"));
    }
    if let Some(target) = entry.target
        && tx.one("SELECT 1 FROM messages WHERE id = ?", vec![id(target)]).await?.is_none()
    {
        return Err(not_applicable("its message is not on this device any more"));
    }
    Ok(())
}

/// The dead letters that are sent again with this one, in their order.
async fn going_together(tx: &Tx, entry: &Waiting) -> Res<Vec<Uuid>> {
    let refused = "SELECT 1 FROM outbox WHERE conversation_id = ? AND opens AND failed_code IS NOT NULL";
    if tx.one(refused, vec![id(entry.lane)]).await?.is_none() {
        return Ok(vec![entry.id]);
    }
    let parked = "SELECT id FROM outbox WHERE conversation_id = ? AND failed_code IS NOT NULL ORDER BY position";
    tx.all(parked, vec![id(entry.lane)]).await?.iter().map(|row| row.id(0)).collect()
}

async fn lane(tx: &Tx, lane: Uuid) -> Res<Vec<Uuid>> {
    let sql = "SELECT id FROM outbox WHERE conversation_id = ? ORDER BY position";
    tx.all(sql, vec![id(lane)]).await?.iter().map(|row| row.id(0)).collect()
}

/// Moves a dead letter to the end of the outbox, and its message to the end of its thread.
async fn queue_again(tx: &Tx, mutation: Uuid, at: Time) -> Res<()> {
    tx.run(WAITS_AGAIN, vec![time(at), id(mutation)]).await?;
    for sql in QUEUE_AGAIN {
        tx.run(sql, vec![id(mutation)]).await?;
    }
    Ok(())
}

const WAITS_AGAIN: &str = "
UPDATE outbox SET failed_code = NULL, failed_detail = NULL, retries = 0, last_retry = NULL, recorded_at = ? WHERE id = ?";

/// The table counts positions up and never uses one twice; the next is one above the highest there ever was.
const QUEUE_AGAIN: [&str; 3] = [
    "UPDATE outbox SET position = 1 + (SELECT seq FROM sqlite_sequence WHERE name = 'outbox') WHERE id = ?",
    "UPDATE sqlite_sequence SET seq = (SELECT position FROM outbox WHERE id = ?) WHERE name = 'outbox'",
    "UPDATE messages SET position = o.position FROM outbox AS o
        WHERE o.id = ? AND messages.id = o.message_id AND messages.position IS NOT NULL",
];
