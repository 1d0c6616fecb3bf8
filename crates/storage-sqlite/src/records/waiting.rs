//! What is free to be sent, and what is held by another change.
//!
//! A change is held by an earlier one of its record, and by the create of a record that it refers to, as long as that is
//! queued before it and was not refused. The first is asked of the queue's index; the second depends on the fields, so it is
//! looked at here, for the few changes that a batch reads.

use super::{
    entry::{self, Entry},
    sql::{among, col, name},
    tables::Tables,
    urgency::referred_by,
};
use crate::{
    entity::{
        record_queue::{Column as Q, Entity},
        value::{Id, Micros},
    },
    error::Res,
    sql::{IdSet, Tx},
};
use fieldpost_domain::{
    Time,
    records::{Priority, RecordOperation, TableName},
};
use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, QueryTrait,
    sea_query::{BinOper, Condition, Expr, ExprTrait, Query, SelectStatement},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// A column of the queue as `q`, and of an earlier change as `e`.
fn of(alias: &'static str, column: Q) -> Expr {
    Expr::col((name(alias), name(column.as_str())))
}

/// The changes that nothing but time and other changes can hold: not refused, not under way here, of a declared table.
pub(super) fn free(tables: &Tables, pass: Uuid) -> SelectStatement {
    let declared: Vec<_> = tables.declared().map(|(table, _)| table.name.as_str().to_owned()).collect();
    let mut query = Query::select();
    query
        .columns(<Q as sea_orm::Iterable>::iter().map(|column| (name("q"), name(column.as_str()))))
        .from_as(Entity, name("q"))
        .and_where(of("q", Q::FailedCode).is_null())
        // An index by table would have to be sorted by priority; this way none is used for it.
        .and_where(of("q", Q::TableName).binary(BinOper::Custom("||"), "").is_in(declared))
        .and_where(is_not_taken("q", pass));
    query
}

fn is_not_taken(alias: &'static str, pass: Uuid) -> Expr {
    of(alias, Q::TakenBy).is_null().or(of(alias, Q::TakenBy).ne(Id(pass)))
}

/// Whether it may be sent now; always if no time is given.
pub(super) fn is_due(alias: &'static str, now: Option<Time>) -> Expr {
    let Some(now) = now else { return Expr::value(true) };
    let mut due = Condition::any().add(of(alias, Q::NextAt).is_null()).add(of(alias, Q::NextAt).lte(Micros(now)));
    for priority in [Priority::Immediate, Priority::Normal, Priority::Low] {
        let longest = chrono::TimeDelta::from_std(priority.backoff(u32::MAX)).unwrap_or(chrono::TimeDelta::MAX);
        let latest = now.checked_add_signed(longest).unwrap_or(Time::MAX_UTC);
        let is_beyond = of(alias, Q::NextAt).gt(latest.timestamp_micros());
        due = due.add(of(alias, Q::Priority).eq(i64::from(priority.number())).and(is_beyond));
    }
    due.into()
}

/// An earlier change of the same record, which is `e` there.
pub(super) fn earlier() -> SelectStatement {
    let same = |column| of("e", column).equals((name("q"), name(column.as_str())));
    let mut query = Query::select();
    query
        .expr(super::sql::literal(1))
        .from_as(Entity, name("e"))
        .and_where(same(Q::TableName))
        .and_where(same(Q::RecordId))
        .and_where(of("e", Q::Position).lt(Expr::col((name("q"), name(Q::Position.as_str())))));
    query
}

/// Those that are not held by a change that cannot go with them in one batch.
pub(super) fn sendable(tables: &Tables, pass: Uuid, due_at: Option<Time>) -> SelectStatement {
    let stuck = Condition::any()
        .add(of("e", Q::FailedCode).is_not_null())
        .add(of("e", Q::TakenBy).eq(Id(pass)))
        .add(is_due("e", due_at).not());
    let blocked = earlier().cond_where(stuck).to_owned();
    let mut query = free(tables, pass);
    query.and_where(is_due("q", due_at)).and_where(Expr::not_exists(blocked));
    query
}

/// The first change of each record.
pub(super) fn firsts(tables: &Tables, pass: Uuid) -> SelectStatement {
    free(tables, pass).and_where(Expr::not_exists(earlier())).to_owned()
}

/// Creates that hold changes which refer to their records: their positions, by table and record.
pub(super) struct Creates(HashMap<(TableName, Uuid), Vec<i64>>);

impl Creates {
    /// Those that could hold one of these changes.
    pub(super) async fn of(tx: &Tx, tables: &Tables, changes: &[Entry]) -> Res<Self> {
        let mut referred: BTreeMap<TableName, BTreeSet<Uuid>> = BTreeMap::new();
        for (table, record) in changes.iter().flat_map(|change| referred_by(tables, change)) {
            referred.entry(table.clone()).or_default().insert(record);
        }
        let mut creates: HashMap<_, Vec<_>> = HashMap::new();
        for (table, records) in referred {
            let mut query = Entity::find().into_query();
            query
                .and_where(Q::TableName.eq(table.as_str()))
                .and_where(Q::Operation.eq(RecordOperation::Create.as_str()))
                .and_where(Q::FailedCode.is_null())
                .and_where(among(col("record_id"), &IdSet::of(records)));
            for create in entry::read(tx, &query).await?.into_iter().filter(|create| create.refusal.is_none()) {
                creates.entry((table.clone(), create.record)).or_default().push(create.position);
            }
        }
        Ok(Self(creates))
    }

    /// Whether one of them holds a change, when these are sent with it.
    pub(super) fn hold(&self, tables: &Tables, change: &Entry, taken: &BTreeSet<i64>) -> bool {
        referred_by(tables, change).any(|(table, record)| {
            let creates = self.0.get(&(table.clone(), record)).map(Vec::as_slice).unwrap_or_default();
            creates.iter().any(|position| *position < change.position && !taken.contains(position))
        })
    }
}
