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
//! A conversation that was marked unread counts from there on, although the marker stays ([`UNREAD_ABOVE`]).
//!
//! **The newest message** is the last one that is queued here (dead letters included: they stand at the end of the thread
//! until somebody deals with them), else the highest seq that is here, unless the server has told of a newer one. Only the
//! start of its text is kept; `fieldpost_domain::preview` cuts it between what a reader sees as characters when it is read. A
//! character more than a preview can have is kept, so that the cut is the same as on the whole text.
//!
//! SQL by hand: sets of conversations at once (`apply`, `send`).

use crate::{
    entity::{
        conversations::{Column, Entity},
        value::Id,
    },
    error::Res,
    hot::{Plan, hot},
    ranges,
    resolve::{self, VIEWER},
    sql::{Bound, IdSet, Insert, Tx, id, int, opt_id, opt_text, signed},
};
use fieldpost_domain::ConversationId;
use fieldpost_storage::ChangeSet;
use sea_orm::{DerivePartialModel, EntityTrait, PartialModelTrait, QuerySelect, Value, sea_query::Expr};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use uuid::Uuid;

/// What the server says of a conversation beside what carries its version, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The highest seq that any answer has told of.
    pub(crate) last_seq: i64,
    /// When the newest message was this one,
    pub(crate) seq: i64,
    /// it was of then,
    pub(crate) at: Option<i64>,
    /// and began like this;
    pub(crate) preview: Option<String>,
    /// so many were unread,
    pub(crate) unread: i64,
    /// of which so many mentioned the reader,
    pub(crate) mentions: i64,
    /// and the medic was called so.
    pub(crate) medic_name: Option<String>,
}

/// New messages of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct News {
    /// The lowest seq.
    pub(crate) low: u64,
    /// The highest.
    pub(crate) high: u64,
    /// Whether all between are there.
    pub(crate) whole: bool,
    /// How many count as unread.
    pub(crate) unread: u64,
    /// How many of these mention the reader.
    pub(crate) mentions: u64,
}

/// What a page says and changes in one conversation.
pub(crate) struct Line {
    conversation: Uuid,
    /// If the server tells it again.
    told: Option<Told>,
    news: Option<News>,
}

/// Writes what a page says and changes in its conversations, and what follows from it, once for each. What that does not
/// cover, [`settle`] finds.
pub(crate) async fn tell(
    tx: &Tx,
    touched: &BTreeSet<Uuid>,
    mut told: BTreeMap<Uuid, Told>,
    mut news: BTreeMap<Uuid, News>,
) -> Res<()> {
    if touched.is_empty() {
        return Ok(());
    }
    note(tx, touched).await;
    let lines = touched.iter().map(|id| Line { conversation: *id, told: told.remove(id), news: news.remove(id) });
    TELL.run(tx, &lines.collect::<Vec<_>>(), &()).await.map(drop)
}

/// Rewrites everything derived of these conversations.
pub(crate) async fn refresh(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    if ids.is_empty() {
        return Ok(());
    }
    note(tx, ids).await;
    let ids = IdSet::of(ids.iter().copied());
    count(tx, &unsettled(tx, &ids).await?).await?;
    tx.run(&SHOWN, vec![ids.bind()]).await.map(drop)
}

/// The same of conversations for which [`tell`] was the last word: nearly always there is nothing left to do.
pub(crate) async fn settle(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let unsettled = unsettled(tx, &IdSet::of(ids.iter().copied())).await?;
    if unsettled.is_empty() {
        return Ok(());
    }
    count(tx, &unsettled).await?;
    tx.run(&SHOWN, vec![unsettled.bind()]).await.map(drop)
}

/// That these conversations look different, and the badge with them.
async fn note(tx: &Tx, ids: &BTreeSet<Uuid>) {
    tx.changed(ChangeSet::of(ids.iter().copied().map(ConversationId::from_uuid)).and_unread()).await;
}

async fn unsettled(tx: &Tx, ids: &IdSet) -> Res<IdSet> {
    Ok(IdSet::packed(tx.value(&UNSETTLED, vec![ids.bind()]).await?))
}

async fn count(tx: &Tx, unsettled: &IdSet) -> Res<()> {
    if unsettled.is_empty() {
        return Ok(());
    }
    let viewer = resolve::viewer(tx).await?;
    ranges::refresh(tx, unsettled).await?;
    tx.run(&RECOUNT, vec![opt_id(viewer), unsettled.bind()]).await.map(drop)
}

hot! {
    /// Those of which ranges or counts could change. New messages that continue a thread without a hole are noted when they are
    /// stored ([`tell`]), so that nearly always there is none, and one look spares six statements.
    UNSETTLED: "what could change", Plan::Bounded, format!("
SELECT json_group_array(hex(c.id))
FROM (SELECT {VIEWER} AS viewer) AS a CROSS JOIN json_each(?) AS j CROSS JOIN conversations AS c
LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = a.viewer
WHERE c.id = unhex(j.value) AND NOT (
    c.range_from > 0 AND c.range_to >= max(c.range_from, c.last_seq, 1) AND c.missing_before IS NULL
    AND c.unread_above IS {floor}
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq > c.last_seq)
    AND NOT EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq > c.last_seq)
    AND (c.range_from = 1 OR NOT (
        EXISTS (SELECT 1 FROM messages AS m WHERE m.conversation_id = c.id AND m.seq = c.range_from - 1)
        OR EXISTS (SELECT 1 FROM tombstones AS t WHERE t.conversation_id = c.id AND t.seq = c.range_from - 1))))",
        floor = UNREAD_ABOVE);

    /// Counts again where the count that is kept is of another marker, or a counted message has changed.
    RECOUNT: "counting again", Plan::Bounded, format!("
WITH asked (viewer, name) AS (SELECT a.viewer, {name} FROM (SELECT ? AS viewer) AS a),
marked AS (
    SELECT c.id, a.viewer, a.name, {UNREAD_ABOVE} AS mark
    FROM json_each(?) AS j CROSS JOIN asked AS a CROSS JOIN conversations AS c ON c.id = unhex(j.value)
    LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = a.viewer)
UPDATE conversations AS c
SET unread_above = k.mark, (unread_here, mentions_here) = (
    SELECT count(*), coalesce(sum({mentioned}), 0) FROM messages AS m
    WHERE m.conversation_id = c.id AND m.seq > k.mark AND m.deleted_at IS NULL AND m.sender_id IS NOT k.viewer)
FROM marked AS k WHERE c.id = k.id AND c.unread_above IS NOT k.mark", name = name_of("a.viewer"), mentioned = mentions("k.name"));

    /// What a row of the list shows: the unread count and the newest message.
    SHOWN: "what a list shows", Plan::Bounded,
        format!("UPDATE conversations AS c SET {}, {}, {}, {} {OF_SET}", unread("c"), unread_mentions("c"), newest("c"), revived());

    NEWEST: "the newest message", Plan::Bounded, format!("UPDATE conversations AS c SET {} {OF_SET}", newest("c"));

    /// The same of the conversation that a mutation is about.
    NEWEST_OF_LANE: "the newest message of a send", Plan::Bounded, format!(
        "UPDATE conversations AS c SET {} WHERE c.id = (SELECT o.conversation_id FROM outbox AS o WHERE o.id = ?)",
        newest("c"),
    );

    /// What is new in conversations, of messages with a key above the given one, when a page has brought others as well.
    ADD_NEW: "what is new beside what is not", Plan::Bounded, format!("
WITH asked (newest, viewer, name) AS (SELECT a.newest, a.viewer, {name} FROM (SELECT ? AS newest, ? AS viewer) AS a)
UPDATE conversations AS c SET unread_here = c.unread_here + n.count, mentions_here = c.mentions_here + n.mentions,
    range_to = CASE WHEN c.range_from > 0 AND n.low = c.range_to + 1 AND n.high - n.low + 1 = n.seqs THEN n.high
        ELSE c.range_to END
FROM (
    SELECT m.conversation_id AS id, min(m.seq) AS low, max(m.seq) AS high, count(DISTINCT m.seq) AS seqs,
        sum({counts}) AS count, coalesce(sum({counts} AND {mentioned}), 0) AS mentions
    FROM asked AS a CROSS JOIN messages AS m JOIN conversations AS k ON k.id = m.conversation_id
    WHERE m.pk > a.newest
    GROUP BY m.conversation_id) AS n
WHERE c.id = n.id",
        name = name_of("a.viewer"),
        counts = "(m.deleted_at IS NULL AND m.sender_id IS NOT a.viewer AND m.seq > coalesce(k.unread_above, 0))",
        mentioned = mentions("a.name"),
    );
}

/// A person's id as a message's mentions have it, made of the blob of an expression; null of null.
fn name_of(person: &str) -> String {
    let part = |from, length| format!("substr(hex({person}), {from}, {length})");
    let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
    format!("CASE WHEN {person} IS NOT NULL THEN lower({}) END", parts.join(" || '-' || "))
}

/// Whether a message, `m`, mentions the person of this name; null if it mentions nobody.
fn mentions(name: &str) -> String {
    format!("instr(m.mentions, {name}) > 0")
}

/// As parameters: taken out of JSON, each value costs as much as writing the row. The range grows where new messages continue
/// it without a hole.
pub(crate) static TELL: LazyLock<Insert<Line>> = LazyLock::new(|| {
    fn told<T>(line: &Line, part: impl Fn(&Told) -> T) -> Option<T> {
        line.told.as_ref().map(part)
    }
    Insert::reading(
        &[
            ("id", |line, ()| id(line.conversation)),
            ("again", |line, ()| int(line.told.is_some().into())),
            ("last_seq", |line, ()| Value::BigInt(told(line, |told| told.last_seq))),
            ("seq", |line, ()| Value::BigInt(told(line, |told| told.seq))),
            ("at", |line, ()| Value::BigInt(told(line, |told| told.at).flatten())),
            ("preview", |line, ()| opt_text(told(line, |told| told.preview.clone()).flatten())),
            ("unread", |line, ()| Value::BigInt(told(line, |told| told.unread))),
            ("unread_mentions", |line, ()| Value::BigInt(told(line, |told| told.mentions))),
            ("medic", |line, ()| opt_text(told(line, |told| told.medic_name.clone()).flatten())),
            ("count", |line, ()| int(line.news.map_or(0, |news| signed(news.unread)))),
            ("mentions", |line, ()| int(line.news.map_or(0, |news| signed(news.mentions)))),
            ("low", |line, ()| Value::BigInt(line.news.map(|news| signed(news.low)))),
            ("high", |line, ()| Value::BigInt(line.news.map(|news| signed(news.high)))),
            ("whole", |line, ()| int(line.news.is_some_and(|news| news.whole).into())),
        ],
        &format!(
            ", k AS (SELECT c.id, c.version, c.range_from, c.unread_above, c.unread_here + told.count AS unread_here,
    c.mentions_here + told.mentions AS mentions_here, iif(told.again, told.unread_mentions, c.server_mentions) AS server_mentions,
    iif(told.again, told.last_seq, c.last_seq) AS last_seq, iif(told.again, told.medic, c.medic_name) AS medic_name,
    iif(told.again, told.seq, c.server_seq) AS server_seq, iif(told.again, told.at, c.server_at) AS server_at,
    iif(told.again, told.preview, c.server_preview) AS server_preview, iif(told.again, told.unread, c.server_unread) AS server_unread,
    CASE WHEN c.range_from > 0 AND told.low = c.range_to + 1 AND told.whole THEN told.high ELSE c.range_to END AS range_to
    FROM rows AS told CROSS JOIN conversations AS c WHERE c.id = told.id)
UPDATE conversations AS c SET unread_here = k.unread_here, range_to = k.range_to, last_seq = k.last_seq,
    medic_name = k.medic_name, server_seq = k.server_seq, server_at = k.server_at, server_preview = k.server_preview,
    server_unread = k.server_unread, mentions_here = k.mentions_here, server_mentions = k.server_mentions,
    {unread}, {mentions}, {newest}, {revived}
FROM k WHERE c.id = k.id",
            unread = unread("k"),
            mentions = unread_mentions("k"),
            newest = newest("k"),
            revived = revived(),
        ),
    )
});

/// The seq above which messages of `c` are unread for somebody whose marker is `r`: below the marker, if they were marked
/// unread from there on. The marker itself never goes back.
pub(crate) const UNREAD_ABOVE: &str =
    "min(coalesce(r.read_seq, 0), coalesce(max(c.unread_from - 1, 0), coalesce(r.read_seq, 0)))";

/// Whether a message of somebody else came after a conversation was archived. Few are archived.
fn revived() -> String {
    format!(
        "revived = c.archived_at IS NOT NULL AND EXISTS (SELECT 1 FROM messages AS m
        WHERE m.conversation_id = c.id AND m.seq > c.archived_seq AND m.sender_id IS NOT {VIEWER})"
    )
}

const OF_SET: &str = "WHERE c.id IN (SELECT unhex(value) FROM json_each(?))";

/// The unread count of a conversation, by what `t` says of it; as long as nothing is counted it stays as it was.
fn unread(t: &str) -> String {
    let unknown = unknown(t);
    counted(t, "unread_count", "unread_here", &format!("min({t}.server_unread, {t}.unread_here + {unknown})"))
}

/// How many of these mention the reader. A server that does not count them says zero.
fn unread_mentions(t: &str) -> String {
    let unknown = unknown(t);
    let partly = format!("max({t}.mentions_here, min({t}.server_mentions, {t}.mentions_here + {unknown}))");
    counted(t, "unread_mentions", "mentions_here", &partly)
}

fn counted(t: &str, count: &str, here: &str, partly: &str) -> String {
    format!(
        "{count} = coalesce(CASE
        WHEN {t}.version >= 0 AND {t}.unread_above >= {t}.last_seq THEN 0
        WHEN {t}.range_from > 0 AND {t}.range_from <= {t}.unread_above + 1 AND {t}.range_to >= {t}.server_seq THEN {t}.{here}
        ELSE {partly} END, c.{count})"
    )
}

/// How many messages above the marker the server has counted and this device has not: one for each seq.
fn unknown(t: &str) -> String {
    format!(
        "max(max({t}.server_seq - {t}.unread_above, 0)
            - max(min({t}.range_to, {t}.server_seq) - max({t}.range_from, {t}.unread_above + 1) + 1, 0)
            - (SELECT count(*) FROM messages AS m WHERE m.conversation_id = {t}.id
                AND m.seq > max({t}.unread_above, {t}.range_to) AND m.seq <= {t}.server_seq)
            - (SELECT count(*) FROM messages AS m WHERE m.conversation_id = {t}.id
                AND m.seq > {t}.unread_above AND m.seq < min({t}.range_from, {t}.server_seq + 1)), 0)"
    )
}

/// Its newest message.
fn newest(t: &str) -> String {
    format!(
        "(last_message_at, last_message_preview) = (
        SELECT at, start FROM (
            SELECT 0 AS rank, at, start FROM (
                SELECT m.created_at AS at, substr(m.content, 1, 101) AS start FROM messages AS m
                WHERE m.conversation_id = {t}.id AND m.position IS NOT NULL
                ORDER BY m.position DESC LIMIT 1)
            UNION ALL SELECT 1, at, start FROM (
                SELECT m.created_at AS at, substr(m.content, 1, 101) AS start, m.seq FROM messages AS m
                WHERE m.conversation_id = {t}.id AND m.seq IS NOT NULL
                ORDER BY m.seq DESC LIMIT 1)
            WHERE seq >= {t}.server_seq OR {t}.range_to >= {t}.server_seq
            UNION ALL SELECT 2, {t}.server_at, {t}.server_preview)
        ORDER BY rank LIMIT 1)"
    )
}

/// What brings a conversation in line with a marker that has moved. Its range does not depend on that.
pub(crate) fn marked(conversation: Uuid, viewer: Uuid) -> [Bound; 2] {
    let set = IdSet::of([conversation]);
    [Bound::new(&RECOUNT, vec![id(viewer), set.bind()]), Bound::new(&SHOWN, vec![set.bind()])]
}

/// The file has got its owner: whose messages count may have changed everywhere.
pub(crate) async fn refresh_all(tx: &Tx) -> Res<()> {
    tx.changed(ChangeSet::everything()).await;
    let unknown = Entity::update_many().col_expr(Column::UnreadAbove, Expr::value(None::<i64>));
    tx.execute(&unknown).await?;
    let ids = tx.find::<Named>(&Named::select_cols(Entity::find().select_only())).await?;
    refresh(tx, &ids.into_iter().map(|named| named.id.0).collect()).await
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
struct Named {
    id: Id,
}

/// After something was written here that has no seq: the rest stays as it is.
pub(crate) async fn refresh_newest(tx: &Tx, ids: &BTreeSet<Uuid>) -> Res<()> {
    tx.touched(ids.iter().copied()).await;
    tx.run(&NEWEST, vec![IdSet::of(ids.iter().copied()).bind()]).await.map(drop)
}
