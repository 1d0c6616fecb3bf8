//! The role that reads a thread.
//!
//! A window is one run of seqs without a gap: inside the recent range whatever is here (a number without a message was
//! deleted), outside of it only consecutive rows and tombstones. What this device has written and the server has not placed
//! stands at the end of the newest window.

use crate::{
    SqliteStore,
    error::Res,
    resolve,
    rows::message::{JOINS, Receipts, columns, thread_message},
    sql::{Tx, id, int, opt_id, seq},
};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, MessageId, Seq, SeqRange};
use fieldpost_storage::{Messages, Older, StorageResult, ThreadMessage, ThreadWindow, Window};
use uuid::Uuid;

#[async_trait]
impl Messages for SqliteStore {
    async fn messages(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow> {
        let read = self.db.read("messages").await?;
        let found = read_window(read.tx(), conversation, window).await;
        read.finish(found).await
    }

    async fn message(&self, id: MessageId) -> StorageResult<Option<ThreadMessage>> {
        let read = self.db.read("message").await?;
        let found = by_id(read.tx(), id.as_uuid()).await;
        read.finish(found).await
    }
}

pub(crate) async fn by_id(tx: &Tx, message: Uuid) -> Res<Option<ThreadMessage>> {
    let sql = format!("SELECT {} FROM messages AS m {JOINS} WHERE m.id = ?", columns());
    let Some(row) = tx.one(&sql, vec![id(message)]).await? else { return Ok(None) };
    let receipts = receipts(tx, row.id(1)?).await?;
    thread_message(&row, &receipts).map(Some)
}

async fn read_window(tx: &Tx, conversation: ConversationId, window: Window) -> Res<ThreadWindow> {
    let conversation = resolve::existing(tx, conversation).await?;
    let receipts = receipts(tx, conversation).await?;
    let run = match run_below(tx, conversation, window.before).await? {
        Run::Placed(run) => run,
        Run::Upgraded => return upgraded(tx, conversation, window, &receipts).await,
    };
    let limit = i64::from(window.limit);
    // One more than asked for tells whether there is more here.
    let values = vec![id(conversation), seq(run.from), seq(run.to), int(limit + 1)];
    let rows = tx.all(&placed_sql(), values).await?;
    let shown = rows.iter().take(window.limit as usize).rev();
    let mut messages = shown.map(|row| thread_message(row, &receipts)).collect::<Res<Vec<_>>>()?;
    let older = if rows.len() > messages.len() {
        Older::Here(messages.first().and_then(|message| message.seq).unwrap_or(run.to.next()))
    } else if run.from <= Seq::new(1) {
        Older::Nothing
    } else {
        Older::OnServer(run.from)
    };
    if window.before.is_none() {
        messages.extend(unplaced(tx, conversation, &receipts).await?);
    }
    Ok(ThreadWindow { messages, older })
}

async fn unplaced(tx: &Tx, conversation: Uuid, receipts: &Receipts) -> Res<Vec<ThreadMessage>> {
    let rows = tx.all(&unplaced_sql(), vec![id(conversation)]).await?;
    rows.iter().map(|row| thread_message(row, receipts)).collect()
}

/// A thread of an upgraded file, before the server has told of it: its acknowledged messages have no seq yet. They are shown
/// in the order of their times, as the old app did; what lies below them the server has to say.
async fn upgraded(tx: &Tx, conversation: Uuid, window: Window, receipts: &Receipts) -> Res<ThreadWindow> {
    let sql = format!(
        "SELECT {} FROM messages AS m {JOINS} WHERE m.conversation_id = ? AND m.seq IS NULL AND m.position IS NULL \
         ORDER BY m.created_at DESC, m.pk DESC LIMIT ?",
        columns()
    );
    let limit = if window.before.is_none() { window.limit } else { 0 };
    let rows = tx.all(&sql, vec![id(conversation), int(limit.into())]).await?;
    let mut messages = rows.iter().rev().map(|row| thread_message(row, receipts)).collect::<Res<Vec<_>>>()?;
    if window.before.is_none() {
        messages.extend(unplaced(tx, conversation, receipts).await?);
    }
    Ok(ThreadWindow { messages, older: Older::OnServer(window.before.unwrap_or(BEYOND)) })
}

/// Above every seq that a server gives: its newest messages lie below it.
const BEYOND: Seq = Seq::new((1 << 53) - 1);

/// Ordered by seq, newest first.
pub(crate) fn placed_sql() -> String {
    format!(
        "SELECT {} FROM messages AS m {JOINS} \
         WHERE m.conversation_id = ? AND m.seq BETWEEN ? AND ? ORDER BY m.seq DESC LIMIT ?",
        columns()
    )
}

/// In the order in which they were written.
pub(crate) fn unplaced_sql() -> String {
    format!(
        "SELECT {} FROM messages AS m {JOINS} \
         WHERE m.conversation_id = ? AND m.position IS NOT NULL ORDER BY m.position",
        columns()
    )
}

enum Run {
    /// These seqs.
    Placed(SeqRange),
    /// Nothing here has a seq yet.
    Upgraded,
}

/// The seqs that can be shown without a gap below `before`; empty, just above what is missing, if none can.
async fn run_below(tx: &Tx, conversation: Uuid, before: Option<Seq>) -> Res<Run> {
    let Some(row) = tx.one(KNOWN, vec![id(conversation)]).await? else { return Ok(empty_below(Seq::new(1))) };
    if row.get::<i64>(4)? != 0 {
        return Ok(Run::Upgraded);
    }
    let (from, to, last, top) = (row.seq(0)?, row.seq(1)?, row.seq(2)?, row.seq(3)?);
    let newest = top.max(to);
    if newest == Seq::ZERO {
        // Nothing is here: either there is nothing, or all of it is on the server.
        return Ok(empty_below(before.map_or(last.next(), |before| before.min(last.next()))));
    }
    let end = before.map_or(newest.next(), |before| before.min(newest.next()));
    let top = end.previous();
    if from > Seq::ZERO && from <= top && top <= to {
        return Ok(Run::Placed(SeqRange { from, to: top }));
    }
    let start = tx.one(RUN_START, vec![id(conversation), seq(top)]).await?;
    let start = start.map_or(Ok(None), |row| row.get::<Option<i64>>(0))?;
    let run = |start| Run::Placed(SeqRange { from: Seq::new(crate::sql::unsigned(start)), to: top });
    Ok(start.map_or(empty_below(end), run))
}

const fn empty_below(end: Seq) -> Run {
    Run::Placed(SeqRange { from: end, to: end.previous() })
}

pub(crate) const KNOWN: &str = "
SELECT c.range_from, c.range_to, c.last_seq, max(
    coalesce((SELECT max(m.seq) FROM messages AS m WHERE m.conversation_id = c.id), 0),
    coalesce((SELECT max(t.seq) FROM tombstones AS t WHERE t.conversation_id = c.id), 0)),
    c.version < 0 AND c.server_id IS NOT NULL
FROM conversations AS c WHERE c.id = ?";

/// The lowest seq of the run of rows and tombstones that ends with a given one; null if that one is not here.
pub(crate) const RUN_START: &str = "
WITH RECURSIVE asked (id, top) AS (SELECT ?, ?),
run (seq) AS (
    SELECT top FROM asked
    WHERE EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = asked.id AND m.seq = top)
        OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = asked.id AND t.seq = top)
    UNION ALL SELECT run.seq - 1 FROM run, asked
    WHERE EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = asked.id AND m.seq = run.seq - 1)
        OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = asked.id AND t.seq = run.seq - 1))
SELECT min(seq) FROM run";

async fn receipts(tx: &Tx, conversation: Uuid) -> Res<Receipts> {
    let viewer = resolve::viewer(tx).await?;
    let sql = "SELECT coalesce(max(delivered_seq), 0), coalesce(max(read_seq), 0) FROM read_markers \
        WHERE conversation_id = ? AND person_id IS NOT ?";
    let row = tx.one(sql, vec![id(conversation), opt_id(viewer)]).await?;
    let Some(row) = row else { return Ok(Receipts { viewer, ..Receipts::default() }) };
    Ok(Receipts { viewer, delivered: row.seq(0)?, read: row.seq(1)? })
}
