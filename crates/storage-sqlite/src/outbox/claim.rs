//! What is checked about the outbox once: when a file is opened, and when it gets its owner.

use crate::{
    db::{Db, Durability},
    derived,
    entity::{
        messages,
        outbox::{Column, Entity, Model},
        value::Id,
    },
    error::Res,
    mutations::{overlay, record::Recorded},
    sql::Tx,
};
use fieldpost_domain::{PersonId, RefusalCode, Undecodable};
use fieldpost_storage::StorageResult;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr};

/// Parks what this version cannot read, and takes up again what an older version parked and this one can read. Nothing is
/// removed; a mutation that nobody can send is shown to the person instead of being passed over in silence.
pub(crate) async fn check_readable(db: &Db) -> StorageResult<()> {
    let read = db.read("open").await?;
    let changes = find(read.tx()).await;
    let changes = read.finish(changes).await?;
    if changes.is_empty() {
        return Ok(());
    }
    let write = db.write("open", Durability::PowerCut).await?;
    let changed = change(write.tx(), changes).await;
    write.finish(changed).await
}

/// A position, and why it is to be parked; none if it is to be taken up again.
type Change = (i64, Option<Undecodable>);

/// Rows read at a time.
const TURN: u64 = 500;

async fn find(tx: &Tx) -> Res<Vec<Change>> {
    let open = Column::FailedCode.is_null().or(Column::FailedCode.eq(RefusalCode::Unreadable.as_str()));
    let open = Entity::find().filter(open).order_by_asc(Column::Position).limit(TURN);
    let mut changes = Vec::new();
    let mut after = 0;
    loop {
        let rows = tx.find::<Model>(&open.clone().filter(Column::Position.gt(after))).await?;
        let Some(last) = rows.last() else { return Ok(changes) };
        after = last.position;
        changes.extend(rows.iter().filter_map(judge));
    }
}

fn judge(row: &Model) -> Option<Change> {
    let read = Recorded::from(row).mutation();
    match (row.failed_code.is_some(), read) {
        (true, read) => read.ok().map(|_| (row.position, None)),
        (false, read) => read.err().map(|why| (row.position, Some(why))),
    }
}

async fn change(tx: &Tx, changes: Vec<Change>) -> Res<()> {
    for (position, why) in changes {
        let change = Entity::update_many()
            .col_expr(Column::FailedCode, Expr::value(why.map(|_| RefusalCode::Unreadable.to_string())))
            .col_expr(Column::FailedDetail, Expr::value(why.map(|why| why.to_string())))
            .filter(Column::Position.eq(position));
        tx.execute(&change).await?;
    }
    overlay::rebuild_all(tx).await
}

/// The file has got its owner. What somebody else had queued in it (it was upgraded from an app that let several people use
/// one file) must not be sent in the owner's name; it is kept as dead letters.
pub(crate) async fn claim(tx: &Tx, owner: PersonId) -> Res<()> {
    let of_others = messages::Entity::find()
        .select_only()
        .column(messages::Column::Id)
        .filter(messages::Column::SenderId.ne(Id(owner.as_uuid())))
        .filter(messages::Column::Position.is_not_null());
    let parked = Entity::update_many()
        .col_expr(Column::FailedCode, Expr::value(RefusalCode::Forbidden.as_str()))
        .col_expr(Column::FailedDetail, Expr::value("written by another person"))
        .filter(Column::FailedCode.is_null())
        .filter(Column::MessageId.in_subquery(of_others.into_query()));
    tx.execute(&parked).await?;
    derived::refresh_all(tx).await
}
