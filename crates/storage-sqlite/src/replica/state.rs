//! What is known about syncing.
//!
//! SQL by hand: what is missing and what is checked next are asked for in every pass, of an index.

use crate::{
    entity::{
        conversations::Column as C,
        people::{self, Column as P},
        sync_state::{self, Column as S},
        value::Micros,
    },
    error::{Fault, Res},
    hot::{Plan, hot},
    replica::{memory, position},
    row::Row,
    sql::{Tx, id, int, of},
};
use fieldpost_domain::{ConversationId, Person, Seq, SeqRange, ServerInfo, Time};
use fieldpost_storage::{Checkable, MissingRange, SyncMemory, SyncState};
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, Iterable, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Value,
    sea_query::Expr,
};

/// How the columns of the person are named beside those of the state.
const ME: &str = "me_";

pub(super) async fn read(tx: &Tx) -> Res<SyncState> {
    let row = tx.one(&state(), vec![]).await?.ok_or_else(|| Fault::corrupt("the sync state is missing"))?;
    let state = row.model::<sync_state::Model>()?;
    Ok(SyncState {
        position: position::of(&state)?,
        generation: position::generation(&state),
        run_open: state.run_open,
        last_success_at: state.last_success_at.map(|at| at.0),
        unreadable_rows: row.count("unreadable")?,
        memory: memory::decode(state.memory.as_deref()),
        server: server(&state),
        me: row.joined::<people::Model>(ME)?.map(Person::try_from).transpose()?,
    })
}

/// The rows of the person who is signed in.
pub(super) async fn memberships(tx: &Tx) -> Res<Vec<Person>> {
    let me = sync_state::Entity::find().select_only().column(S::MeId).filter(S::MeId.is_not_null());
    let own = people::Entity::find().filter(P::Id.in_subquery(me.into_query())).order_by_asc(P::OrgId);
    tx.find::<people::Model>(&own).await?.into_iter().map(Person::try_from).collect()
}

fn server(state: &sync_state::Model) -> Option<ServerInfo> {
    let capabilities = state.capabilities.as_deref()?;
    let sql_version = state.sql_version.and_then(|version| u32::try_from(version).ok());
    // What is no list says nothing.
    Some(ServerInfo { sql_version, capabilities: serde_json::from_str(capabilities).unwrap_or_default() })
}

fn state() -> String {
    let state = S::iter().map(|column| of("s", column));
    let me = P::iter().map(|column| format!("{} AS {ME}{}", of("p", column), column.as_str()));
    format!(
        "SELECT {}, (SELECT count(*) FROM unreadable_rows) AS unreadable
        FROM sync_state AS s LEFT JOIN people AS p ON p.id = s.me_id AND p.org_id =
            (SELECT q.org_id FROM people AS q WHERE q.id = s.me_id ORDER BY q.removed, q.org_id LIMIT 1)
        WHERE s.only = 1",
        state.chain(me).collect::<Vec<_>>().join(", "),
    )
}

hot! {
    /// Newest activity first: that is where somebody looks first. The index is named because SQLite cannot know how few these
    /// are, and would rather read all conversations in the order that is asked for.
    MISSING: "what is to be fetched", Plan::Sorted("conversations_missing"),
        "SELECT c.id, c.missing_before, c.last_seq FROM conversations AS c INDEXED BY conversations_missing
        WHERE c.missing_before IS NOT NULL
        ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id LIMIT 0 + ?";
    /// By the key of the table; ids are compared byte by byte there as well.
    NEXT_CHECK: "what is checked next", Plan::Bounded,
        "SELECT id, range_from, range_to FROM conversations
        WHERE id > ? AND server_id IS NOT NULL AND range_to >= range_from AND range_to > 0 AND range_from > 0
        ORDER BY id LIMIT 1";
}

pub(super) async fn missing_ranges(tx: &Tx, limit: u32) -> Res<Vec<MissingRange>> {
    tx.all(&MISSING, vec![int(limit.into())]).await?.iter().map(missing).collect()
}

fn missing(row: &Row) -> Res<MissingRange> {
    let before = row.seq(C::MissingBefore.as_str())?;
    let some = before > Seq::ZERO;
    Ok(MissingRange {
        conversation_id: ConversationId::from_uuid(row.id(C::Id.as_str())?),
        before: some.then_some(before),
        newest: if some { before.previous() } else { row.seq(C::LastSeq.as_str())? },
    })
}

pub(super) async fn next_check(tx: &Tx, after: Option<ConversationId>) -> Res<Option<Checkable>> {
    let after = after.map_or_else(|| Value::Bytes(Some(Vec::new())), |after| id(after.as_uuid()));
    let row = tx.one(&NEXT_CHECK, vec![after]).await?;
    let checkable = |row: Row| {
        let range = SeqRange { from: row.seq(C::RangeFrom.as_str())?, to: row.seq(C::RangeTo.as_str())? };
        Ok(Checkable { conversation_id: ConversationId::from_uuid(row.id(C::Id.as_str())?), range })
    };
    row.map(checkable).transpose()
}

pub(super) async fn remember(tx: &Tx, memory: &SyncMemory, succeeded_at: Option<Time>) -> Res<()> {
    let mut remembered = sync_state::Entity::update_many().col_expr(S::Memory, Expr::value(memory::encode(memory)));
    if let Some(at) = succeeded_at {
        remembered = remembered.col_expr(S::LastSuccessAt, Expr::value(Micros(at)));
    }
    tx.execute(&remembered).await.map(drop)
}
