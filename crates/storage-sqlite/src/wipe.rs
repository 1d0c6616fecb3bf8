//! Forgets everything that is in the file.
//!
//! The rows are deleted, not the file: another process may have it open, and would go on writing into a file that has no name
//! any more. The tables are asked for rather than listed, so that one added later is not forgotten.

use crate::{
    db::{Db, Durability},
    error::Res,
    sql::{Tx, int},
};
use fieldpost_storage::{ChangeSet, StorageResult};

/// Everything but what SQLite, the full-text index and the migrations keep for themselves. The index empties itself by the
/// triggers of `messages`.
const TABLES: &str = "
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    AND name NOT LIKE 'messages\\_search%' ESCAPE '\\' AND name <> 'seaql_migrations'";

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
    let generation: i64 = tx.value("SELECT coalesce(max(generation), 0) FROM sync_state", vec![]).await?;
    for row in tx.all(TABLES, vec![]).await? {
        tx.run(&format!("DELETE FROM \"{}\"", row.get::<String>(0)?), vec![]).await?;
    }
    let sql = "INSERT INTO sync_state (only, generation) VALUES (1, ?)";
    tx.run(sql, vec![int(generation.saturating_add(1))]).await.map(drop)
}
