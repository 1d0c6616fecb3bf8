//! Brings a file into the shape that the migrations start from.
//!
//! * A table or column that the version should have and has not (a migration of the app that did nothing, or not all) is
//!   added, empty. Messaging tables in a file that says version 4 make it version 5.
//! * A table that Fieldpost does not know stays, with all its rows, under a name that Fieldpost will never use. So do the
//!   columns that it does not know, of the rows that have something in them.
//! * Indexes, views and triggers of the app leave: they refer to tables that will be gone, or have names that are needed.
//!   The account has their SQL.

use super::{
    account,
    known::{CLINICAL, Known, MESSAGING, STANDARD, find},
};
use crate::upgrade::run;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

/// Before the names of tables that Fieldpost does not know. None of its own begins like this.
const PREFIX: &str = "watermelon_";

/// Of WatermelonDB itself; SeaORM's is made later.
const LOCAL_STORAGE: &str = "local_storage";

/// What the file had.
pub(super) struct Found {
    pub(super) has_messaging: bool,
}

pub(super) async fn prepare(db: &DatabaseTransaction, version: u32) -> Result<Found, DbErr> {
    for kind in ["trigger", "view", "index"] {
        drop_all(db, kind).await?;
    }
    let tables = tables(db).await?;
    set_aside_tables(db, &tables).await?;
    let has = |(name, _): &Known| tables.iter().any(|table| table.name == *name);
    let has_messaging = MESSAGING.iter().any(has);
    if has_messaging != (version >= 5) {
        let said = if has_messaging { "has the tables of version 5" } else { "lacks the tables of version 5" };
        account::note_file(&format!("the file says that it has version {version}, and {said}"));
    }
    let expected = CLINICAL.iter().chain(MESSAGING.iter().filter(|_| has_messaging));
    for known in expected {
        match tables.iter().find(|table| table.name == known.0) {
            None => create(db, known).await?,
            Some(table) => complete(db, known, table).await?,
        }
    }
    Ok(Found { has_messaging })
}

async fn drop_all(db: &DatabaseTransaction, kind: &str) -> Result<(), DbErr> {
    let sql = "SELECT name, sql, tbl_name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND tbl_name <> ?";
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [kind.into(), LOCAL_STORAGE.into()]);
    for row in db.query_all_raw(statement).await? {
        let (name, sql, table): (String, String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        run(db, &format!("DROP {kind} IF EXISTS {}", quoted(&name))).await?;
        // WatermelonDB's own indexes have the name of their table in front, and serve nobody any more.
        if kind != "index" || find(&table).is_none() || !name.starts_with(&format!("{table}_")) {
            account::dropped(kind, &name, &sql);
        }
    }
    Ok(())
}

struct Table {
    name: String,
    is_virtual: bool,
    has_rowid: bool,
}

/// All tables, without what belongs to a virtual one.
async fn tables(db: &DatabaseTransaction) -> Result<Vec<Table>, DbErr> {
    let sql = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
        AND name NOT LIKE 'sqlite_%' AND name <> ? ORDER BY name";
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [LOCAL_STORAGE.into()]);
    let rows = db.query_all_raw(statement).await?;
    let table = |row: &sea_orm_migration::sea_orm::QueryResult| {
        let kind: String = row.try_get_by_index(1)?;
        let without_rowid: i64 = row.try_get_by_index(2)?;
        Ok::<_, DbErr>(Table {
            name: row.try_get_by_index(0)?,
            is_virtual: kind == "virtual",
            has_rowid: without_rowid == 0 || kind == "virtual",
        })
    };
    rows.iter().map(table).collect()
}

async fn set_aside_tables(db: &DatabaseTransaction, tables: &[Table]) -> Result<(), DbErr> {
    for Table { name, is_virtual, .. } in tables.iter().filter(|table| find(&table.name).is_none()) {
        let rows = if *is_virtual { 0 } else { count(db, name).await? };
        let kept_as = format!("{PREFIX}{name}");
        run(db, &format!("ALTER TABLE {} RENAME TO {}", quoted(name), quoted(&kept_as))).await?;
        account::set_aside(name, &kept_as, rows);
    }
    Ok(())
}

/// A table that is missing, empty.
async fn create(db: &DatabaseTransaction, (name, columns): &Known) -> Result<(), DbErr> {
    let columns: String = columns.iter().map(|column| format!(", {}", quoted(column))).collect();
    run(db, &format!("CREATE TABLE \"{name}\" (\"id\" primary key, \"_changed\", \"_status\"{columns})")).await?;
    account::note_file(&format!("the table {name} was missing"));
    Ok(())
}

/// A table that is there: what its columns lack is added, and what Fieldpost does not know is set aside.
async fn complete(db: &DatabaseTransaction, (name, columns): &Known, table: &Table) -> Result<(), DbErr> {
    if !table.has_rowid {
        // Rows are read in the order of their rowid, which is that of writing.
        run(db, &format!("CREATE TABLE \"{PREFIX}\" AS SELECT * FROM \"{name}\"")).await?;
        run(db, &format!("DROP TABLE \"{name}\"; ALTER TABLE \"{PREFIX}\" RENAME TO \"{name}\"")).await?;
    }
    let here = column_names(db, name).await?;
    for column in STANDARD.iter().chain(columns.iter()).filter(|column| !here.iter().any(|name| name == *column)) {
        run(db, &format!("ALTER TABLE \"{name}\" ADD COLUMN \"{column}\"")).await?;
        account::note_file(&format!("the column {name}.{column} was missing"));
    }
    let is_known = |name: &String| STANDARD.contains(&name.as_str()) || columns.contains(&name.as_str());
    let unknown: Vec<String> = here.into_iter().filter(|name| !is_known(name)).collect();
    if unknown.is_empty() { Ok(()) } else { set_aside_columns(db, name, columns, &unknown).await }
}

async fn set_aside_columns(
    db: &DatabaseTransaction,
    table: &str,
    known: &[&str],
    unknown: &[String],
) -> Result<(), DbErr> {
    let kept_as = format!("{PREFIX}{table}");
    let named = if known.contains(&"server_id") { "\"id\", \"server_id\"" } else { "\"id\"" };
    let columns: Vec<String> = unknown.iter().map(|column| quoted(column)).collect();
    let filled: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    run(
        db,
        &format!(
            "CREATE TABLE {} AS SELECT {named}, {} FROM \"{table}\" WHERE {}",
            quoted(&kept_as),
            columns.join(", "),
            filled.join(" OR ")
        ),
    )
    .await?;
    let rows = count(db, &kept_as).await?;
    account::set_aside(&format!("{table} ({})", unknown.join(", ")), &kept_as, rows);
    Ok(())
}

async fn column_names(db: &DatabaseTransaction, table: &str) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT name FROM pragma_table_info(?)";
    let rows = db.query_all_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [table.into()])).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

pub(super) async fn count(db: &DatabaseTransaction, table: &str) -> Result<u64, DbErr> {
    let sql = format!("SELECT count(*) FROM {}", quoted(table));
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    let rows: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(rows.unsigned_abs())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
