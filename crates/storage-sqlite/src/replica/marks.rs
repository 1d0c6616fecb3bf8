//! Marks that the store queues by itself: of what has arrived, and read marks when the server is set back or a conversation
//! comes into sight.
//!
//! SQL by hand: sets of ranges, for each page of a first load (`load`).

use crate::{
    entity::{conversations, outbox, value::Id},
    error::Res,
    hot::{Plan, hot},
    mutations::{covering, record},
    ranges::RangeSet,
    replica::{apply::conversations::lower_markers, context::PageContext},
    row::Row,
    sql::{IdSet, Tx, among, id, int, text, written},
};
use fieldpost_domain::{
    Capability, Changes, ConversationId, Intent, MarkDelivered, MarkRead, Mutation, PersonId, Seq, SeqRange, Time,
};
use fieldpost_storage::{MutationIds, visibility};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait, sea_query::Expr};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How far the server says that the signed-in person has read, in the conversations that come into sight with a page.
pub(super) fn read_as_told(context: &PageContext, changes: &Changes, first_load: bool) -> Vec<(Uuid, SeqRange)> {
    let Some(viewer) = context.viewer.filter(|_| first_load || !changes.access.is_empty()) else { return Vec::new() };
    let told = visibility::read_as_told(changes, PersonId::from_uuid(viewer), first_load);
    told.into_iter().map(|(conversation, range)| (conversation.as_uuid(), range)).collect()
}

/// The messages up to which the older app had read, of those that it had: the newest of each conversation. It is asked for
/// before the rows of a page give them their seq.
pub(super) async fn read_in_the_older_app(tx: &Tx, told: &[(Uuid, SeqRange)]) -> Res<Vec<Uuid>> {
    let rows = tx.all(&READ_BEFORE, vec![RangeSet::of(told).bind()]).await?;
    rows.iter().filter_map(|row| row.opt_id("id").transpose()).collect()
}

/// Moves the marker to what the older app had read, once.
pub(super) async fn keep_read(tx: &Tx, context: &PageContext, told: &[(Uuid, SeqRange)], read: Vec<Uuid>) -> Res<()> {
    let Some(viewer) = context.viewer.filter(|_| !told.is_empty()) else { return Ok(()) };
    tx.run(&KEEP_READ, vec![id(viewer), IdSet::of(read).bind()]).await?;
    let moved = conversations::Entity::update_many()
        .col_expr(conversations::Column::LastReadAt, Expr::value(Option::<i64>::None))
        .filter(conversations::Column::LastReadAt.is_not_null())
        .filter(conversations::Column::Id.is_in(told.iter().map(|(conversation, _)| Id(*conversation))));
    tx.execute(&moved).await.map(drop)
}

/// Queues a mark again where more was read than the server says, and no mark waits. How many.
pub(super) async fn requeue_read_marks(
    tx: &Tx,
    ids: &dyn MutationIds,
    context: &PageContext,
    told: &[(Uuid, SeqRange)],
    at: Time,
) -> Res<u64> {
    let Some(viewer) = context.viewer.filter(|_| !told.is_empty()) else { return Ok(0) };
    let forgotten = tx.all(&FORGOTTEN, vec![RangeSet::of(told).bind(), id(viewer)]).await?;
    for row in &forgotten {
        let (conversation, read_seq) = conversation_and_seq(row)?;
        let conversation_id = ConversationId::from_uuid(conversation);
        let mutation =
            Mutation { id: ids.new_id(at), intent: Intent::MarkRead(MarkRead { conversation_id, read_seq }) };
        record::record(tx, mutation, None, at).await?;
        covering::covered(conversation, read_seq).run(tx).await?;
    }
    Ok(forgotten.len() as u64)
}

/// Queues what the server is to know about messages of others that have arrived: where nothing is missing up to them and no
/// marker says so yet. How many.
pub(super) async fn note_arrived(
    tx: &Tx,
    ids: &dyn MutationIds,
    context: &PageContext,
    conversations: &BTreeSet<Uuid>,
    at: Time,
) -> Res<u64> {
    let Some(viewer) = context.viewer.filter(|_| !conversations.is_empty()) else { return Ok(0) };
    let among = IdSet::of(conversations.iter().copied());
    let rows = tx.all(&ARRIVED, vec![id(viewer), among.bind()]).await?;
    let arrived = rows.iter().map(conversation_and_seq).collect::<Res<Vec<_>>>()?;
    if arrived.is_empty() {
        return Ok(0);
    }
    let marks = arrived.iter().map(|(conversation, delivered_seq)| {
        let conversation_id = ConversationId::from_uuid(*conversation);
        let mark = MarkDelivered { conversation_id, delivered_seq: *delivered_seq };
        Mutation { id: ids.new_id(at), intent: Intent::MarkDelivered(mark) }
    });
    let marks = marks.collect();
    tx.run(&REPLACED, vec![IdSet::of(arrived.iter().map(|(conversation, _)| *conversation)).bind()]).await?;
    record::record_uncounted(tx, marks, at).await?;
    let moved: Vec<_> = arrived.iter().map(|(id, seq)| (*id, SeqRange { from: Seq::ZERO, to: *seq })).collect();
    tx.run(&ARRIVED_HERE, vec![id(viewer), RangeSet::of(&moved).bind()]).await?;
    Ok(arrived.len() as u64)
}

/// What the server knows of arrivals comes with the page that lists the conversations; what it has forgotten is said again.
pub(super) async fn forget_arrivals(tx: &Tx, context: &PageContext, changes: &Changes) -> Res<()> {
    let Some(viewer) = context.viewer.filter(|_| !changes.conversations.is_empty()) else { return Ok(()) };
    let told = changes.conversations.iter().map(|row| context.aliases.canonical(row.id.as_uuid()));
    tx.run(&FORGET_ARRIVALS, vec![id(viewer), IdSet::of(told).bind()]).await.map(drop)
}

/// Where more was read than the server says, its count is of an older marker: what is here of the difference is read.
pub(super) async fn discount(tx: &Tx, context: &PageContext, told: &[(Uuid, SeqRange)]) -> Res<()> {
    let Some(viewer) = context.viewer.filter(|_| !told.is_empty()) else { return Ok(()) };
    tx.run(&DISCOUNT, vec![RangeSet::of(told).bind(), id(viewer)]).await.map(drop)
}

/// After a change of epoch markers come down to what is the same as before: below the first message that has taken the place
/// of another one, which nobody has read.
pub(super) async fn lower_to_the_same(tx: &Tx, context: &PageContext, changes: &Changes) -> Res<()> {
    let told = changes.messages.iter().map(|message| {
        let (id, conversation) = (message.id.as_uuid(), message.conversation_id.as_uuid());
        format!("[\"{}\",\"{}\",{}]", id.simple(), conversation.simple(), message.seq)
    });
    let told = format!("[{}]", told.collect::<Vec<_>>().join(","));
    for row in tx.all(&OTHERS, vec![text(told), int(context.generation)]).await? {
        let (conversation, other) = conversation_and_seq(&row)?;
        lower_markers(tx, conversation, other.previous()).await?;
    }
    Ok(())
}

hot! {
    /// Up to where the range of each conversation is known, and only for a server that can be told.
    ARRIVED: "what has arrived", Plan::Bounded, format!("
WITH asked (viewer) AS (SELECT ?),
told AS (
    SELECT c.id, a.viewer, c.range_to, coalesce(max(r.delivered_seq, r.read_seq), 0) AS known
    FROM asked AS a CROSS JOIN json_each(?) AS j CROSS JOIN conversations AS c ON c.id = unhex(j.value)
    LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = a.viewer
    WHERE c.server_id IS NOT NULL AND '{needed}' IN (
        SELECT value FROM json_each((SELECT capabilities FROM sync_state WHERE only = 1)))),
run AS (
    SELECT told.id, (SELECT m.seq FROM messages AS m
        WHERE m.conversation_id = told.id AND m.seq > told.known AND m.seq <= told.range_to AND m.sender_id IS NOT told.viewer
        ORDER BY m.seq DESC LIMIT 1) AS seq
    FROM told WHERE told.range_to > told.known)
SELECT id, seq FROM run WHERE seq IS NOT NULL", needed = Capability::MarkDelivered);

    REPLACED: "marks that others replace", Plan::Bounded,
        written(outbox::Entity::delete_many().filter(among(outbox::Column::ConversationId)).filter(outbox::Column::Slot.eq("mark_delivered")).as_query());

    ARRIVED_HERE: "markers of what has arrived", Plan::Bounded, "
INSERT INTO read_markers (person_id, conversation_id, delivered_seq, read_seq, version)
SELECT a.viewer, unhex(j.value ->> 0), j.value ->> 2, 0, 0 FROM (SELECT ? AS viewer) AS a CROSS JOIN json_each(?) AS j WHERE true
ON CONFLICT DO UPDATE SET delivered_seq = max(delivered_seq, excluded.delivered_seq), delivered_at = NULL";

    FORGET_ARRIVALS: "markers that a first load tells", Plan::Bounded, "
UPDATE read_markers SET delivered_seq = read_seq, delivered_at = NULL
WHERE person_id = ? AND conversation_id IN (SELECT unhex(value) FROM json_each(?)) AND delivered_seq > read_seq";

    READ_BEFORE: "what the older app had read", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id FROM json_each(?))
SELECT (SELECT m.id FROM messages AS m
    WHERE m.conversation_id = c.id AND m.seq IS NULL AND m.position IS NULL AND m.created_at <= c.last_read_at
    ORDER BY m.created_at DESC, m.pk DESC LIMIT 1) AS id
FROM told CROSS JOIN conversations AS c ON c.id = told.id WHERE c.last_read_at IS NOT NULL";

    KEEP_READ: "a marker where the older app had read", Plan::Bounded, "
INSERT INTO read_markers (conversation_id, person_id, delivered_seq, read_seq, version)
SELECT m.conversation_id, ?, m.seq, m.seq, 0 FROM messages AS m
WHERE m.id IN (SELECT unhex(value) FROM json_each(?)) AND m.seq IS NOT NULL
ON CONFLICT DO UPDATE SET read_seq = max(read_seq, excluded.read_seq), delivered_seq = max(delivered_seq, excluded.read_seq)";

    FORGOTTEN: "marks that the server has forgotten", Plan::Bounded, "
WITH told AS (SELECT key AS n, unhex(value ->> 0) AS id, value ->> 1 AS f, value ->> 2 AS t FROM json_each(?))
SELECT told.id, min(r.read_seq, told.t) AS seq FROM told JOIN read_markers AS r ON r.conversation_id = told.id AND r.person_id = ?
WHERE min(r.read_seq, told.t) > told.f AND EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = told.id)
    AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.conversation_id = told.id AND o.slot = 'mark_read')
ORDER BY told.n";

    DISCOUNT: "what the server counts of what was read", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, value ->> 1 AS f, value ->> 2 AS t FROM json_each(?)),
asked (viewer) AS (SELECT ?)
UPDATE conversations AS c SET server_unread = max(c.server_unread - k.counted, 0)
FROM (
    SELECT told.id, told.t, count(*) AS counted FROM asked AS a CROSS JOIN told
    CROSS JOIN read_markers AS r ON r.conversation_id = told.id AND r.person_id = a.viewer AND r.read_seq > told.f
    CROSS JOIN messages AS m ON m.conversation_id = told.id AND m.seq > told.f AND m.seq <= min(r.read_seq, told.t)
    WHERE m.deleted_at IS NULL AND m.sender_id <> a.viewer
    GROUP BY told.id) AS k
WHERE c.id = k.id AND c.server_seq = k.t";

    /// Of each conversation that was not confirmed yet, the first message in its range that was not here.
    OTHERS: "messages in the place of others", Plan::Bounded, "
WITH told AS (SELECT unhex(value ->> 0) AS id, unhex(value ->> 1) AS place, value ->> 2 AS seq FROM json_each(?))
SELECT c.id, min(told.seq) AS seq FROM told CROSS JOIN conversations AS c
WHERE c.id = told.place AND c.confirmed < ? AND told.seq BETWEEN c.range_from AND c.range_to
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = told.id)
GROUP BY c.id";
}

fn conversation_and_seq(row: &Row) -> Res<(Uuid, Seq)> {
    Ok((row.id("id")?, row.seq("seq")?))
}
