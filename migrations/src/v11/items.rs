//! What the older app's queue has for each record.

use super::{clinical, source::Table};
use sea_orm_migration::{SchemaManagerConnection, sea_orm::DbErr};
use std::collections::HashMap;
use uuid::Uuid;

/// The queue items of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct OfRecord {
    pub(super) creates: bool,
    /// The idempotency key of its create, if that is a UUID.
    pub(super) create_key: Option<Uuid>,
    /// Its create was tried at least once.
    pub(super) tried: bool,
    pub(super) deletes: bool,
}

/// By table and by the name of the record.
#[derive(Debug, Default)]
pub(super) struct Items(HashMap<(&'static str, String), OfRecord>);

impl Items {
    /// The items of a record, which may name it by either name.
    pub(super) fn of(&self, table: &'static str, name: &str, server_name: Option<&str>) -> Option<&OfRecord> {
        let find = |name: &str| self.0.get(&(table, name.to_owned()));
        find(name).or_else(|| server_name.and_then(find))
    }
}

pub(super) async fn read(db: &SchemaManagerConnection<'_>) -> Result<Items, DbErr> {
    let columns = ["_status", "operation", "table_name", "record_id", "idempotency_key", "retry_count"];
    let source = Table::open(db, "sync_queue", columns).await?;
    let mut items = Items::default();
    let mut after = 0;
    loop {
        let rows = source.chunk(db, after).await?;
        let Some(last) = rows.last() else { return Ok(items) };
        after = last.rowid;
        for row in rows.iter().filter(|row| !row.is_deleted()) {
            let Some(table) = clinical::find(&row.word("table_name")) else { continue };
            let of_record = items.0.entry((table.name, row.word("record_id"))).or_default();
            match row.word("operation").as_str() {
                "create" => {
                    of_record.creates = true;
                    of_record.create_key = of_record.create_key.or(row.uuid("idempotency_key"));
                    of_record.tried |= row.number("retry_count").is_some_and(|count| count > 0);
                }
                "delete" => of_record.deletes = true,
                _ => {}
            }
        }
    }
}
