//! Audit entries that were not uploaded.

use super::{
    clinical,
    ids::Ids,
    report::{At, Outcome, report},
    source::{Row, Table},
};
use crate::adoption::{came, note};
use crate::v6::source::{blob, insert, new_id, reference};
use sea_orm_migration::{SchemaManagerConnection, sea_orm::DbErr};
use uuid::Uuid;

const TABLE: &str = "audit_log";

const COLUMNS: [&str; 9] =
    ["id", "_status", "user_id", "table_name", "record_id", "operation", "context", "synced", "created_at"];

pub(super) async fn move_all(db: &SchemaManagerConnection<'_>, ids: &Ids, clock: Uuid) -> Result<(), DbErr> {
    let source = Table::open(db, "audit_log", COLUMNS).await?;
    let mut after = 0;
    loop {
        let rows = source.chunk(db, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.rowid;
        for row in &rows {
            match (row.is_deleted(), is_synced(row)) {
                (false, false) => move_one(db, row, ids, clock).await?,
                (_, true) => left(row, "it was uploaded"),
                (true, false) => left(row, "it was deleted in the app"),
            }
        }
    }
}

fn left(row: &Row, reason: &str) {
    note(At::row(TABLE, &row.word("id")), Outcome::Left, reason, None);
}

fn is_synced(row: &Row) -> bool {
    matches!(row.word("synced").as_str(), "1" | "true")
}

async fn move_one(db: &SchemaManagerConnection<'_>, row: &Row, ids: &Ids, clock: Uuid) -> Result<(), DbErr> {
    let (name, table, record) = (row.word("id"), row.word("table_name"), row.word("record_id"));
    let at = row.time("created_at").unwrap_or(0);
    if clinical::find(&table).is_none() {
        let column = At::column(TABLE, &name, "table_name");
        return report(db, column, Outcome::KeptAside, "there is no such table", Some(row.content())).await;
    }
    came(TABLE);
    let record_id = match ids.of(&table, &record) {
        Some(id) => id,
        None => {
            let column = At::column(TABLE, &name, "record_id");
            report(db, column, Outcome::Changed, "no such record is here", Some(record.clone())).await?;
            reference(&record)
        }
    };
    let values = vec![
        blob(new_id(db, at).await?),
        blob(row.text("user_id").map(|user| reference(&user)).unwrap_or_default()),
        table.into(),
        blob(record_id),
        row.word("operation").into(),
        row.text("context").into(),
        blob(clock),
        at.into(),
    ];
    insert(db, AUDIT, values).await.map(drop)
}

const AUDIT: &str = "
INSERT INTO audit_log (id, person_id, table_name, record_id, operation, context, clock, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
