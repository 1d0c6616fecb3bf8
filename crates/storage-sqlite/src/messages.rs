//! The role that reads a thread.
//!
//! A window is one run of seqs without a gap: inside the recent range whatever is here (a number without a message was
//! deleted), outside of it only consecutive rows and tombstones. What this device has written and the server has not placed
//! stands at the end of the newest window.
//!
//! SQL by hand: a window is one statement (`window`).

use crate::{
    SqliteStore,
    entity::read_markers,
    entity::{
        messages::{Column as M, Entity},
        value::Id,
    },
    error::{Fault, Res},
    hot::{Plan, hot},
    line::packed,
    resolve::{self, CANONICAL},
    row::Row,
    rows::message::{Receipts, Shown, joins, receipts, thread_message},
    section,
    sql::{Tx, id, int, names, signed, unsigned},
};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, MessageId, PersonId, ReadMarker, Seq, Version};
use fieldpost_storage::{
    Messages, Older, Section, StorageErrorKind, StorageResult, ThreadMessage, ThreadSection, ThreadWindow, Window,
};
use sea_orm::{
    ColumnTrait, DerivePartialModel, EntityTrait, Iterable, PartialModelTrait, QueryFilter, QueryOrder, QuerySelect,
    Value,
};
use uuid::Uuid;

#[async_trait]
impl Messages for SqliteStore {
    async fn messages(&self, conversation: ConversationId, window: Window) -> StorageResult<ThreadWindow> {
        let read = self.db.look("messages")?;
        let found = read_window(read.tx(), conversation, window).await;
        read.finish(found).await
    }

    async fn section(&self, conversation: ConversationId, asked: Section) -> StorageResult<ThreadSection> {
        let read = self.db.look("section")?;
        let found = section::read(read.tx(), conversation, asked).await;
        read.finish(found).await
    }

    async fn markers(&self, conversation: ConversationId) -> StorageResult<Vec<ReadMarker>> {
        let read = self.db.look("markers")?;
        let found = markers(read.tx(), conversation).await;
        read.finish(found).await
    }

    async fn stored_below(&self, conversation: ConversationId, below: Seq) -> StorageResult<Option<Seq>> {
        let read = self.db.look("stored_below")?;
        let found = stored_below(read.tx(), conversation, below).await;
        read.finish(found).await
    }

    async fn message(&self, id: MessageId) -> StorageResult<Option<ThreadMessage>> {
        let read = self.db.look("message")?;
        let found = by_id(read.tx(), id.as_uuid()).await;
        read.finish(found).await
    }
}

async fn markers(tx: &Tx, conversation: ConversationId) -> Res<Vec<ReadMarker>> {
    let rows = tx.all(&MARKERS, vec![id(conversation.as_uuid())]).await?;
    rows.iter().map(|row| Ok(marker(&row.model()?))).collect()
}

fn marker(row: &read_markers::Model) -> ReadMarker {
    ReadMarker {
        conversation_id: ConversationId::from_uuid(row.conversation_id.0),
        person_id: PersonId::from_uuid(row.person_id.0),
        delivered_seq: Seq::new(unsigned(row.delivered_seq)),
        read_seq: Seq::new(unsigned(row.read_seq)),
        delivered_at: row.delivered_at.map(|at| at.0),
        read_at: row.read_at.map(|at| at.0),
        version: Version::new(unsigned(row.version)),
    }
}

pub(crate) async fn by_id(tx: &Tx, message: Uuid) -> Res<Option<ThreadMessage>> {
    tx.one(&ONE, vec![id(message)]).await?.as_ref().map(one).transpose()
}

async fn stored_below(tx: &Tx, conversation: ConversationId, below: Seq) -> Res<Option<Seq>> {
    let stored = Entity::find()
        .filter(M::ConversationId.eq(Id(resolve::canonical(tx, conversation).await?)))
        .filter(M::Seq.lt(signed(below.get())));
    let highest = Placed::select_cols(stored.select_only()).order_by_desc(M::Seq).limit(1);
    Ok(tx.find_one::<Placed>(&highest).await?.and_then(|placed| placed.seq).map(|seq| Seq::new(unsigned(seq))))
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
struct Placed {
    seq: Option<i64>,
}

/// The only message of what [`columns`] finds.
pub(crate) fn one(row: &Row) -> Res<ThreadMessage> {
    thread_message(&row.line("message")?, &Receipts::read(&row.line("receipts")?)?)
}

hot! {
    /// By its id.
    ONE: "one message", Plan::Bounded, format!("SELECT {} FROM messages AS m {joins} WHERE m.id = ?", columns(), joins = joins());
    MARKERS: "the markers of a thread", Plan::Bounded, format!(
        "SELECT {} FROM read_markers WHERE conversation_id = {CANONICAL} ORDER BY person_id",
        names(&read_markers::Column::iter().collect::<Vec<_>>()),
    );
    WINDOW: "a window", Plan::Bounded, window();
}

/// What [`one`] reads, of `messages AS m` with its [`joins`].
pub(crate) fn columns() -> String {
    format!("json_array({}) AS message, {} AS receipts", Shown::row(), receipts("m.conversation_id"))
}

async fn read_window(tx: &Tx, conversation: ConversationId, window: Window) -> Res<ThreadWindow> {
    let before = window.before.map(|before| signed(before.get()));
    // One more than asked for tells whether there is more here.
    let values = vec![id(conversation.as_uuid()), Value::BigInt(before), int(i64::from(window.limit) + 1)];
    let row = tx.one(&WINDOW, values).await?;
    let row = row.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    let receipts = Receipts::read(&row.line("receipts")?)?;
    let placed = row.lines("placed")?;
    let shown = placed.iter().take(window.limit as usize).rev();
    let mut messages = shown.map(|row| thread_message(row, &receipts)).collect::<Res<Vec<_>>>()?;
    let older = if row.is("upgraded")? {
        Older::OnServer(window.before.unwrap_or(BEYOND))
    } else {
        let more = placed.len() > messages.len();
        older(&row, more, messages.first())?
    };
    for row in row.lines("unplaced")? {
        messages.push(thread_message(&row, &receipts)?);
    }
    Ok(ThreadWindow { messages, older })
}

/// How a window goes on upwards, whose first message is this one.
fn older(row: &Row, more: bool, first: Option<&ThreadMessage>) -> Res<Older> {
    let end = row.seq("bound")?;
    if more {
        return Ok(Older::Here(first.and_then(|message| message.seq).unwrap_or(end)));
    }
    // Without a run everything below the end is missing.
    let from = row.opt_seq("start")?.unwrap_or(end);
    Ok(if from <= Seq::new(1) { Older::Nothing } else { Older::OnServer(from) })
}

/// Above every seq that a server gives: its newest messages lie below it.
const BEYOND: Seq = Seq::new((1 << 53) - 1);

/// A window of a thread in one statement: conversation, below which seq, how many rows.
///
/// `thread` is what is known of the thread, `window` where the window ends: below what was asked for, or above the newest seq
/// that is here. If the recent range does not hold what is below, `run` goes down from there as far as rows and tombstones
/// follow each other.
///
/// A thread of an upgraded file is shown in the order of its times before the server has told of it, as the old app did: its
/// acknowledged messages have no seq yet, and what lies below them the server has to say.
fn window() -> String {
    let joins = joins();
    let placed = format!(
        "FROM messages AS m {joins} WHERE m.conversation_id = w.id AND m.seq BETWEEN w.start AND w.top \
         ORDER BY m.seq DESC LIMIT 0 + ?3"
    );
    let upgraded = format!(
        "FROM messages AS m {joins} WHERE m.conversation_id = w.id AND m.seq IS NULL AND m.position IS NULL \
         ORDER BY m.created_at DESC, m.pk DESC LIMIT -1 + ?3"
    );
    let unplaced = format!(
        "FROM messages AS m {joins} WHERE m.conversation_id = w.id AND m.position IS NOT NULL ORDER BY m.position"
    );
    let [placed, upgraded, unplaced] = [placed, upgraded, unplaced].map(|query| packed(&Shown::row(), &query));
    format!(
        "WITH RECURSIVE
thread AS MATERIALIZED (
    SELECT c.*, c.version < 0 AND c.server_id IS NOT NULL AS upgraded, max(c.range_to,
        coalesce((SELECT max(m.seq) FROM messages AS m WHERE m.conversation_id = c.id), 0),
        coalesce((SELECT max(t.seq) FROM tombstones AS t WHERE t.conversation_id = c.id), 0)) AS newest
    FROM conversations AS c WHERE c.id = {CANONICAL}),
bounded AS (SELECT *, coalesce(nullif(newest, 0), last_seq) + 1 AS bound FROM thread),
ending AS MATERIALIZED (SELECT *, max(min(coalesce(?2, bound), bound) - 1, 0) AS top FROM bounded),
run (seq) AS (
    SELECT ending.top FROM ending WHERE NOT {COVERED} AND {is_top_here}
    UNION ALL SELECT run.seq - 1 FROM run, ending WHERE {is_next_here}),
window AS (SELECT *, CASE WHEN {COVERED} THEN range_from ELSE (SELECT min(seq) FROM run) END AS start FROM ending)
SELECT {receipts} AS receipts, w.upgraded, w.top + 1 AS bound, w.start,
    CASE WHEN NOT w.upgraded THEN {placed} WHEN ?2 IS NULL THEN {upgraded} END AS placed,
    CASE WHEN ?2 IS NULL THEN {unplaced} END AS unplaced
FROM window AS w",
        is_top_here = is_here("ending.top"),
        is_next_here = is_here("run.seq - 1"),
        receipts = receipts("w.id"),
    )
}

const COVERED: &str = "(range_from > 0 AND range_from <= top AND top <= range_to)";

/// Whether a row or a tombstone has this seq.
fn is_here(seq: &str) -> String {
    let any = |table: &str| {
        format!("EXISTS (SELECT 1 FROM {table} AS x WHERE x.conversation_id = ending.id AND x.seq = {seq})")
    };
    format!("({} OR {})", any("messages"), any("tombstones"))
}
