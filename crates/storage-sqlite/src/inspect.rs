//! Looks the file over for a person who asks whether it is sound.
//!
//! SQL by hand: pragmas, which no query builder has.

use crate::{db::Db, error::Res, sql::Tx};
use fieldpost_storage::{Inspection, StorageResult};

/// How many faults are told; whoever has one seldom wants all of them.
const TOLD: usize = 20;

pub(crate) async fn inspect(db: &Db) -> StorageResult<Inspection> {
    let read = db.read("inspect").await?;
    let found = look(read.tx()).await;
    read.finish(found).await
}

async fn look(tx: &Tx) -> Res<Inspection> {
    let version: i64 = tx.value("PRAGMA user_version", vec![]).await?;
    let pages: i64 = tx.value("PRAGMA page_count", vec![]).await?;
    let size: i64 = tx.value("PRAGMA page_size", vec![]).await?;
    let mut faults = Vec::new();
    for row in tx.all("PRAGMA integrity_check(20)", vec![]).await? {
        let said: String = row.only()?;
        if said != "ok" {
            faults.push(said);
        }
    }
    for row in tx.all("PRAGMA foreign_key_check", vec![]).await?.iter().take(TOLD) {
        faults.push(format!("a row of {} belongs to nothing", row.get::<String>("table")?));
    }
    faults.truncate(TOLD);
    Ok(Inspection { schema_version: u32::try_from(version).ok(), bytes: u64::try_from(pages * size).ok(), faults })
}
