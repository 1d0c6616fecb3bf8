//! The tables of a run.
//!
//! Places are plain; visits refer to them and may be immediate; notes refer to visits, are of low priority, and the last
//! arrival wins. On the server some names differ.

use fieldpost_domain::records::{
    Column, ColumnKind, ColumnName, ConflictRule, Fields, Priority, RecordTable, TableName,
};
use serde_json::Value;

/// The declared tables.
pub(super) fn tables() -> Vec<RecordTable> {
    let [places, visits, notes] = ["places", "visits", "notes"].map(name);
    let about = |other: &TableName| Column::new(column("about"), ColumnKind::Reference(other.clone()));
    let notes_rule = RecordTable { conflict: ConflictRule::LastArrivalWins, ..plain(notes) };
    vec![
        plain(places.clone()),
        plain(visits.clone())
            .column(about(&places))
            .column(Column::new(column("urgent"), ColumnKind::Bool))
            .immediate_if(column("urgent"))
            .on_server(name("site_visits")),
        notes_rule.column(about(&visits)).priority(Priority::Low),
    ]
}

fn plain(table: TableName) -> RecordTable {
    RecordTable::new(table)
        .column(Column::new(column("words"), ColumnKind::Text).required().on_server(column("remark")))
        .column(Column::new(column("number"), ColumnKind::Integer).indexed())
        .column(Column::new(column("extra_words"), ColumnKind::Text))
        .column(Column::new(column("hidden"), ColumnKind::Bool))
}

/// The names are constants that are names.
fn name(text: &str) -> TableName {
    let Ok(name) = TableName::new(text) else { unreachable!("a constant") };
    name
}

fn column(text: &str) -> ColumnName {
    let Ok(name) = ColumnName::new(text) else { unreachable!("a constant") };
    name
}

/// Fields as a device shows them: without nulls.
pub(super) fn shown(fields: Fields) -> Fields {
    fields.into_iter().filter(|(_, value)| *value != Value::Null).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declarations_fit_together() {
        assert_eq!(RecordTable::check_all(&tables()), Ok(()));
    }
}
