//! Chooses the odd values and their cells.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use std::path::Path;

/// One odd value and its cell: every number is taken modulo the available choices, so that all bytes are valid.
#[derive(Debug)]
pub(super) struct Odd {
    table: u8,
    column: u8,
    row: u8,
    kind: u8,
    payload: [u8; 4],
}

impl Odd {
    /// At most four.
    pub(super) fn read(bytes: &[u8]) -> Vec<Self> {
        let one = |chunk: &[u8]| match *chunk {
            [table, column, row, kind, a, b, c, d] => Some(Self { table, column, row, kind, payload: [a, b, c, d] }),
            _ => None,
        };
        bytes.chunks(8).filter_map(one).take(4).collect()
    }

    /// The value as SQL.
    fn value(&self) -> String {
        let hex: String = self.payload.iter().map(|byte| format!("{byte:02x}")).collect();
        let length = usize::from(self.payload[0] % 20);
        match self.kind % 12 {
            0 => "NULL".to_owned(),
            1 => i64::MAX.to_string(),
            2 => format!("({} - 1)", i64::MIN + 1),
            3 => i32::from_le_bytes(self.payload).to_string(),
            4 => "1e300".to_owned(),
            // An invalid number, in a number column.
            5 => format!("'{}'", hex.trim_start_matches('0')),
            6 => "''".to_owned(),
            // Text that may not be valid UTF-8.
            7 => format!("CAST(x'ff{hex}' AS TEXT)"),
            8 => format!("CAST(x'{hex}' AS TEXT)"),
            // A blob of varying length, possibly sixteen.
            9 => format!("x'{}'", "ab".repeat(length)),
            10 => "'[1, {'".to_owned(),
            _ => "'{\"a\": [null, 1e400]}'".to_owned(),
        }
    }
}

/// A cell that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) table: String,
    pub(super) column: String,
    /// The row's conversation before the change.
    pub(super) conversation: Option<Vec<u8>>,
}

/// Writes odd values without the store. Returns the cells that SQLite changed.
pub(super) async fn put(path: &Path, odd: &[Odd]) -> Vec<Touched> {
    let db = Database::connect(format!("sqlite://{}", path.display())).await.expect("the copy opens");
    let loose = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
    db.execute_unprepared(loose).await.expect("no rule but those of the tables");
    let mut touched = Vec::new();
    for one in odd {
        touched.extend(put_one(&db, one).await);
    }
    db.close().await.expect("the copy is written");
    touched
}

async fn put_one(db: &DatabaseConnection, odd: &Odd) -> Option<Touched> {
    let tables = texts(db, TABLES, &[]).await;
    let table = pick(&tables, odd.table)?;
    let columns = texts(db, "SELECT name FROM pragma_table_info(?)", &[&table]).await;
    let column = pick(&columns, odd.column)?;
    let key = texts(db, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", &[&table]).await.join(", ");
    let chosen = format!(
        "({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {} % (SELECT max(1, count(*)) FROM {table}))",
        odd.row
    );
    let conversation = match columns.iter().any(|name| name == "conversation_id") {
        true => bytes(db, &format!("SELECT conversation_id FROM {table} WHERE {chosen}")).await,
        false => None,
    };
    let update = format!("UPDATE {table} SET \"{column}\" = {} WHERE {chosen}", odd.value());
    let changed = db.execute_unprepared(&update).await.ok()?;
    (changed.rows_affected() > 0).then_some(Touched { table, column, conversation })
}

const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
    AND name NOT LIKE 'messages_search%' AND name <> 'seaql_migrations' ORDER BY name";

fn pick(names: &[String], number: u8) -> Option<String> {
    names.get(usize::from(number) % names.len().max(1)).cloned()
}

async fn texts(db: &DatabaseConnection, sql: &str, arguments: &[&str]) -> Vec<String> {
    let values = arguments.iter().map(|text| Value::String(Some((*text).to_owned())));
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    let rows = db.query_all_raw(statement).await.expect("the schema is whole");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect()
}

async fn bytes(db: &DatabaseConnection, sql: &str) -> Option<Vec<u8>> {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.ok()??;
    row.try_get_by_index(0).ok()
}
