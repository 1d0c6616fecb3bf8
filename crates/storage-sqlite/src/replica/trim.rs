//! Old messages leave the device.
//!
//! SQL by hand: which messages may leave is one statement, with the rules beside each other.

use crate::{
    derived::UNREAD_ABOVE,
    entity::sync_state::{Entity, Model},
    error::{Fault, Res},
    hot::{Plan, hot},
    replica::position,
    resolve::VIEWER,
    sql::{Tx, id, int, opt_time, signed},
};
use fieldpost_domain::{ConversationId, Seq};
use fieldpost_storage::{Keep, SyncPosition, TRIMMED_AT_ONCE, Trimmed};
use sea_orm::{EntityTrait, Value};
use uuid::Uuid;

pub(super) async fn trim(tx: &Tx, keep: Keep, from: Option<ConversationId>, limit: u32) -> Res<Trimmed> {
    if !matches!(position::of(&state(tx).await?)?, SyncPosition::Following(_)) {
        // What a bootstrap finds missing may have been lost by the server, so it must be here.
        return Ok(Trimmed::default());
    }
    let from = from.map_or(Uuid::nil(), |from| from.as_uuid());
    let threads = tx.all(&THREADS, vec![id(from), int(i64::from(TRIMMED_AT_ONCE) + 1)]).await?;
    let mut dropped = 0;
    for (number, thread) in threads.iter().enumerate() {
        let thread = thread.id("id")?;
        let next = Some(ConversationId::from_uuid(thread));
        let left = u64::from(limit).saturating_sub(dropped);
        if number >= TRIMMED_AT_ONCE as usize || left == 0 {
            return Ok(Trimmed { dropped, next });
        }
        let leaving = trim_one(tx, thread, keep, left).await?;
        dropped += leaving;
        if leaving == left {
            return Ok(Trimmed { dropped, next });
        }
    }
    Ok(Trimmed { dropped, next: None })
}

async fn state(tx: &Tx) -> Res<Model> {
    tx.find_one::<Model>(&Entity::find()).await?.ok_or_else(|| Fault::corrupt("the sync state is missing"))
}

async fn trim_one(tx: &Tx, thread: Uuid, keep: Keep, most: u64) -> Res<u64> {
    let last = keep.last().map(|last| i64::from(last.max(1)));
    let values = vec![id(thread), Value::BigInt(last), opt_time(keep.since()), int(signed(most))];
    let gone = tx.all(&DROP, values).await?;
    let mut highest: Option<Seq> = None;
    for row in &gone {
        highest = highest.max(row.opt_seq("seq")?);
    }
    if let Some(highest) = highest {
        tx.run(&BEGINS_ABOVE, vec![id(thread), int(signed(highest.get()))]).await?;
        tx.touched([thread]).await;
    }
    Ok(gone.len() as u64)
}

hot! {
    THREADS: "which threads are looked at", Plan::Bounded,
        "SELECT c.id FROM conversations AS c WHERE c.id >= ? ORDER BY c.id LIMIT 0 + ?";

    /// Conversation, how many stay, since when, how many may leave at once.
    DROP: "what is no longer kept", Plan::Bounded, format!("
DELETE FROM messages WHERE pk IN (
    SELECT k.pk FROM (
        SELECT m.pk, m.created_at FROM messages AS m
        WHERE m.conversation_id = ?1 AND m.seq < min({}) AND NOT ({WAITS})
        ORDER BY m.seq LIMIT 0 + ?4) AS k
    WHERE ?3 IS NULL OR k.created_at < ?3)
RETURNING seq", ends().join(", "));

    BEGINS_ABOVE: "a range whose beginning has left", Plan::Bounded,
        "UPDATE conversations SET range_from = ?2 + 1 WHERE id = ?1 AND range_from BETWEEN 1 AND ?2";
}

/// Something in the outbox sends or changes the message, or a draft replies to it.
const WAITS: &str = "EXISTS (SELECT 1 FROM outbox AS o WHERE o.message_id = m.id)
            OR EXISTS (SELECT 1 FROM outbox AS o WHERE o.target_id = m.id)
            OR EXISTS (SELECT 1 FROM drafts AS d WHERE d.conversation_id = m.conversation_id AND d.reply_to = m.id)";

/// Only messages below each of these seqs may leave. What is to stay of a whole conversation, or from a seq on, belongs here.
fn ends() -> [String; 5] {
    let of_thread = "FROM messages AS x WHERE x.conversation_id = ?1 AND x.seq IS NOT NULL ORDER BY x.seq DESC";
    [
        // What is kept by number; all of it if there are fewer.
        format!(
            "CASE WHEN ?2 IS NULL THEN {BEYOND} ELSE coalesce((SELECT x.seq {of_thread} LIMIT 1 OFFSET -1 + ?2), 0) END"
        ),
        // The newest one.
        format!("coalesce((SELECT x.seq {of_thread} LIMIT 1), 0)"),
        // The recent range keeps its newest seq, so that it stays a range.
        format!(
            "coalesce((SELECT c.range_to FROM conversations AS c
            WHERE c.id = ?1 AND c.range_from > 0 AND c.range_to >= c.range_from AND c.range_to > 0), {BEYOND})"
        ),
        // What is unread.
        format!(
            "(SELECT {UNREAD_ABOVE} + 1 FROM conversations AS c
            LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = {VIEWER} WHERE c.id = ?1)"
        ),
        // A pinned conversation stays whole.
        format!("(SELECT iif(c.pinned_at IS NULL, {BEYOND}, 0) FROM conversations AS c WHERE c.id = ?1)"),
    ]
}

/// Above every seq that a server gives.
const BEYOND: i64 = 1 << 53;
