//! Conversations of a page.
//!
//! A row has two parts. What carries its version replaces what is stored if it is newer. What the server derives when it
//! reads the row (the last seq, the newest message, the unread count, the medic's name) carries none: it is taken from the
//! answer that knew of the most messages, of equals from the later one unless its version is older, and `last_seq` never goes
//! back. Both rules at once are a comparison of the pairs (last seq, version). Of an answer that was asked for beside a pass
//! nobody knows whether it is the later one, so it has to be greater.
//!
//! SQL by hand: sets of rows (`apply`).

use super::{applied::Applied, excluded::Excluded};
use crate::{
    derived::Told,
    entity::{
        aliases,
        conversations::{Column as C, Entity},
        read_markers,
        value::Id,
    },
    error::Res,
    hot::{Plan, hot},
    line::{Line, cells, packed},
    rekey,
    replica::context::PageContext,
    rows::json,
    sql::{
        Field, IdSet, Insert, Tx, among, excluded, given, hex, id, int, names, of, opt_id, opt_text, opt_time, seq,
        signed, text, time, written,
    },
};
use fieldpost_domain::{Conversation, ConversationKind, Seq};
use fieldpost_storage::ChangeSet;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryTrait,
    sea_query::{Expr, Func},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};
use uuid::Uuid;

pub(super) async fn put(
    tx: &Tx,
    context: &mut PageContext,
    conversations: Vec<Conversation>,
    applied: &mut Applied,
) -> Res<()> {
    if conversations.is_empty() {
        return Ok(());
    }
    let all = conversations.len();
    let excluded = Excluded::among(tx, &ids(&conversations)).await?;
    let version = |row: &Conversation, context: &PageContext| context.epoch.stored(row.version);
    let welcome: Vec<_> =
        conversations.into_iter().filter(|row| !excluded.excludes(row.id.as_uuid(), version(row, context))).collect();
    own_again(tx, context, &welcome).await?;
    merge_offline_twins(tx, context, &welcome, applied).await?;
    if context.new_epoch {
        start_over(tx, context, &welcome).await?;
    }
    let mut known = known(tx, &ids(&welcome)).await?;
    let (retold, told): (Vec<_>, Vec<_>) = welcome
        .iter()
        .partition(|row| known.get(&row.id.as_uuid()).is_some_and(|known| known.version >= version(row, context)));
    let changed = UPSERT.run(tx, &told, context).await?;
    let retold = retell(context, &retold, &mut known, &mut applied.told);
    applied.count(all, changed + retold);
    if context.bootstrapping {
        tx.run(&CONFIRM, vec![int(context.generation), ids(&welcome).bind()]).await?;
    }
    applied.touched.extend(welcome.iter().map(|row| row.id.as_uuid()));
    Ok(())
}

/// What was merged into another one of the same medic, and then handed on to another, is itself.
async fn own_again(tx: &Tx, context: &mut PageContext, rows: &[Conversation]) -> Res<()> {
    let own: Vec<_> = rows.iter().map(|row| row.id.as_uuid()).filter(|id| context.aliases.has(*id)).collect();
    if own.is_empty() {
        return Ok(());
    }
    tx.run(&OWN_AGAIN, vec![IdSet::of(own.iter().copied()).bind()]).await?;
    // Its messages may be in the other one.
    tx.changed(ChangeSet::everything()).await;
    own.into_iter().for_each(|id| context.aliases.forget(id));
    Ok(())
}

fn ids(conversations: &[Conversation]) -> IdSet {
    IdSet::of(conversations.iter().map(|row| row.id.as_uuid()))
}

/// A conversation that was opened here with the same medic, and that the server knows under another id.
async fn merge_offline_twins(
    tx: &Tx,
    context: &mut PageContext,
    rows: &[Conversation],
    applied: &mut Applied,
) -> Res<()> {
    if !context.any_local {
        return Ok(());
    }
    let local = tx.all(&LOCAL, vec![]).await?;
    let local = local.iter().map(|row| Ok(((row.id("org_id")?, row.id("medic_id")?), row.id("id")?)));
    let local = local.collect::<Res<HashMap<_, _>>>()?;
    for row in rows.iter().filter(|row| row.kind == ConversationKind::Direct) {
        let Some(medic) = row.medic_id else { continue };
        let twin: Option<&Uuid> = local.get(&(row.org_id.as_uuid(), medic.as_uuid()));
        // One that the page brings itself is known to the server under its own id.
        let by_itself = |twin: &Uuid| rows.iter().any(|row| row.id.as_uuid() == *twin);
        if let Some(twin) = twin.filter(|twin| !by_itself(twin)) {
            rekey::rekey(tx, *twin, row.id.as_uuid(), &mut applied.touched).await?;
            context.aliases.rekeyed(*twin, row.id.as_uuid());
        }
    }
    Ok(())
}

/// The first word of a new epoch about a conversation: nothing that was known of its seqs holds, and a marker above the last
/// one would swallow messages that are yet to be written.
async fn start_over(tx: &Tx, context: &PageContext, rows: &[Conversation]) -> Res<()> {
    for row in rows {
        let conversation = row.id.as_uuid();
        let forgotten = [C::LastSeq, C::ServerSeq, C::RangeFrom, C::RangeTo];
        let unconfirmed =
            Entity::update_many().filter(C::Id.eq(Id(conversation))).filter(C::Confirmed.lt(context.generation));
        let over = forgotten.into_iter().fold(unconfirmed, |over, column| over.col_expr(column, Expr::value(0_i64)));
        if tx.execute(&over).await? > 0 {
            lower_markers(tx, conversation, row.last_seq).await?;
        }
    }
    Ok(())
}

/// A server that was restored from an older state gives seqs again that had been read before.
pub(crate) async fn lower_markers(tx: &Tx, conversation: Uuid, last: Seq) -> Res<()> {
    let last_seq = signed(last.get());
    let at_most = |column| Func::cust("min").args([Expr::col(column), Expr::value(last_seq)]);
    let markers = [read_markers::Column::ReadSeq, read_markers::Column::DeliveredSeq];
    let of_this = read_markers::Entity::update_many();
    let of_this = of_this.filter(read_markers::Column::ConversationId.eq(Id(conversation)));
    let lowered = markers.into_iter().fold(of_this, |lowered, column| lowered.col_expr(column, at_most(column).into()));
    let times = [read_markers::Column::ReadAt, read_markers::Column::DeliveredAt];
    let lowered = times.into_iter().fold(lowered, |lowered, at| lowered.col_expr(at, Expr::value(Option::<i64>::None)));
    tx.execute(&lowered).await?;
    tx.run(CLAMP_READ, vec![seq(last), id(conversation)]).await?;
    tx.run(CLAMP_DELIVERED, vec![seq(last), id(conversation)]).await.map(drop)
}

const CLAMP_READ: &str = "
UPDATE outbox SET payload = json_set(payload, '$.read_seq', min(payload ->> '$.read_seq', ?))
WHERE conversation_id = ? AND slot = 'mark_read'";
const CLAMP_DELIVERED: &str = "
UPDATE outbox SET payload = json_set(payload, '$.delivered_seq', min(payload ->> '$.delivered_seq', ?))
WHERE conversation_id = ? AND slot = 'mark_delivered'";

cells! {
    /// What is stored of a conversation, `c`, that the server tells again.
    enum Stored() {
        Id = hex("c", C::Id),
        Version = of("c", C::Version),
        LastSeq = of("c", C::LastSeq),
        Seq = of("c", C::ServerSeq),
        At = of("c", C::ServerAt),
        Preview = of("c", C::ServerPreview),
        Unread = of("c", C::ServerUnread),
        Mentions = of("c", C::ServerMentions),
        MedicName = of("c", C::MedicName),
    }
}

/// What the server has derived, as it is stored.
#[derive(Debug, Clone)]
struct Known {
    version: i64,
    told: Told,
}

impl Known {
    fn read(row: &Line) -> Res<(Uuid, Self)> {
        let told = Told {
            last_seq: row.get(Stored::LastSeq)?,
            seq: row.get(Stored::Seq)?,
            at: row.get(Stored::At)?,
            preview: row.get(Stored::Preview)?,
            unread: row.get(Stored::Unread)?,
            mentions: row.get(Stored::Mentions)?,
            medic_name: row.get(Stored::MedicName)?,
        };
        Ok((row.id(Stored::Id)?, Self { version: row.get(Stored::Version)?, told }))
    }
}

/// Of those the server has told of, what is stored.
async fn known(tx: &Tx, ids: &IdSet) -> Res<HashMap<Uuid, Known>> {
    tx.only(&KNOWN, vec![ids.bind()]).await?.lines("known")?.iter().map(Known::read).collect()
}

/// What the server derives, of rows that are stored in this version already: the usual case, whenever somebody writes. It is
/// written with what else the page changes in its conversations. Answers how many change.
fn retell(
    context: &PageContext,
    rows: &[&Conversation],
    known: &mut HashMap<Uuid, Known>,
    told: &mut BTreeMap<Uuid, Told>,
) -> u64 {
    let mut changed = 0;
    for row in rows {
        let Some(known) = known.get_mut(&row.id.as_uuid()) else { continue };
        let version = context.epoch.stored(row.version) - i64::from(context.beside);
        let news = Told {
            last_seq: known.told.last_seq.max(signed(row.last_seq.get())),
            seq: signed(row.last_seq.get()),
            at: row.last_message_at.map(|at| at.timestamp_micros()),
            preview: row.last_message_preview.clone(),
            unread: signed(row.unread),
            mentions: signed(row.unread_mentions),
            medic_name: row.medic_name.clone(),
        };
        let newer = (news.seq, version) >= (known.told.seq, known.version);
        let news = if newer { news } else { Told { last_seq: news.last_seq, ..known.told.clone() } };
        if news != known.told {
            changed += 1;
            known.told = news.clone();
            told.insert(row.id.as_uuid(), news);
        }
    }
    changed
}

/// The columns of a conversation that the server tells, with their values.
const COLUMNS: [Field<Entity, Conversation, PageContext>; 19] = [
    (C::Id, |row, _| id(row.id.as_uuid())),
    (C::ServerId, |row, _| id(row.id.as_uuid())),
    (C::OrgId, |row, _| id(row.org_id.as_uuid())),
    (C::Kind, |row, _| text(row.kind.as_str())),
    (C::Subject, |row, _| opt_text(row.subject.as_deref())),
    (C::MedicId, |row, _| opt_id(row.medic_id.map(|id| id.as_uuid()))),
    (C::MedicName, |row, _| opt_text(row.medic_name.as_deref())),
    (C::CreatedBy, |row, _| id(row.created_by.as_uuid())),
    (C::CreatedAt, |row, _| time(row.created_at)),
    (C::UpdatedAt, |row, _| time(row.updated_at)),
    (C::LastSeq, |row, _| seq(row.last_seq)),
    (C::ServerSeq, |row, _| seq(row.last_seq)),
    (C::ServerAt, |row, _| opt_time(row.last_message_at)),
    (C::ServerPreview, |row, _| opt_text(row.last_message_preview.as_deref())),
    (C::ServerUnread, |row, _| int(signed(row.unread))),
    (C::ServerMentions, |row, _| int(signed(row.unread_mentions))),
    (C::Version, |row, context| context.epoch.bind(row.version)),
    (C::Omitted, |row, _| json::omitted(row.omitted.as_ref())),
    (C::Extra, |row, _| json::extra(&row.extra)),
];

static UPSERT: LazyLock<Insert<Conversation, PageContext>> =
    LazyLock::new(|| Insert::into::<Entity>(&COLUMNS, upsert()));

/// A row that is there: what carries its version, and what the server derives, each by its own rule.
fn upsert() -> String {
    use C::*;
    let versioned = [OrgId, Kind, Subject, MedicId, CreatedBy, CreatedAt, UpdatedAt, Omitted, Extra];
    let derived = [MedicName, ServerSeq, ServerAt, ServerPreview, ServerUnread, ServerMentions];
    let told_later = "(excluded.server_seq, excluded.version) >= (server_seq, version)";
    format!(
        "ON CONFLICT (id) DO UPDATE SET
            (server_id, version) = (excluded.id, max(excluded.version, version)), {versioned}, {later},
            last_seq = max(last_seq, excluded.last_seq)
        WHERE excluded.version > version OR server_id IS NULL OR excluded.last_seq > last_seq
            OR ({told_later} AND ({new}) IS NOT ({old}))",
        versioned = set_where(&versioned, "excluded.version > version"),
        later = set_where(&derived, &format!("(server_id IS NULL OR {told_later})")),
        new = excluded(&derived),
        old = names(&derived),
    )
}

fn set_where(columns: &[C], condition: &str) -> String {
    let (new, old) = (excluded(columns), names(columns));
    format!("({old}) = (SELECT {new} WHERE {condition} UNION ALL SELECT {old} WHERE NOT ({condition}))")
}

hot! {
    /// Those that wait in the outbox; nearly always none. SQLite would not guess that, so the index is named.
    LOCAL: "what the server does not know", Plan::Sorted("conversations_local"),
        "SELECT id, org_id, medic_id FROM conversations INDEXED BY conversations_local
        WHERE server_id IS NULL AND medic_id IS NOT NULL AND type = 'direct' ORDER BY id DESC";
    KNOWN: "which rows are known", Plan::Bounded, format!("SELECT {} AS known", packed(
        &Stored::row(),
        "FROM json_each(?) AS j CROSS JOIN conversations AS c WHERE c.id = unhex(j.value) AND c.server_id IS NOT NULL",
    ));
    OWN_AGAIN: "which ids are their own again", Plan::Bounded,
        written(aliases::Entity::delete_many().filter(among(aliases::Column::Id)).as_query());
    CONFIRM: "what a bootstrap confirms", Plan::Bounded,
        written(Entity::update_many().col_expr(C::Confirmed, given()).filter(among(C::Id)).as_query());
}
