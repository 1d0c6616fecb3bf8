//! What a list shows and nobody writes directly: unread counts and newest messages.
//!
//! Both are stored with the conversation, so that a list of ten thousand reads fifty rows of one index and counts nothing,
//! and both are rewritten in the transaction that changes what they derive from, so that no reader sees them disagree.
//!
//! **Unread** is exact: messages of others, not deleted, above the person's marker. Where the recent range reaches from the
//! marker to the newest message that is known of, it is counted here. Where local history is partial, it is the server's
//! count, which may not know yet of a mark that waits: so never more than what is here above the marker and one message for
//! each seq above it that is not. Counting again what has not changed would make every page cost as much as there is unread,
//! so the count is kept and what a page brings is added to it; triggers void it when a counted message is deleted or changes.
//!
//! **The newest message** is the last one that is queued here (dead letters included: they stand at the end of the thread
//! until somebody deals with them), else the highest seq that is here, unless the server has told of a newer one. Only the
//! start of its text is kept; `fieldpost_domain::preview` cuts it between what a reader sees as characters when it is read. A
//! character more than a preview can have is kept, so that the cut is the same as on the whole text.

use crate::{
    error::Res,
    ranges,
    resolve::{self, VIEWER},
    sql::{Bound, IdSet, Tx, id, opt_id},
};
use fieldpost_domain::ConversationId;
use fieldpost_storage::ChangeSet;
use std::collections::BTreeSet;
use uuid::Uuid;

macro_rules! newest {
    () => {
        "
    (last_message_at, last_message_preview) = (
    SELECT at, start FROM (
        SELECT 0 AS rank, at, start FROM (
            SELECT m.created_at AS at, substr(m.content, 1, 101) AS start FROM messages AS m
            WHERE m.conversation_id = c.id AND m.position IS NOT NULL
            ORDER BY m.position DESC LIMIT 1)
        UNION ALL SELECT 1, at, start FROM (
            SELECT m.created_at AS at, substr(m.content, 1, 101) AS start, m.seq FROM messages AS m
            WHERE m.conversation_id = c.id AND m.seq IS NOT NULL
            ORDER BY m.seq DESC LIMIT 1)
        WHERE seq >= c.told_seq OR c.range_to >= c.told_seq
        UNION ALL SELECT 2, c.told_at, c.told_preview)
    ORDER BY rank LIMIT 1)"
    };
}

macro_rules! of_set {
    () => {
        "
WHERE c.id IN (SELECT unhex(value) FROM json_each(?))"
    };
}

/// Rewrites everything derived of these conversations.
pub(crate) async fn refresh(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let touched = ids.iter().copied().map(ConversationId::from_uuid);
    tx.changed(ChangeSet::of(touched).and_unread()).await;
    let ids = IdSet::of(ids.iter().copied());
    let unsettled = IdSet::packed(tx.value(&unsettled_sql(), vec![ids.bind()]).await?);
    if !unsettled.is_empty() {
        let viewer = resolve::viewer(tx).await?;
        ranges::refresh(tx, &unsettled).await?;
        tx.run(RECOUNT, vec![opt_id(viewer), unsettled.bind()]).await?;
    }
    tx.run(SHOWN, vec![ids.bind()]).await?;
    Ok(())
}

/// Those of which ranges or counts could change. New messages that continue a thread without a hole are noted when they are
/// stored (`apply::messages`), so that nearly always there is none, and one look spares six statements.
pub(crate) fn unsettled_sql() -> String {
    format!(
        "SELECT json_group_array(hex(c.id))
        FROM (SELECT {VIEWER} AS viewer) AS a CROSS JOIN json_each(?) AS j CROSS JOIN conversations AS c
        LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = a.viewer
        WHERE c.id = unhex(j.value) AND NOT (
            c.range_from > 0 AND c.range_to >= max(c.range_from, c.last_seq, 1) AND c.missing_before IS NULL
            AND c.unread_above IS coalesce(r.read_seq, 0)
            AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq > c.last_seq)
            AND NOT EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq > c.last_seq)
            AND (c.range_from = 1 OR NOT (
                EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq = c.range_from - 1)
                OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq = c.range_from - 1))))"
    )
}

/// Counts again where the count that is kept is of another marker, or a counted message has changed.
pub(crate) const RECOUNT: &str = "
WITH asked (viewer) AS (SELECT ?),
marked AS (
    SELECT unhex(j.value) AS id, a.viewer, coalesce(r.read_seq, 0) AS mark
    FROM json_each(?) AS j CROSS JOIN asked AS a
    LEFT JOIN read_markers AS r ON r.conversation_id = unhex(j.value) AND r.person_id = a.viewer)
UPDATE conversations AS c
SET unread_above = k.mark, unread_here = (
    SELECT count(*) FROM messages AS m
    WHERE m.conversation_id = c.id AND m.seq > k.mark AND m.deleted_at IS NULL AND m.sender_id IS NOT k.viewer)
FROM marked AS k WHERE c.id = k.id AND c.unread_above IS NOT k.mark";

/// What a row of the list shows: the unread count and the newest message.
pub(crate) const SHOWN: &str = concat!(
    "
UPDATE conversations AS c
SET unread_count = CASE
    WHEN c.version >= 0 AND c.unread_above >= c.last_seq THEN 0
    WHEN c.range_from > 0 AND c.range_from <= c.unread_above + 1 AND c.range_to >= c.told_seq THEN c.unread_here
    ELSE min(c.told_unread, c.unread_here + max(max(c.told_seq - c.unread_above, 0)
        - max(min(c.range_to, c.told_seq) - max(c.range_from, c.unread_above + 1) + 1, 0)
        - (SELECT count(*) FROM messages AS m WHERE m.conversation_id = c.id
            AND m.seq > max(c.unread_above, c.range_to) AND m.seq <= c.told_seq)
        - (SELECT count(*) FROM messages AS m WHERE m.conversation_id = c.id
            AND m.seq > c.unread_above AND m.seq < min(c.range_from, c.told_seq + 1)), 0))
    END,",
    newest!(),
    of_set!()
);

pub(crate) const NEWEST: &str = concat!("UPDATE conversations AS c SET", newest!(), of_set!());

/// The same of the conversation that a mutation is about.
pub(crate) const NEWEST_OF_LANE: &str = concat!(
    "UPDATE conversations AS c SET",
    newest!(),
    "
WHERE c.id = (SELECT o.conversation_id FROM outbox AS o WHERE o.id = ?)"
);

/// Takes note of messages that were not here before: counts them, and lets the range grow where they continue it without a
/// hole. Rows of `(conversation, lowest seq, highest seq, whether all between are there, how many count as unread)`.
pub(crate) const NOTE_NEW: &str = "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS low, value ->> 2 AS high, value ->> 3 AS whole,
    value ->> 4 AS count FROM json_each(?))
UPDATE conversations AS c SET unread_here = c.unread_here + told.count,
    range_to = CASE WHEN c.range_from > 0 AND told.low = c.range_to + 1 AND told.whole THEN told.high ELSE c.range_to END
FROM told WHERE c.id = told.id";

/// The same of those with a key above the given one, when a page has brought others as well.
pub(crate) const ADD_NEW: &str = "
WITH asked (newest, viewer) AS (SELECT ?, ?)
UPDATE conversations AS c SET unread_here = c.unread_here + n.count,
    range_to = CASE WHEN c.range_from > 0 AND n.low = c.range_to + 1 AND n.high - n.low + 1 = n.seqs THEN n.high
        ELSE c.range_to END
FROM (
    SELECT m.conversation_id AS id, min(m.seq) AS low, max(m.seq) AS high, count(DISTINCT m.seq) AS seqs,
        sum(m.deleted_at IS NULL AND m.sender_id IS NOT a.viewer AND m.seq > coalesce(k.unread_above, 0)) AS count
    FROM asked AS a CROSS JOIN messages AS m JOIN conversations AS k ON k.id = m.conversation_id
    WHERE m.pk > a.newest
    GROUP BY m.conversation_id) AS n
WHERE c.id = n.id";

/// What brings a conversation in line with a marker that has moved. Its range does not depend on that.
pub(crate) fn marked(conversation: Uuid, viewer: Uuid) -> [Bound; 2] {
    let set = IdSet::of([conversation]);
    [Bound::new(RECOUNT, vec![id(viewer), set.bind()]), Bound::new(SHOWN, vec![set.bind()])]
}

/// The file has got its owner: whose messages count may have changed everywhere.
pub(crate) async fn refresh_all(tx: &Tx) -> Res<()> {
    tx.changed(ChangeSet::everything()).await;
    tx.run("UPDATE conversations SET unread_above = NULL", vec![]).await?;
    let rows = tx.all("SELECT id FROM conversations", vec![]).await?;
    let ids = rows.iter().map(|row| row.id(0)).collect::<Res<BTreeSet<_>>>()?;
    refresh(tx, &ids).await
}

/// After something was written here that has no seq: the rest stays as it is.
pub(crate) async fn refresh_newest(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    tx.touched(ids.iter().copied()).await;
    tx.run(NEWEST, vec![IdSet::of(ids.iter().copied()).bind()]).await.map(drop)
}
