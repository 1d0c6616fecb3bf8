//! Reads the rows that WatermelonDB wrote. Their columns have no types, and a file may lack some of them.

use crate::{upgrade::run, v6::source::micros};
use sea_orm_migration::{
    SchemaManagerConnection,
    sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement},
};
use serde_json::{Map, Value};

/// The old tables. Their names are needed for the new ones.
const OLD: [&str; 6] = ["treatments", "workers", "near_misses", "safety_checks", "sync_queue", "audit_log"];

/// The name of an old table while its rows are moved.
fn aside(table: &str) -> String {
    format!("{table}_v5")
}

pub(super) async fn set_aside(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    for index in
        names(db, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?", &OLD)
            .await?
    {
        run(db, &format!("DROP INDEX \"{index}\"")).await?;
    }
    for table in names(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", &OLD).await? {
        run(db, &format!("ALTER TABLE \"{table}\" RENAME TO \"{}\"", aside(&table))).await?;
    }
    Ok(())
}

pub(super) async fn drop_old(db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    for table in OLD {
        run(db, &format!("DROP TABLE IF EXISTS \"{}\"", aside(table))).await?;
    }
    Ok(())
}

async fn names(db: &SchemaManagerConnection<'_>, sql: &str, of: &[&str]) -> Result<Vec<String>, DbErr> {
    let mut names = Vec::new();
    for name in of {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [(*name).into()]);
        for row in db.query_all_raw(statement).await? {
            names.push(row.try_get_by_index(0)?);
        }
    }
    Ok(names)
}

/// A value without a type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    Null,
    Number(f64),
    Text(String),
    /// A text that is no UTF-8.
    Broken(Vec<u8>),
}

/// A table that is being read.
pub(super) struct Table {
    name: String,
    columns: Vec<&'static str>,
    select: String,
}

impl Table {
    /// The columns that are missing in the file are null in its rows.
    pub(super) async fn open(
        db: &SchemaManagerConnection<'_>,
        table: &str,
        wanted: impl IntoIterator<Item = &'static str>,
    ) -> Result<Self, DbErr> {
        let name = aside(table);
        let here = names(db, "SELECT name FROM pragma_table_info(?)", &[&name]).await?;
        let columns: Vec<_> = wanted.into_iter().filter(|column| here.iter().any(|name| name == column)).collect();
        let select = columns.iter().map(|column| read(column)).collect();
        Ok(Self { name, columns, select })
    }

    /// Some of its rows, in the order of writing. None are left when it is empty.
    pub(super) async fn chunk(&self, db: &SchemaManagerConnection<'_>, after: i64) -> Result<Vec<Row>, DbErr> {
        if self.columns.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT rowid AS rowid{} FROM \"{}\" WHERE rowid > ? ORDER BY rowid LIMIT 500",
            self.select, self.name
        );
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [after.into()]);
        db.query_all_raw(statement).await?.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &QueryResult) -> Result<Row, DbErr> {
        let value = |column: &&'static str| {
            let text: Option<Vec<u8>> = row.try_get("", column)?;
            let kind: String = row.try_get("", &format!("{column}:"))?;
            Ok((*column, raw(text, &kind)))
        };
        let values = self.columns.iter().map(value).collect::<Result<_, DbErr>>()?;
        Ok(Row { rowid: row.try_get("", "rowid")?, values })
    }
}

/// A value as the bytes of its text, and its type.
fn read(column: &str) -> String {
    format!(
        ", CAST(CASE typeof(\"{column}\") WHEN 'blob' THEN hex(\"{column}\") ELSE \"{column}\" END AS BLOB) AS \"{column}\", \
         typeof(\"{column}\") AS \"{column}:\""
    )
}

fn raw(bytes: Option<Vec<u8>>, kind: &str) -> Raw {
    let Some(bytes) = bytes else { return Raw::Null };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Raw::Broken(error.into_bytes()),
    };
    match (kind, text.parse()) {
        ("integer" | "real", Ok(number)) => Raw::Number(number),
        _ => Raw::Text(text),
    }
}

/// A row.
pub(super) struct Row {
    pub(super) rowid: i64,
    values: Vec<(&'static str, Raw)>,
}

impl Row {
    pub(super) fn raw(&self, column: &str) -> &Raw {
        self.values.iter().find(|(name, _)| *name == column).map_or(&Raw::Null, |(_, value)| value)
    }

    /// The text of a column; none if it is null or empty.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        self.raw(column).text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn word(&self, column: &str) -> String {
        self.text(column).unwrap_or_default()
    }

    pub(super) fn uuid(&self, column: &str) -> Option<uuid::Uuid> {
        self.text(column).and_then(|text| uuid::Uuid::try_parse(&text).ok())
    }

    /// A time in milliseconds, as microseconds.
    pub(super) fn time(&self, column: &str) -> Option<i64> {
        self.text(column).as_deref().and_then(micros)
    }

    pub(super) fn number(&self, column: &str) -> Option<i64> {
        let number: f64 = self.text(column)?.parse().ok()?;
        // A float outside the range of an integer is clamped.
        (!number.is_nan()).then_some(number as i64)
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.text("_status").as_deref() == Some("deleted")
    }

    /// All of it, for the report.
    pub(super) fn content(&self) -> String {
        let fields = self.values.iter().map(|(name, value)| ((*name).to_owned(), value.json()));
        Value::Object(fields.collect::<Map<_, _>>()).to_string()
    }
}

impl Raw {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(_) => self.json().as_number().map(ToString::to_string),
            Self::Text(text) => Some(text.clone()),
            Self::Broken(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// The bytes of a text that is no UTF-8, in hexadecimal.
    pub(super) fn broken(&self) -> Option<String> {
        let Self::Broken(bytes) = self else { return None };
        Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            // JavaScript has one type of numbers; whole ones are written without a fraction.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => (*number as i64).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.clone().into(),
            Self::Broken(bytes) => String::from_utf8_lossy(bytes).into(),
        }
    }
}
