//! Looks the file over for a person who asks whether it is sound.
//!
//! SQL by hand: pragmas, which no query builder has.

use crate::{
    db::Db,
    entity::import_account,
    error::{Fault, Res},
    file,
    import::convert::parse,
    row::Row,
    sql::Tx,
};
use fieldpost_storage::{ImportReport, Inspection, StorageResult};
use sea_orm::EntityTrait;

/// How many faults are told; whoever has one seldom wants all of them.
const TOLD: usize = 20;

/// The account of an import.
pub(crate) async fn imported(db: &Db) -> StorageResult<Option<ImportReport>> {
    let read = db.read("imported").await?;
    let found = read.tx().find_one::<import_account::Model>(&import_account::Entity::find()).await;
    let found = found.and_then(|row| row.map(|row| parse(&row.account)).transpose());
    read.finish(found).await
}

pub(crate) async fn inspect(db: &Db) -> StorageResult<Inspection> {
    let read = db.read("inspect").await?;
    let found = look(read.tx()).await;
    let found = match found {
        Ok(found) if db.has_key() => cipher(read.tx()).await.map(|encryption| Inspection { encryption, ..found }),
        found => found,
    };
    let found = read.finish(found).await?;
    Ok(Inspection { readable_by_others: file::readable_by_others(db.path().to_owned()).await, ..found })
}

/// The version of the cipher. A library that can encrypt names it for a plain file too, so only a file with a key is asked.
async fn cipher(tx: &Tx) -> Res<Option<String>> {
    pragma(tx, "cipher_version").await?.first().map(Row::only).transpose()
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
    let (schema_version, bytes) = (u32::try_from(version).ok(), u64::try_from(pages * size).ok());
    Ok(Inspection { schema_version, bytes, faults, ..Inspection::default() })
}

async fn pragma(tx: &Tx, name: &str) -> Res<Vec<Row>> {
    tx.all(&format!("PRAGMA {name}"), vec![]).await
}

async fn number(tx: &Tx, name: &str) -> Res<i64> {
    // SQLCipher answers some of them as text.
    let row = tx.all(&format!("SELECT CAST({name} AS INTEGER) FROM pragma_{name}"), vec![]).await?.pop();
    row.ok_or_else(|| Fault::corrupt("a pragma says nothing"))?.only()
}
