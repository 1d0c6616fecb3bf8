//! What is known of a thread.
//!
//! A thread here is a set of messages with seqs, and it may have holes: a page of history was never loaded, or an own message
//! was acknowledged before the ones of others in front of it came. Showing a message with a hole below it, as if nothing were
//! missing, would make a person miss something for good. So every conversation has one *recent range* `[from, to]`: every seq
//! in it is known, as a message, as a tombstone, or because a page said that it covers that range whole (then a number
//! without a message was deleted for good, and nothing else tells of it).
//!
//! * `from = 0`: nothing is known. `[1, 0]`: the conversation is known to be empty, so its first message makes the range.
//! * `to` moves up over consecutive seqs that are here. A message above `to + 1` waits until the hole is filled.
//! * A page of history joins the range where it touches it, and `from` then moves down over what was here below. A page that
//!   lies above the range with a hole between becomes the recent range: new messages matter more, and the old ones come
//!   back when somebody scrolls down to them. One that lies below with a hole between only leaves its rows.
//! * A bootstrap begins the range anew: it jumps over changes that no pull brings, so what lies below what it tells is no
//!   longer known.
//! * `missing_before` says what to fetch: 0 (the newest) when a conversation has messages and none is here; the lowest seq of
//!   the topmost run when a message stands above a hole. It is stored, so that asking for it does not visit every thread.
//!
//! All of it is done for a set of conversations at once, in the transaction that brought the rows: five statements for a
//! page, whatever it holds.
//!
//! SQL by hand: sets of threads at once (`apply`).

use crate::{
    entity::conversations::{Column as C, Entity},
    error::Res,
    hot::{Plan, hot},
    sql::{IdSet, Tx, among, text, written},
};
use fieldpost_domain::SeqRange;
use sea_orm::{EntityTrait, QueryFilter, QueryTrait, UpdateMany, Value, sea_query::Expr};
use uuid::Uuid;

/// Brings the ranges of these conversations in line with the rows that are here now.
pub(crate) async fn refresh(tx: &Tx, ids: &IdSet) -> Res<()> {
    tx.run(&LAST_SEQ, vec![ids.bind()]).await?;
    tx.run(&START, vec![ids.bind()]).await?;
    tx.run(&EXTEND_UP, vec![ids.bind()]).await?;
    tx.run(&EXTEND_DOWN, vec![ids.bind()]).await?;
    tx.run(&MISSING, vec![ids.bind()]).await?;
    Ok(())
}

hot! {
    FORGET: "a range that is forgotten", Plan::Bounded,
        written(nothing().filter(among(C::Id)).as_query());

    /// A message or a tombstone with a higher seq than any answer has told of.
    LAST_SEQ: "the last seq", Plan::Bounded, "
UPDATE conversations AS c
SET last_seq = max(c.last_seq,
    coalesce((SELECT max(m.seq) FROM messages AS m WHERE m.conversation_id = c.id), 0),
    coalesce((SELECT max(t.seq) FROM tombstones AS t WHERE t.conversation_id = c.id), 0))
WHERE c.id IN (SELECT unhex(value) FROM json_each(?)) AND (
    EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq > c.last_seq)
    OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq > c.last_seq))";

    /// An empty range: does it stand before the first message, or is nothing known?
    START: "where a thread begins", Plan::Bounded, "
UPDATE conversations AS c
SET range_to = 0, range_from = (c.last_seq = 0 AND (c.version >= 0 OR c.server_id IS NULL))
    OR EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq = 1)
    OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq = 1)
WHERE c.id IN (SELECT unhex(value) FROM json_each(?)) AND c.range_to < max(c.range_from, 1)";

    EXTEND_UP: "a range that grows", Plan::Bounded, "
UPDATE conversations AS c
SET range_to = (
    SELECT max(seq) FROM (
        SELECT seq, row_number() OVER (ORDER BY seq) AS n FROM (
            SELECT m.seq FROM messages AS m WHERE m.conversation_id = c.id AND m.seq > c.range_to
            UNION SELECT t.seq FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq > c.range_to))
    WHERE seq - n = c.range_to)
WHERE c.id IN (SELECT unhex(value) FROM json_each(?)) AND c.range_from > 0 AND (
    EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq = c.range_to + 1)
    OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq = c.range_to + 1))";

    EXTEND_DOWN: "a range that grows down", Plan::Bounded, "
UPDATE conversations AS c
SET range_from = (
    SELECT min(seq) FROM (
        SELECT seq, row_number() OVER (ORDER BY seq DESC) AS n FROM (
            SELECT m.seq FROM messages AS m WHERE m.conversation_id = c.id AND m.seq < c.range_from
            UNION SELECT t.seq FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq < c.range_from))
    WHERE seq + n = c.range_from)
WHERE c.id IN (SELECT unhex(value) FROM json_each(?)) AND c.range_from > 1 AND (
    EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq = c.range_from - 1)
    OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq = c.range_from - 1))";

    MISSING: "what is missing", Plan::Bounded, "
UPDATE conversations AS c
SET missing_before = CASE
    WHEN c.server_id IS NULL OR c.version < 0 THEN NULL
    WHEN c.last_seq > c.range_to
        AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq >= c.last_seq)
        AND NOT EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq >= c.last_seq) THEN 0
    WHEN EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq > c.range_to)
        OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq > c.range_to) THEN (
        SELECT k.seq FROM (
            SELECT m.seq FROM messages AS m WHERE m.conversation_id = c.id AND m.seq > c.range_to
            UNION SELECT t.seq FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq > c.range_to) AS k
        WHERE NOT EXISTS (SELECT 1 FROM messages AS p WHERE p.conversation_id = c.id AND p.seq = k.seq - 1)
            AND NOT EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq = k.seq - 1)
        ORDER BY k.seq DESC LIMIT 1)
    END
WHERE c.id IN (SELECT unhex(value) FROM json_each(?)) AND (c.missing_before IS NOT NULL OR c.range_to < c.last_seq)";

    /// Rows of `(id, from, to)`. An empty range from 1 says that the conversation has no messages; any other empty one nothing.
    COVER: "a range that is covered", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS f, value ->> 2 AS t FROM json_each(?))
UPDATE conversations AS c
SET (range_from, range_to) = (SELECT
    CASE WHEN stays THEN c.range_from WHEN fresh THEN told.f ELSE min(c.range_from, told.f) END,
    CASE WHEN stays THEN c.range_to WHEN fresh THEN told.t ELSE max(c.range_to, told.t) END
    FROM (SELECT
        CASE WHEN told.t < told.f THEN c.range_from > 0 OR told.f <> 1
            ELSE c.range_to >= max(c.range_from, 1) AND told.t + 1 < c.range_from END AS stays,
        c.range_to < max(c.range_from, 1) OR told.f > c.range_to + 1 AS fresh))
FROM told WHERE c.id = told.id";

    JOIN: "a range that joins", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS f, value ->> 2 AS t FROM json_each(?))
UPDATE conversations AS c
SET range_from = CASE WHEN c.range_from > 0 THEN min(c.range_from, told.f) ELSE told.f END,
    range_to = max(c.range_to, told.t), last_seq = max(c.last_seq, told.t)
FROM told WHERE c.id = told.id
    AND CASE WHEN c.range_from > 0 THEN told.f <= c.range_to + 1 AND told.t + 1 >= c.range_from ELSE told.f = 1 END";
}

fn nothing() -> UpdateMany<Entity> {
    let none = || Expr::value(0);
    Entity::update_many().col_expr(C::RangeFrom, none()).col_expr(C::RangeTo, none())
}

/// Of these conversations nothing is known whole any more, but for single deletions.
pub(crate) async fn forget(tx: &Tx, ids: &IdSet) -> Res<()> {
    tx.run(&FORGET, vec![ids.bind()]).await.map(drop)
}

/// Adds ranges that pages cover whole. One statement for all of them; `derived::refresh` then lets them grow.
pub(crate) async fn cover(tx: &Tx, told: &RangeSet) -> Res<()> {
    tx.run(&COVER, vec![told.bind()]).await.map(drop)
}

/// Adds ranges that the recent one touches, or with which a thread begins.
pub(crate) async fn join(tx: &Tx, told: &RangeSet) -> Res<()> {
    tx.run(&JOIN, vec![told.bind()]).await.map(drop)
}

/// Ranges of several conversations as one parameter.
#[derive(Debug, Clone)]
pub(crate) struct RangeSet(String);

impl RangeSet {
    pub(crate) fn of(ranges: &[(Uuid, SeqRange)]) -> Self {
        let ranges = ranges.iter().map(|(id, range)| format!("[\"{}\",{},{}]", id.simple(), range.from, range.to));
        Self(format!("[{}]", ranges.collect::<Vec<_>>().join(",")))
    }

    pub(crate) fn bind(&self) -> Value {
        text(self.0.as_str())
    }
}
