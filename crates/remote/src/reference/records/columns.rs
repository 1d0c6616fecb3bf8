//! What a database does with the values of a row: types, required columns, foreign keys. Refusals are in PostgreSQL's
//! words.

use super::{RecordTables, StoredRecord};
use crate::reference::{tables::Tables, viewer::Viewer};
use fieldpost_domain::records::{Column, ColumnKind, Fields, RecordId, RecordRefusal, RecordRefusalCode, RecordTable};
use serde_json::Value;

/// A refusal of the database, with its SQLSTATE.
pub(super) fn refused(message: impl std::fmt::Display, state: &str) -> RecordRefusal {
    RecordRefusal { code: RecordRefusalCode::Refused, detail: Some(format!("{message} ({state})")) }
}

/// The fields that the table has columns for, and the names of the others.
pub(super) fn split(table: &RecordTable, fields: &Fields) -> (Fields, Vec<String>) {
    let (known, ignored): (Vec<_>, Vec<_>) = fields.iter().partition(|(name, _)| column(table, name).is_some());
    let known = known.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    (known, ignored.into_iter().map(|(name, _)| name.to_owned()).collect())
}

/// A row's fields without any value: every column is there.
pub(in crate::reference) fn empty(table: &RecordTable) -> Fields {
    table.columns.iter().map(|column| (column.server_name.as_str().to_owned(), Value::Null)).collect()
}

/// Checks the fields that a row is written with, and replaces the clients' ids in them by primary keys. `before` is the
/// row that is there. A reference that it has already is not looked at again.
pub(super) fn check(
    (tables, viewer): (&Tables, &Viewer),
    table: &RecordTable,
    before: Option<&StoredRecord>,
    mut fields: Fields,
) -> Result<Fields, RecordRefusal> {
    for column in &table.columns {
        let name = column.server_name.as_str();
        let value = fields.get(name);
        if value.is_none_or(Value::is_null) {
            let missing = column.required && (value.is_some() || before.is_none());
            if missing {
                return Err(null(table, name));
            }
            continue;
        }
        let Some(value) = value.filter(|value| column.kind.fits(value)) else {
            return Err(wrong_type(column, &fields));
        };
        let had = before.and_then(|stored| stored.row.fields.get(name));
        if let Some(target) = tables.records.target_of(&column.kind).filter(|_| had != Some(value)) {
            let key = referred(tables, viewer, target, value).ok_or_else(|| no_such_row(table, name))?;
            fields.set(name, key.to_string());
        }
    }
    Ok(fields)
}

/// The primary key of the row that a reference names, if the caller sees it.
fn referred(tables: &Tables, viewer: &Viewer, target: usize, value: &Value) -> Option<RecordId> {
    let id = value.as_str()?.parse().ok()?;
    let stored = tables.records.find(target, id)?;
    viewer.sees_record(tables, &stored.row).then_some(stored.row.id)
}

fn column<'t>(table: &'t RecordTable, name: &str) -> Option<&'t Column> {
    table.columns.iter().find(|column| column.server_name.as_str() == name)
}

fn null(table: &RecordTable, column: &str) -> RecordRefusal {
    let relation = &table.server_name;
    refused(
        format_args!("null value in column \"{column}\" of relation \"{relation}\" violates not-null constraint"),
        "23502",
    )
}

fn wrong_type(column: &Column, fields: &Fields) -> RecordRefusal {
    let (name, state) = match column.kind {
        ColumnKind::Text => ("text", "22P02"),
        ColumnKind::Integer => ("bigint", "22P02"),
        ColumnKind::Real => ("double precision", "22P02"),
        ColumnKind::Bool => ("boolean", "22P02"),
        ColumnKind::Time => ("timestamp with time zone", "22007"),
        ColumnKind::Date => ("date", "22007"),
        ColumnKind::Uuid | ColumnKind::Reference(_) => ("uuid", "22P02"),
        _ => ("json", "22P02"),
    };
    let value = fields.get(column.server_name.as_str()).map_or_else(String::new, |value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    refused(format_args!("invalid input syntax for type {name}: \"{value}\""), state)
}

fn no_such_row(table: &RecordTable, column: &str) -> RecordRefusal {
    let relation = &table.server_name;
    let key = format!("{relation}_{column}_fkey");
    refused(format_args!("insert or update on table \"{relation}\" violates foreign key constraint \"{key}\""), "23503")
}

/// The refusal to delete a row that others refer to.
pub(super) fn still_needed(tables: &RecordTables, key: super::RecordKey) -> Option<RecordRefusal> {
    let (referring, column) = tables.referring_to(key)?;
    let (relation, from) = (&tables.offered.get(key.table)?.server_name, &referring.server_name);
    Some(refused(
        format_args!(
            "update or delete on table \"{relation}\" violates foreign key constraint \"{from}_{column}_fkey\" on table \
             \"{from}\""
        ),
        "23503",
    ))
}
