//! Looks the file over for a person who asks whether it is sound.
//!
//! SQL by hand: pragmas, which no query builder has.

use crate::{
    db::Db,
    error::{Fault, Res},
    import::convert::parse,
    row::Row,
    sql::Tx,
};
use fieldpost_storage::{ImportReport, Inspection, StorageResult};

/// How many faults are told; whoever has one seldom wants all of them.
const TOLD: usize = 20;

pub(crate) async fn inspect(db: &Db) -> StorageResult<Inspection> {
    let read = db.read("inspect").await?;
    let found = look(read.tx()).await;
    read.finish(found).await
}

async fn look(tx: &Tx) -> Res<Inspection> {
    let version = number(tx, "user_version").await?;
    let (pages, size) = (number(tx, "page_count").await?, number(tx, "page_size").await?);
    let mut faults = Vec::new();
    for row in pragma(tx, "integrity_check(20)").await? {
        let said: String = row.only()?;
        if said != "ok" {
            faults.push(said);
        }
    }
    for row in pragma(tx, "foreign_key_check").await?.iter().take(TOLD) {
        faults.push(format!("a row of {} belongs to nothing", row.get::<String>("table")?));
    }
    faults.truncate(TOLD);
    let imported = imported(tx).await?;
    Ok(Inspection {
        schema_version: u32::try_from(version).ok(),
        bytes: u64::try_from(pages * size).ok(),
        faults,
        imported,
    })
}

/// The account of an import.
async fn imported(tx: &Tx) -> Res<Option<Box<ImportReport>>> {
    let row = tx.all("SELECT account FROM import_account", vec![]).await?.pop();
    row.map(|row| parse(&row.only::<String>()?).map(Box::new)).transpose()
}

async fn pragma(tx: &Tx, name: &str) -> Res<Vec<Row>> {
    tx.all(&format!("PRAGMA {name}"), vec![]).await
}

async fn number(tx: &Tx, name: &str) -> Res<i64> {
    let row = pragma(tx, name).await?.pop();
    row.ok_or_else(|| Fault::corrupt("a pragma says nothing"))?.only()
}
