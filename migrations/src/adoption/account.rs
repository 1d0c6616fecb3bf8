//! The account of an adoption: what became of every row.
//!
//! It belongs to the task that runs the migrations. They are values without state, so there is no other way to hand it to
//! them.

use super::{
    Watch,
    known::{CLINICAL, MESSAGING},
    prepare::count,
};
use crate::v6::source::micros;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

/// What became of a row, or of a value in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The row did not come over, as it should be: it was deleted, or is another one once more.
    Left,
    /// The row could not come over. Its content is kept in the file.
    KeptAside,
    /// The row came over, and something in it had to be changed. What was there is kept, if it can mean anything.
    Changed,
    /// The row came over as something that waits for a person's decision: it cannot be sent as it is.
    Refused,
}

impl Outcome {
    /// As the account says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::KeptAside => "kept_aside",
            Self::Changed => "changed",
            Self::Refused => "refused",
        }
    }
}

/// How many rows of how many have been converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows that are done.
    pub done: u64,
    /// All rows.
    pub total: u64,
}

/// A row of the app.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) column: Option<&'a str>,
}

impl<'a> At<'a> {
    pub(crate) const fn row(table: &'static str, row: &'a str) -> Self {
        Self { table, row, column: None }
    }

    pub(crate) const fn column(table: &'static str, row: &'a str, column: &'a str) -> Self {
        Self { table, row, column: Some(column) }
    }
}

tokio::task_local! {
    static ACCOUNT: Account;
}

/// Shared by the adoption and the migrations that it runs.
#[derive(Clone)]
pub(super) struct Account(Arc<Mutex<Sheet>>);

struct Sheet {
    watch: Watch,
    progress: Progress,
    version: u32,
    tables: BTreeMap<&'static str, Line>,
    notes: BTreeMap<(&'static str, Outcome, Option<String>, String), Note>,
    /// What is kept, with what it held.
    kept: Vec<Kept>,
    set_aside: Vec<Value>,
    dropped: Vec<Value>,
    file: Vec<String>,
}

#[derive(Default)]
struct Line {
    rows: u64,
    came: u64,
    left: u64,
    kept_aside: u64,
}

/// Rows that have the same said of them.
#[derive(Default)]
struct Note {
    rows: u64,
    /// The first of them.
    ids: Vec<String>,
}

struct Kept {
    table: &'static str,
    row: String,
    column: Option<String>,
    reason: String,
    content: String,
}

/// As many rows of one kind are named; of all others the file tells.
const NAMED: usize = 20;

/// Progress is told after as many rows.
const STEP: u64 = 500;

impl Account {
    pub(super) fn new(watch: Watch) -> Self {
        Self(Arc::new(Mutex::new(Sheet {
            watch,
            progress: Progress::default(),
            version: 0,
            tables: BTreeMap::new(),
            notes: BTreeMap::new(),
            kept: Vec::new(),
            set_aside: Vec::new(),
            dropped: Vec::new(),
            file: Vec::new(),
        })))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Sheet) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts the rows that are to be accounted for.
    pub(super) async fn begin(&self, db: &DatabaseTransaction, version: u32) -> Result<(), DbErr> {
        let mut lines = BTreeMap::new();
        for (table, _) in CLINICAL.iter().chain(&MESSAGING) {
            let exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?";
            let exists = Statement::from_sql_and_values(DbBackend::Sqlite, exists, [(*table).into()]);
            let rows = if db.query_one_raw(exists).await?.is_some() { count(db, table).await? } else { 0 };
            lines.insert(*table, Line { rows, ..Line::default() });
        }
        self.with(|sheet| {
            sheet.progress.total = lines.values().map(|line| line.rows).sum();
            sheet.tables = lines;
            sheet.version = version;
            (sheet.watch)(sheet.progress);
        });
        Ok(())
    }

    /// Writes it into the file.
    pub(super) async fn write(&self, db: &DatabaseTransaction) -> Result<(), DbErr> {
        let mut account = now(db).await?;
        account["carried"] = carried(db).await?;
        account["local_storage"] = local(db).await?;
        let last_sync = last_sync(db).await?.and_then(chrono::DateTime::from_timestamp_micros);
        account["last_sync_at"] = last_sync.map(|at| at.to_rfc3339()).into();
        let kept = self.with(|sheet| {
            sheet.write(&mut account);
            std::mem::take(&mut sheet.kept)
        });
        for Kept { table, row, column, reason, content } in kept {
            let values = [table.into(), row.into(), column.into(), reason.into(), content.into()];
            db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, KEEP, values)).await?;
        }
        let values = [account.to_string().into()];
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, WRITE, values)).await?;
        self.with(|sheet| {
            sheet.progress.done = sheet.progress.total;
            (sheet.watch)(sheet.progress);
        });
        Ok(())
    }
}

const KEEP: &str = "
INSERT INTO import_report (table_name, row_id, column_name, reason, content) VALUES (?, ?, ?, ?, ?)";

const WRITE: &str = "INSERT INTO import_account (only, account) VALUES (1, ?)";

/// When it is, and what waits for the server now.
async fn now(db: &DatabaseTransaction) -> Result<Value, DbErr> {
    let sql = "SELECT json_object('imported_at', strftime('%Y-%m-%dT%H:%M:%fZ'), 'queued', json_object(\
        'messages', (SELECT count(*) FROM outbox WHERE kind = 'send_message' AND failed_code IS NULL), \
        'refused', (SELECT failed FROM outbox_counts), \
        'conversations', (SELECT count(*) FROM outbox WHERE opens = 1), \
        'changes', (SELECT pending FROM record_counts), \
        'immediate', (SELECT immediate FROM record_counts), \
        'audit', (SELECT audit FROM record_counts)))";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    let text: String = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| DbErr::Custom(error.to_string()))
}

/// Under these names the app and WatermelonDB kept when they had synced last.
const LAST_SYNCS: [&str; 3] = ["messaging_last_synced_at", "last_message_sync", "__watermelon_last_pulled_at"];

/// When the app had synced last, by the phone's clock. It is shown and never used as a cursor.
async fn last_sync(db: &DatabaseTransaction) -> Result<Option<i64>, DbErr> {
    let sql = "SELECT value FROM local_storage WHERE \"key\" = ?";
    let mut last = None;
    for name in LAST_SYNCS {
        let row = db.query_one_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [name.into()])).await?;
        let text: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        last = last.max(text.as_deref().and_then(micros).filter(|at| *at > 0));
    }
    let sql = "UPDATE sync_state SET last_success_at = min(?, unixepoch() * 1000000) WHERE last_success_at IS NULL";
    if let Some(at) = last {
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, sql, [at.into()])).await?;
    }
    Ok(last)
}

/// What is carried for the app, which has to take it over.
async fn carried(db: &DatabaseTransaction) -> Result<Value, DbErr> {
    let sql = "SELECT table_name, count(*), json_group_array(id) FILTER (WHERE place <= 20) FROM (SELECT table_name, id, \
        row_number() OVER (PARTITION BY table_name ORDER BY pk) AS place FROM carried_items) GROUP BY table_name";
    let mut carried = Vec::new();
    for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await? {
        let (table, items, ids): (String, i64, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let ids: Value = serde_json::from_str(&ids).unwrap_or_default();
        carried.push(json!({"table": table, "items": items, "ids": ids}));
    }
    Ok(Value::Array(carried))
}

/// The names of what the app kept beside its tables. They stay, and Fieldpost reads none of them.
async fn local(db: &DatabaseTransaction) -> Result<Value, DbErr> {
    let sql = "SELECT \"key\" FROM local_storage ORDER BY 1";
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await?;
    let names = rows.iter().map(|row| row.try_get_by_index::<String>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(names.into())
}

impl Sheet {
    fn write(&self, account: &mut Value) {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|(table, Line { rows, came, left, kept_aside })| {
                json!({"table": table, "rows": rows, "came": came, "left": left, "kept_aside": kept_aside})
            })
            .collect();
        let notes: Vec<Value> = self.notes.iter().map(|(about, note)| said(about, note)).collect();
        account["app_version"] = self.version.into();
        account["tables"] = tables.into();
        account["notes"] = notes.into();
        account["set_aside"] = self.set_aside.clone().into();
        account["dropped"] = self.dropped.clone().into();
        account["file"] = self.file.clone().into();
    }

    fn step(&mut self) {
        self.progress.done += 1;
        if self.progress.done.is_multiple_of(STEP) {
            (self.watch)(self.progress);
        }
    }
}

fn said((table, outcome, column, reason): &(&str, Outcome, Option<String>, String), note: &Note) -> Value {
    let mut fields = Map::new();
    fields.insert("table".to_owned(), (*table).into());
    if let Some(column) = column {
        fields.insert("column".to_owned(), column.as_str().into());
    }
    fields.insert("outcome".to_owned(), outcome.as_str().into());
    fields.insert("reason".to_owned(), reason.as_str().into());
    fields.insert("rows".to_owned(), note.rows.into());
    fields.insert("ids".to_owned(), note.ids.clone().into());
    Value::Object(fields)
}

/// Runs something that tells this account.
pub(super) async fn within<T>(account: &Account, what: impl Future<Output = T>) -> T {
    ACCOUNT.scope(account.clone(), what).await
}

fn tell(change: impl FnOnce(&mut Sheet)) {
    // Outside of an adoption nobody asks.
    let _ = ACCOUNT.try_with(|account| account.with(change));
}

/// A row came over.
pub(crate) fn came(table: &'static str) {
    tell(|sheet| {
        sheet.tables.entry(table).or_default().came += 1;
        sheet.step();
    });
}

/// Says what became of a row. What is given as content is kept in the file.
///
/// [`Outcome::Left`] and [`Outcome::KeptAside`] account for the row; the others come beside [`came`].
pub(crate) fn note(at: At<'_>, outcome: Outcome, reason: &str, content: Option<String>) {
    tell(|sheet| {
        let line = sheet.tables.entry(at.table).or_default();
        match outcome {
            Outcome::Left => line.left += 1,
            Outcome::KeptAside => line.kept_aside += 1,
            Outcome::Changed | Outcome::Refused => {}
        }
        let about = (at.table, outcome, at.column.map(str::to_owned), reason.to_owned());
        let note = sheet.notes.entry(about).or_default();
        note.rows += 1;
        if note.ids.len() < NAMED {
            note.ids.push(at.row.to_owned());
        }
        if let Some(content) = content {
            let (row, column, reason) = (at.row.to_owned(), at.column.map(str::to_owned), reason.to_owned());
            sheet.kept.push(Kept { table: at.table, row, column, reason, content });
        }
        if matches!(outcome, Outcome::Left | Outcome::KeptAside) {
            sheet.step();
        }
    });
}

/// Says something of the file as a whole.
pub(super) fn note_file(sentence: &str) {
    tell(|sheet| sheet.file.push(sentence.to_owned()));
}

/// A table, or columns, that Fieldpost does not know.
pub(super) fn set_aside(name: &str, kept_as: &str, rows: u64) {
    tell(|sheet| sheet.set_aside.push(json!({"name": name, "kept_as": kept_as, "rows": rows})));
}

/// An index, a view or a trigger of the app.
pub(super) fn dropped(kind: &str, name: &str, sql: &str) {
    tell(|sheet| sheet.dropped.push(json!({"kind": kind, "name": name, "sql": sql})));
}
