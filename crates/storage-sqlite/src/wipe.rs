//! Forgets everything that is in the file.
//!
//! The rows are deleted, not the file: another process may have it open, and would go on writing into a file that has no name
//! any more. The tables are asked for rather than listed, so that one added later is not forgotten.
//!
//! SQL by hand: it is about tables that it does not know.

use crate::{
    db::{Db, Durability},
    entity::{outbox_counts, record_counts, record_sync, sync_state, unread_total},
    error::Res,
    sql::{Tx, text},
};
use fieldpost_storage::{ChangeSet, StorageResult};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    EntityTrait, IntoActiveModel,
    sea_query::{Alias, SqliteQueryBuilder, Table},
};

const EMPTY_INDEX: [&str; 4] = [
    "INSERT INTO messages_search (messages_search) VALUES ('delete-all')",
    "DELETE FROM messages_search_entries",
    "DELETE FROM messages_search_pending",
    "UPDATE messages_search_state SET indexed_to = 0",
];

/// Everything but what SQLite, the full-text index, the migrations and the tables of records keep for themselves: the last
/// are the columns that those tables have.
const TABLES: &str = "
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND name NOT LIKE 'messages\\_search%' ESCAPE '\\' AND name NOT IN ('seaql_migrations', 'record_columns')";

/// Tables that Fieldpost does not know, which an adoption has kept.
const OF_THE_OLDER_APP: &str = "
SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = ? AND name LIKE 'watermelon\\_%' ESCAPE '\\'";

pub(crate) async fn wipe(db: &Db) -> StorageResult<()> {
    let write = db.write("wipe", Durability::PowerCut).await?;
    let emptied = empty(write.tx()).await;
    write.finish(emptied).await?;
    // What was deleted is overwritten already (`secure_delete`); this gives the room back, and the log with the old pages in
    // it goes too.
    db.run_alone("wipe", "VACUUM").await?;
    db.run_alone("wipe", "PRAGMA wal_checkpoint(TRUNCATE)").await
}

async fn empty(tx: &Tx) -> Res<()> {
    tx.changed(ChangeSet::everything()).await;
    // What was asked for before proves nothing of what comes after: no generation comes again.
    let before = tx.find_one::<sync_state::Model>(&sync_state::Entity::find()).await?;
    let generation = before.map_or(0, |state| state.generation);
    // A virtual table takes along what belongs to it, so it goes first.
    for kind in ["virtual", "table"] {
        for row in tx.all(OF_THE_OLDER_APP, vec![text(kind)]).await? {
            let drop = Table::drop().table(Alias::new(row.only::<String>()?)).to_string(SqliteQueryBuilder);
            tx.run(&drop, vec![]).await?;
        }
    }
    // All words at once, which would else be taken out one by one.
    for sql in EMPTY_INDEX {
        tx.run(sql, vec![]).await?;
    }
    let records = tx.find_one::<record_sync::Model>(&record_sync::Entity::find()).await?;
    let of_records = records.map_or(0, |state| state.generation);
    for row in tx.all(TABLES, vec![]).await? {
        tx.run(&format!("DELETE FROM \"{}\"", row.only::<String>()?), vec![]).await?;
    }
    let state =
        sync_state::ActiveModel { only: Set(1), generation: Set(generation.saturating_add(1)), ..Default::default() };
    tx.execute(&sync_state::Entity::insert(state)).await?;
    let counts = outbox_counts::ActiveModel { only: Set(1), pending: Set(0), failed: Set(0) };
    tx.execute(&outbox_counts::Entity::insert(counts)).await?;
    let unread = unread_total::ActiveModel { only: Set(1), messages: Set(0), mentions: Set(0) };
    tx.execute(&unread_total::Entity::insert(unread)).await?;
    let records =
        record_sync::ActiveModel { only: Set(1), generation: Set(of_records.saturating_add(1)), ..Default::default() };
    tx.execute(&record_sync::Entity::insert(records)).await?;
    let counts = record_counts::Model { only: 1, ..record_counts::Model::default() };
    tx.execute(&record_counts::Entity::insert(counts.into_active_model().reset_all())).await.map(drop)
}
