//! Sections of threads: what is here between two seqs, over gaps.
//!
//! The statement reads rows and what is known of the thread; what is a gap, `fieldpost_storage::Known` decides.
//!
//! SQL by hand: a section is one statement (`timeline`).

use crate::{
    error::{Fault, Res},
    hot::{Plan, hot},
    line::packed,
    resolve::{CANONICAL, VIEWER},
    row::Row,
    rows::message::{Receipts, Shown, joins, receipts, thread_message},
    sql::{Tx, id, int, signed},
};
use fieldpost_domain::{ConversationId, Seq, SeqRange};
use fieldpost_storage::{End, Known, Older, Section, StorageErrorKind, ThreadMessage, ThreadSection};
use sea_orm::Value;

/// Above every seq that a server gives.
const BEYOND: i64 = 1 << 53;

pub(crate) async fn read(tx: &Tx, conversation: ConversationId, asked: Section) -> Res<ThreadSection> {
    let to = asked.to.map(|to| signed(to.get()));
    // One more than asked for tells whether there is more here.
    let most = int(i64::from(asked.limit) + 1);
    let values = vec![id(conversation.as_uuid()), int(signed(asked.from.get())), Value::BigInt(to), most];
    let statement = match asked.keep {
        End::Newest => &NEWEST_FIRST,
        End::Oldest => &OLDEST_FIRST,
    };
    let row = tx.one(statement, values).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    let known = known(&row, asked.keep)?;
    if row.is("upgraded")? {
        return upgraded(&row, known, asked);
    }
    Ok(known.section(asked))
}

fn known(row: &Row, keep: End) -> Res<Known> {
    let receipts = Receipts::read(&row.line("receipts")?)?;
    let mut placed = shown(row, "placed", &receipts)?;
    if keep == End::Newest {
        placed.reverse();
    }
    let range = SeqRange { from: row.seq("range_from")?, to: row.seq("range_to")? };
    let is_range = range.from > Seq::ZERO && range.to >= range.from;
    Ok(Known {
        conversation_id: ConversationId::from_uuid(row.id("id")?),
        placed,
        unplaced: shown(row, "unplaced", &receipts)?,
        deleted: seqs(row.get::<Option<String>>("deleted")?.as_deref().unwrap_or_default())?,
        range: is_range.then_some(range),
        is_known_below: row.is("known_below")?,
        last_seq: row.seq("newest")?,
        read_seq: row.opt_seq("read_seq")?.unwrap_or_default(),
    })
}

/// A thread of an upgraded file before the server has told of it: its messages have no seq yet. The server has to say what
/// lies below them.
fn upgraded(row: &Row, known: Known, asked: Section) -> Res<ThreadSection> {
    let receipts = Receipts::read(&row.line("receipts")?)?;
    let mut messages = if asked.to.is_none() { shown(row, "upgraded_rows", &receipts)? } else { Vec::new() };
    messages.reverse();
    messages.extend(known.unplaced);
    let beyond = Seq::new(BEYOND.unsigned_abs());
    Ok(ThreadSection {
        conversation_id: known.conversation_id,
        messages,
        shown: SeqRange { from: beyond, to: beyond.previous() },
        gaps: Vec::new(),
        older: Older::OnServer(beyond.previous()),
        last_seq: beyond.previous(),
        read_seq: known.read_seq,
    })
}

fn shown(row: &Row, column: &str, receipts: &Receipts) -> Res<Vec<ThreadMessage>> {
    row.lines(column)?.iter().map(|line| thread_message(line, receipts)).collect()
}

fn seqs(joined: &str) -> Res<Vec<Seq>> {
    let of = |seq: &str| seq.parse().map(Seq::new).map_err(|_| Fault::corrupt("a seq is no number"));
    joined.split(',').filter(|seq| !seq.is_empty()).map(of).collect()
}

hot! {
    NEWEST_FIRST: "a section from its end", Plan::Bounded, section("DESC");
    OLDEST_FIRST: "a section from its beginning", Plan::Bounded, section("ASC");
}

/// Conversation, from, to, how many rows.
fn section(order: &str) -> String {
    let of_thread = format!("FROM messages AS m {} WHERE m.conversation_id = thread.id", joins());
    let placed =
        format!("{of_thread} AND m.seq BETWEEN ?2 AND coalesce(?3, {BEYOND}) ORDER BY m.seq {order} LIMIT 0 + ?4");
    let upgraded = format!(
        "{of_thread} AND m.seq IS NULL AND m.position IS NULL ORDER BY m.created_at DESC, m.pk DESC LIMIT -1 + ?4"
    );
    let unplaced = format!("{of_thread} AND m.position IS NOT NULL ORDER BY m.position");
    let [placed, upgraded, unplaced] = [placed, upgraded, unplaced].map(|query| packed(&Shown::row(), &query));
    format!(
        "WITH thread AS MATERIALIZED (
    SELECT c.*, c.version < 0 AND c.server_id IS NOT NULL AS upgraded, max(c.range_to, c.last_seq,
        coalesce((SELECT max(m.seq) FROM messages AS m WHERE m.conversation_id = c.id), 0),
        coalesce((SELECT max(t.seq) FROM tombstones AS t WHERE t.conversation_id = c.id), 0)) AS newest
    FROM conversations AS c WHERE c.id = {CANONICAL})
SELECT thread.id, {receipts} AS receipts, thread.upgraded, thread.newest, thread.range_from, thread.range_to,
    (SELECT r.read_seq FROM read_markers AS r
        WHERE r.conversation_id = thread.id AND r.person_id = {VIEWER}) AS read_seq,
    CASE WHEN NOT thread.upgraded THEN {placed} END AS placed,
    CASE WHEN thread.upgraded AND ?3 IS NULL THEN {upgraded} END AS upgraded_rows,
    CASE WHEN ?3 IS NULL THEN {unplaced} END AS unplaced,
    (SELECT group_concat(t.seq) FROM tombstones AS t
        WHERE t.conversation_id = thread.id AND t.seq BETWEEN ?2 AND coalesce(?3, {BEYOND})
            AND NOT t.seq BETWEEN thread.range_from AND thread.range_to) AS deleted,
    (?2 - 1 BETWEEN thread.range_from AND thread.range_to AND thread.range_from > 0) OR {is_known_below} AS known_below
FROM thread",
        receipts = receipts("thread.id"),
        is_known_below = ["messages", "tombstones"]
            .map(|table| format!(
                "EXISTS (SELECT 1 FROM {table} AS x WHERE x.conversation_id = thread.id AND x.seq = ?2 - 1)"
            ))
            .join(" OR "),
    )
}
