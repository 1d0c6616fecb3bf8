//! What could not come over as it was.

pub(super) use crate::adoption::{At, Outcome};

use crate::{adoption::note, v6::source::insert};
use sea_orm_migration::{SchemaManagerConnection, sea_orm::DbErr};

/// Notes it, with its content, so that nothing is lost.
pub(super) async fn report(
    db: &SchemaManagerConnection<'_>,
    at: At<'_>,
    outcome: Outcome,
    reason: &str,
    content: Option<String>,
) -> Result<(), DbErr> {
    note(at, outcome, reason, None);
    let values =
        vec![at.table.into(), at.row.into(), at.column.map(str::to_owned).into(), reason.into(), content.into()];
    insert(db, REPORT, values).await.map(drop)
}

const REPORT: &str =
    "INSERT INTO import_report (table_name, row_id, column_name, reason, content) VALUES (?, ?, ?, ?, ?)";
