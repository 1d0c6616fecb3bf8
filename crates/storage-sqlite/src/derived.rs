//! What a list shows and nobody writes directly: unread counts and newest messages.
//!
//! Both are stored with the conversation, so that a list of ten thousand reads fifty rows of one index and counts nothing,
//! and both are rewritten in the transaction that changes what they derive from, so that no reader sees them disagree.
//!
//! **Unread** is exact: messages of others, not deleted, above the person's marker. Where the recent range reaches from the
//! marker to the newest message that is known of, it is counted here. Where local history is partial, it is the server's
//! count, but never more than there are seqs above the marker: the person may have read on since the server counted.
//!
//! **The newest message** is the last one that is queued here (dead letters included: they stand at the end of the thread
//! until somebody deals with them), else the highest seq that is here, unless the server has told of a newer one. Only the
//! start of its text is kept; `fieldpost_domain::preview` cuts it between what a reader sees as characters when it is read. A
//! character more than a preview can have is kept, so that the cut is the same as on the whole text.

use crate::{
    error::Res,
    ranges, resolve,
    sql::{IdSet, Tx, opt_id},
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Rewrites everything derived of these conversations.
pub(crate) async fn refresh(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let viewer = resolve::viewer(tx).await?;
    let ids = IdSet::of(ids.iter().copied());
    ranges::refresh(tx, &ids).await?;
    tx.run(UNREAD, vec![opt_id(viewer), ids.bind()]).await?;
    tx.run(NEWEST, vec![ids.bind()]).await?;
    Ok(())
}

pub(crate) const UNREAD: &str = "
WITH asked (viewer) AS (SELECT ?),
marked AS (
    SELECT unhex(j.value) AS id, a.viewer, coalesce(r.read_seq, 0) AS mark
    FROM json_each(?) AS j CROSS JOIN asked AS a
    LEFT JOIN read_markers AS r ON r.conversation_id = unhex(j.value) AND r.person_id = a.viewer)
UPDATE conversations AS c
SET unread_count = CASE
    WHEN c.version >= 0 AND k.mark >= c.last_seq THEN 0
    WHEN c.range_from > 0 AND c.range_from <= k.mark + 1 AND c.range_to >= c.told_seq THEN (
        SELECT count(*) FROM messages AS m
        WHERE m.conversation_id = c.id AND m.seq > k.mark AND m.deleted_at IS NULL AND m.sender_id IS NOT k.viewer)
    WHEN c.version >= 0 THEN min(c.told_unread, c.last_seq - k.mark)
    ELSE c.told_unread
    END
FROM marked AS k WHERE c.id = k.id";

pub(crate) const NEWEST: &str = "
UPDATE conversations AS c
SET (last_message_at, last_message_preview) = (
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
    ORDER BY rank LIMIT 1)
WHERE c.id IN (SELECT unhex(value) FROM json_each(?))";

/// After something was written here that has no seq: the rest stays as it is.
pub(crate) async fn refresh_newest(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    tx.run(NEWEST, vec![IdSet::of(ids.iter().copied()).bind()]).await.map(drop)
}
