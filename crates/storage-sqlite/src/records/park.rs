//! Dead letters that this device makes itself.

use super::entry::{self, Entry};
use crate::{
    entity::{
        record_queue::{Column as Q, Entity},
        value::Id,
    },
    error::Res,
    sql::Tx,
};
use fieldpost_domain::records::{RecordRefusalCode, TableName};
use fieldpost_storage::ChangeSet;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// What nobody can read becomes a dead letter, and so does what follows it. Says whether there was any.
pub(super) async fn unreadable(tx: &Tx, entries: &[Entry]) -> Res<bool> {
    let mut any = false;
    for entry in entries.iter().filter(|entry| entry.is_unreadable) {
        any = true;
        entry::rewrite(tx, entry).await?;
        let followers = Entity::update_many()
            .col_expr(Q::FailedCode, Expr::value(RecordRefusalCode::AfterRefused.as_str()))
            .filter(Q::TableName.eq(entry.table.as_str()))
            .filter(Q::RecordId.eq(Id(entry.record)))
            .filter(Q::Position.gt(entry.position))
            .filter(Q::FailedCode.is_null());
        tx.execute(&followers).await?;
        let touched = TableName::new(entry.table.as_str()).into_iter();
        tx.changed(ChangeSet::of_records(touched).and_record_queue()).await;
    }
    Ok(any)
}
