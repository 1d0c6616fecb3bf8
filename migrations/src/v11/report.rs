//! What could not come over.

use crate::v6::source::insert;
use sea_orm_migration::{SchemaManagerConnection, sea_orm::DbErr};

/// Where it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) table: &'a str,
    pub(super) row: &'a str,
    pub(super) column: Option<&'a str>,
}

/// Notes it, with its content, so that nothing is lost.
pub(super) async fn report(
    db: &SchemaManagerConnection<'_>,
    at: At<'_>,
    reason: &str,
    content: Option<String>,
) -> Result<(), DbErr> {
    let values =
        vec![at.table.into(), at.row.into(), at.column.map(str::to_owned).into(), reason.into(), content.into()];
    insert(db, REPORT, values).await.map(drop)
}

const REPORT: &str =
    "INSERT INTO import_report (table_name, row_id, column_name, reason, content) VALUES (?, ?, ?, ?, ?)";
