//! Putting messages into the full-text index.
//!
//! A write of a message costs the index nothing: `migrations` says how the file knows what is not in it yet. A step takes
//! the next two thousand, so the index has few parts that must be merged, and texts of plain ASCII never leave SQLite. The
//! others are folded here, and the index keeps what it was given for as long as it has it.
//!
//! SQL by hand: two thousand messages with five statements (`search`).

use crate::{
    error::{Fault, Res},
    hot::{Plan, hot},
    line::{Line, cells, packed},
    sql::{Tx, int, text, unsigned},
};
use fieldpost_domain::search::indexed;
use std::collections::BTreeSet;

/// How many messages a step takes, at most: a moment's work, because whoever writes has to wait.
const STEP: i64 = 2_000;

/// How many keys are looked at at once.
const KEYS: usize = 4_096;

cells! {
    /// A message that is to be indexed.
    enum New() {
        Pk = "m.pk",
        CreatedAt = "m.created_at",
        // None if it is plain ASCII.
        Other = "CASE WHEN length(m.content) <> octet_length(m.content) THEN m.content END",
    }
}

/// Indexes some messages, and answers how many are left at most.
pub(crate) async fn step(tx: &Tx) -> Res<u64> {
    let next = tx.only(&NEXT, vec![int(STEP)]).await?;
    let new = next.lines("new")?;
    if !new.is_empty() {
        put(tx, &new).await?;
    }
    if let Some(up_to) = next.get::<Option<i64>>("up_to")? {
        tx.run(&INDEXED_TO, vec![int(up_to)]).await?;
    }
    tx.run(&NOT_PENDING, vec![]).await?;
    unindexed(tx).await
}

pub(crate) async fn unindexed(tx: &Tx) -> Res<u64> {
    Ok(unsigned(tx.value(&UNINDEXED, vec![]).await?))
}

/// In the order of their keys, because the index writes out what it has gathered where that descends.
async fn put(tx: &Tx, new: &[Line]) -> Res<()> {
    let mut free = Free::new(tx);
    let mut rows = Vec::with_capacity(new.len());
    for message in new {
        let key = free.next(message.get::<i64>(New::CreatedAt)?.div_euclid(1_000)).await?;
        let other = message.get::<Option<String>>(New::Other)?;
        rows.push((key, message.get::<i64>(New::Pk)?, other.map(|content| indexed(&content).into_owned())));
    }
    let rows = serde_json::to_string(&rows).map_err(|_| Fault::corrupt("a text is no text"))?;
    tx.run(&ENTER, vec![text(rows.clone())]).await?;
    tx.run(&PUT, vec![text(rows)]).await.map(drop)
}

hot! {
    NEXT: "messages to be indexed", Plan::Bounded, format!("
WITH k AS MATERIALIZED (SELECT m.pk FROM messages AS m
    WHERE m.pk > (SELECT indexed_to FROM messages_search_state WHERE only = 1) ORDER BY m.pk LIMIT 0 + ?1)
SELECT (SELECT max(pk) FROM k) AS up_to, {} AS new", packed(&New::row(), "
    FROM (SELECT pk FROM k UNION SELECT pk FROM (SELECT message AS pk FROM messages_search_pending LIMIT 0 + ?1)) AS n
    CROSS JOIN messages AS m ON m.pk = n.pk
    WHERE m.content IS NOT NULL AND m.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM messages_search_entries AS s WHERE s.message = m.pk)
    ORDER BY m.created_at, m.seq, m.pk"));
    INDEXED_TO: "how far the index is", Plan::Bounded, "UPDATE messages_search_state SET indexed_to = max(indexed_to, ?) WHERE only = 1";
    NOT_PENDING: "what has been indexed again", Plan::Bounded,
        "DELETE FROM messages_search_pending WHERE EXISTS (
            SELECT 1 FROM messages_search_entries AS s WHERE s.message = messages_search_pending.message)";
    UNINDEXED: "how many messages are not indexed", Plan::Bounded,
        "SELECT max(0, coalesce((SELECT max(m.pk) FROM messages AS m), 0) - (SELECT indexed_to FROM messages_search_state WHERE only = 1))
            + (SELECT count(*) FROM messages_search_pending)";
    ENTER: "entries of the index", Plan::Bounded,
        "INSERT INTO messages_search_entries (key, message, folded)
        SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?) AS j";
    PUT: "messages put into the index", Plan::Bounded,
        "INSERT INTO messages_search (rowid, words, marks)
        SELECT v.key, v.words, v.marks FROM json_each(?) AS j CROSS JOIN messages_searchable AS v ON v.key = j.value ->> 0";
    TAKEN: "keys that are taken", Plan::Bounded, format!(
        "SELECT (SELECT json_group_array(key) FROM (
            SELECT s.key FROM messages_search_entries AS s WHERE s.key >= ? ORDER BY s.key LIMIT {KEYS} + 0)) AS taken");
}

/// Finds keys that no message has, upwards.
struct Free<'a> {
    tx: &'a Tx,
    last: i64,
    taken: BTreeSet<i64>,
    /// The keys from here to there have been looked at.
    from: i64,
    to: i64,
}

impl<'a> Free<'a> {
    const fn new(tx: &'a Tx) -> Self {
        Self { tx, last: 0, taken: BTreeSet::new(), from: 0, to: 0 }
    }

    /// This one or the next free one. Times that no clock shows are the first or the last ones.
    async fn next(&mut self, wanted: i64) -> Res<i64> {
        let mut key = wanted.clamp(1, 1 << 53).max(self.last + 1);
        loop {
            if key < self.from || key >= self.to {
                self.look(key).await?;
            }
            if !self.taken.contains(&key) {
                self.last = key;
                return Ok(key);
            }
            key += 1;
        }
    }

    async fn look(&mut self, from: i64) -> Res<()> {
        let taken: String = self.tx.only(&TAKEN, vec![int(from)]).await?.get("taken")?;
        let taken: BTreeSet<i64> =
            serde_json::from_str(&taken).map_err(|_| Fault::corrupt("a key of the index is no number"))?;
        self.from = from;
        self.to = taken.last().filter(|_| taken.len() == KEYS).map_or(i64::MAX, |last| last + 1);
        self.taken = taken;
        Ok(())
    }
}
