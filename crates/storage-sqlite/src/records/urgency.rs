//! Priorities that spread.

use super::{
    alias::referred,
    entry::{self, Entry},
    tables::Tables,
};
use crate::{
    entity::{
        record_queue::{Column as Q, Entity},
        value::{Id, Micros},
    },
    error::Res,
    sql::Tx,
};
use fieldpost_domain::records::{Priority, RecordOperation, TableName};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait, UpdateMany, sea_query::Expr};
use uuid::Uuid;

/// Makes everything that must be sent before a change as urgent as it is: earlier changes of its record, and creates of
/// records that it refers to. What becomes more urgent no longer waits.
pub(super) async fn spread(tx: &Tx, tables: &Tables, change: Entry) -> Res<()> {
    let priority = change.priority;
    let mut urgent = vec![change];
    while let Some(change) = urgent.pop() {
        let (of_record, position) = ((change.table.as_str(), change.record), change.position);
        urgent.extend(raise(tx, more_urgent(of_record, position, priority)).await?);
        for (other, id) in referred_by(tables, &change) {
            let creates = more_urgent((other.as_str(), id), position, priority)
                .filter(Q::Operation.eq(RecordOperation::Create.as_str()));
            urgent.extend(raise(tx, creates).await?);
        }
    }
    Ok(())
}

fn more_urgent((table, record): (&str, Uuid), position: i64, priority: Priority) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Q::Priority, Expr::value(i64::from(priority.number())))
        .col_expr(Q::NextAt, Expr::value(None::<Micros>))
        .filter(Q::TableName.eq(table))
        .filter(Q::RecordId.eq(Id(record)))
        .filter(Q::Position.lt(position))
        .filter(Q::Priority.gt(i64::from(priority.number())))
}

async fn raise(tx: &Tx, update: UpdateMany<Entity>) -> Res<Vec<Entry>> {
    entry::read(tx, update.into_query().returning_all()).await
}

/// The records that the fields of a change refer to.
pub(super) fn referred_by<'a>(tables: &'a Tables, change: &'a Entry) -> impl Iterator<Item = (&'a TableName, Uuid)> {
    let table = tables.0.iter().find(|(name, _)| name.as_str() == change.table).map(|(_, table)| table);
    let references = table.into_iter().flat_map(|table| table.references());
    references.filter_map(|(column, other)| Some((other, referred(&change.fields, column.as_str())?)))
}
