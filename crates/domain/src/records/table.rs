//! The declaration of a table.

use super::{Column, ColumnKind, ColumnName, FieldError, Fields, Priority, PriorityRule, TableName};
use crate::metadata::{READABLE_DEPTH, is_deeper};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The most bytes of a record's fields as JSON.
pub const RECORD_LIMIT: usize = 256 * 1024;

/// The columns that every record has. A declaration cannot name them.
pub(super) const RESERVED: [&str; 17] = [
    "base",
    "client_id",
    "client_modified_at",
    "confirmed",
    "created_at",
    "deleted",
    "extra",
    "id",
    "last_modified_at",
    "last_mutation_id",
    "org_id",
    "rowid",
    "server_id",
    "state",
    "sync_xid",
    "updated_at",
    "version",
];

/// Who wins when two people change one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConflictRule {
    /// The later change, by the server's clock. The change that loses is kept on its device and shown.
    #[default]
    LastWriteWins,
    /// The change that reaches the server last.
    LastArrivalWins,
}

/// Why a declaration is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclarationError {
    /// A column of the declaration is one that every record has.
    #[error("`{0}.{1}` is a column that every record has; do not declare it")]
    Reserved(TableName, ColumnName),
    /// Two columns have one name.
    #[error("`{0}` has two columns `{1}`")]
    Twice(TableName, ColumnName),
    /// Two tables have one name, here or on the server.
    #[error("`{0}` is declared twice")]
    TableTwice(TableName),
    /// A column refers to a table that is not declared.
    #[error("`{0}.{1}` refers to a table that is not declared")]
    NoSuchTable(TableName, ColumnName),
    /// [`PriorityRule::immediate_if`] names no column of true and false.
    #[error("`{0}`: the column that makes a change immediate must be a declared one of true or false")]
    PriorityColumn(TableName),
    /// The declaration changes a column that was declared otherwise before.
    #[error("`{0}.{1}` was declared with another kind before; give the column another name")]
    KindChanged(TableName, ColumnName),
}

/// A table of records, as an app declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordTable {
    /// Its name on the device.
    pub name: TableName,
    /// Its name on the server, in the schema `public`.
    pub server_name: TableName,
    /// Its columns, beside those that every record has.
    pub columns: Vec<Column>,
    /// The priority of its changes.
    pub priority: PriorityRule,
    /// Who wins a conflict.
    pub conflict: ConflictRule,
}

impl RecordTable {
    /// A table with one name on both sides and no columns.
    #[must_use]
    pub fn new(name: TableName) -> Self {
        Self {
            server_name: name.clone(),
            name,
            columns: Vec::new(),
            priority: PriorityRule::default(),
            conflict: ConflictRule::default(),
        }
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// Sets the priority of its changes.
    #[must_use]
    pub fn priority(mut self, usual: Priority) -> Self {
        self.priority.usual = usual;
        self
    }

    /// Makes changes immediate if a column is true.
    #[must_use]
    pub fn immediate_if(mut self, column: ColumnName) -> Self {
        self.priority.immediate_if = Some(column);
        self
    }

    /// The server calls it differently.
    #[must_use]
    pub fn on_server(mut self, server_name: TableName) -> Self {
        self.server_name = server_name;
        self
    }

    /// Checks declarations that are used together.
    ///
    /// # Errors
    /// [`DeclarationError`] for the first fault.
    pub fn check_all(tables: &[Self]) -> Result<(), DeclarationError> {
        let mut names = BTreeSet::new();
        let mut server_names = BTreeSet::new();
        for table in tables {
            if !names.insert(&table.name) || !server_names.insert(&table.server_name) {
                return Err(DeclarationError::TableTwice(table.name.clone()));
            }
        }
        tables.iter().try_for_each(|table| table.check_declaration(&names))
    }

    fn check_declaration(&self, tables: &BTreeSet<&TableName>) -> Result<(), DeclarationError> {
        let mut names = BTreeSet::new();
        let mut server_names = BTreeSet::new();
        for column in &self.columns {
            let at = || (self.name.clone(), column.name.clone());
            let reserved = |name: &ColumnName| RESERVED.contains(&name.as_str());
            if reserved(&column.name) || reserved(&column.server_name) {
                let (table, column) = at();
                return Err(DeclarationError::Reserved(table, column));
            }
            if !names.insert(&column.name) || !server_names.insert(&column.server_name) {
                let (table, column) = at();
                return Err(DeclarationError::Twice(table, column));
            }
            if matches!(&column.kind, ColumnKind::Reference(other) if !tables.contains(other)) {
                let (table, column) = at();
                return Err(DeclarationError::NoSuchTable(table, column));
            }
        }
        let flag = self.priority.immediate_if.as_ref();
        let has_flag = flag.is_none_or(|flag| self.find(flag.as_str()).is_some_and(|it| it.kind == ColumnKind::Bool));
        if has_flag { Ok(()) } else { Err(DeclarationError::PriorityColumn(self.name.clone())) }
    }

    /// The column of this name on the device.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// Whether it has a column that `before` did not have, or had under another name on either side.
    #[must_use]
    pub fn adds_columns_to(&self, before: &Self) -> bool {
        let same = |a: &Column, b: &Column| a.name == b.name && a.server_name == b.server_name;
        self.columns.iter().any(|column| !before.columns.iter().any(|old| same(column, old)))
    }

    /// Checks the fields of a new record.
    ///
    /// # Errors
    /// [`FieldError`] for the first fault.
    pub fn check_new(&self, fields: &Fields) -> Result<(), FieldError> {
        let null = Value::Null;
        for column in &self.columns {
            column.check(fields.get(column.name.as_str()).unwrap_or(&null))?;
        }
        self.check_names_and_size(fields)
    }

    /// Checks the fields that a change sets.
    ///
    /// # Errors
    /// [`FieldError`] for the first fault.
    pub fn check_change(&self, fields: &Fields) -> Result<(), FieldError> {
        for (name, value) in fields.iter() {
            if let Some(column) = self.find(name) {
                column.check(value)?;
            }
        }
        self.check_names_and_size(fields)
    }

    /// The kind of a column that a query can name: a declared one, or one that every record has.
    #[must_use]
    pub fn kind_of(&self, column: &str) -> Option<ColumnKind> {
        match column {
            "id" | "org_id" => Some(ColumnKind::Uuid),
            "created_at" | "modified_at" => Some(ColumnKind::Time),
            other => self.find(other).map(|column| column.kind.clone()),
        }
    }

    /// Fields with each value in the one spelling that is kept ([`ColumnKind::canonical`]).
    #[must_use]
    pub fn canonical(&self, fields: Fields) -> Fields {
        let spell = |name: String, value| match self.find(&name) {
            Some(column) => (name, column.kind.canonical(value)),
            None => (name, value),
        };
        fields.into_iter().map(|(name, value)| spell(name, value)).collect()
    }

    fn check_names_and_size(&self, fields: &Fields) -> Result<(), FieldError> {
        if let Some((name, _)) = fields.iter().find(|(name, _)| self.find(name).is_none()) {
            return Err(FieldError::Unknown(name.to_owned()));
        }
        match fields.json_size() {
            size if size > RECORD_LIMIT => Err(FieldError::TooLarge(size)),
            _ => Ok(()),
        }
    }

    /// Fields under the server's names. A field that the declaration does not have keeps its name.
    #[must_use]
    pub fn to_server(&self, fields: Fields) -> Fields {
        let server_name = |name: String| self.find(&name).map_or(name, |it| it.server_name.as_str().to_owned());
        fields.into_iter().map(|(name, value)| (server_name(name), value)).collect()
    }

    /// Fields of the server under the names on the device, and, apart, those that do not fit the declaration: unknown
    /// columns, and values of another kind. They are kept, never refused. Values are in the one spelling that is kept. One
    /// that is nested deeper than [`READABLE_DEPTH`] could be stored but not read again; it is null.
    #[must_use]
    pub fn from_server(&self, fields: Fields) -> (Fields, Fields) {
        let mut extra = Fields::new();
        let mut known = Fields::new();
        for (name, value) in fields {
            let value = if is_deeper(&value, READABLE_DEPTH) { Value::Null } else { value };
            let column = self.columns.iter().find(|column| column.server_name.as_str() == name);
            let moment = column.and_then(|column| column.kind.in_utc(&value));
            match column.filter(|column| value.is_null() || column.kind.fits(moment.as_ref().unwrap_or(&value))) {
                Some(column) => known.set(column.name.as_str(), column.kind.canonical(moment.unwrap_or(value))),
                None => extra.set(name, value),
            }
        }
        (known, extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    fn column(name: &str) -> ColumnName {
        ColumnName::new(name).unwrap()
    }

    fn visits() -> RecordTable {
        RecordTable::new(table("visits"))
            .column(Column::new(column("place"), ColumnKind::Text).required())
            .column(Column::new(column("count"), ColumnKind::Integer).on_server(column("visitors")))
    }

    #[test]
    fn a_declaration_is_checked() {
        let faulty = |table: RecordTable| RecordTable::check_all(&[table]).unwrap_err();
        assert!(RecordTable::check_all(&[visits()]).is_ok());
        assert_eq!(RecordTable::check_all(&[visits(), visits()]), Err(DeclarationError::TableTwice(table("visits"))));
        let twice = visits().column(Column::new(column("place"), ColumnKind::Text));
        assert_eq!(faulty(twice), DeclarationError::Twice(table("visits"), column("place")));
        let twice = visits().column(Column::new(column("visitors"), ColumnKind::Text));
        assert_eq!(faulty(twice), DeclarationError::Twice(table("visits"), column("visitors")));
        let reserved = visits().column(Column::new(column("server_id"), ColumnKind::Uuid));
        assert_eq!(faulty(reserved), DeclarationError::Reserved(table("visits"), column("server_id")));
        let nowhere = visits().column(Column::new(column("site"), ColumnKind::Reference(table("sites"))));
        assert_eq!(faulty(nowhere), DeclarationError::NoSuchTable(table("visits"), column("site")));
        assert_eq!(faulty(visits().immediate_if(column("place"))), DeclarationError::PriorityColumn(table("visits")));
    }

    #[test]
    fn fields_are_checked_against_the_declaration() {
        let visits = visits();
        assert_eq!(visits.check_new(&Fields::new().with("place", "Gate 3")), Ok(()));
        assert_eq!(visits.check_new(&Fields::new()), Err(FieldError::Missing(column("place"))));
        assert_eq!(visits.check_change(&Fields::new()), Ok(()));
        assert_eq!(
            visits.check_change(&Fields::new().with("place", Value::Null)),
            Err(FieldError::Missing(column("place")))
        );
        assert_eq!(
            visits.check_change(&Fields::new().with("colour", "red")),
            Err(FieldError::Unknown("colour".into()))
        );
        assert!(matches!(visits.check_change(&Fields::new().with("count", 1.5)), Err(FieldError::WrongType { .. })));
        let deep = |levels| (0..levels).fold(Value::from(1), |inner, _| Value::Array(vec![inner]));
        let json = visits.clone().column(Column::new(column("notes"), ColumnKind::Json));
        let notes = |levels| json.check_change(&Fields::new().with("notes", deep(levels)));
        assert_eq!((notes(64), notes(65)), (Ok(()), Err(FieldError::TooDeep(column("notes")))));
        let large = Fields::new().with("place", "x".repeat(RECORD_LIMIT));
        assert!(matches!(visits.check_new(&large), Err(FieldError::TooLarge(_))));
    }

    #[test]
    fn values_have_one_spelling() {
        let kinds = [
            ("at", ColumnKind::Time),
            ("day", ColumnKind::Date),
            ("id_of", ColumnKind::Uuid),
            ("share", ColumnKind::Real),
            ("note", ColumnKind::Text),
        ];
        let table = kinds.into_iter().fold(RecordTable::new(table("spelled")), |table, (name, kind)| {
            table.column(Column::new(column(name), kind))
        });
        let written = Fields::new()
            .with("at", "2026-01-31T09:15:00+01:00")
            .with("day", "2026-1-31")
            .with("id_of", "0198C0DE00007000800000000000000A")
            .with("share", 2)
            .with("note", Value::Null);
        let kept = Fields::new()
            .with("at", "2026-01-31T08:15:00.000000Z")
            .with("day", "2026-01-31")
            .with("id_of", "0198c0de-0000-7000-8000-00000000000a")
            .with("share", 2.0)
            .with("note", Value::Null);
        assert_eq!(table.canonical(written.clone()), kept);
        assert_eq!(table.from_server(written).0, kept);
        assert_eq!(table.canonical(kept.clone()), kept);
        let born = Fields::new().with("at", "1987-05-04T02:00:00+02:00");
        assert_eq!(table.from_server(born).0, Fields::new().with("at", "1987-05-04T00:00:00.000000Z"));
        let before_years = Fields::new().with("at", "0001-01-01T00:00:00+01:00");
        assert_eq!(table.from_server(before_years.clone()), (Fields::new(), before_years));
    }

    #[test]
    fn a_time_of_the_server_without_a_zone_is_in_utc() {
        let times = RecordTable::new(table("times")).column(Column::new(column("at"), ColumnKind::Time));
        // What a device writes to a `timestamp`, PostgreSQL keeps without its offset, which was that of UTC.
        let written = times.canonical(Fields::new().with("at", "2026-01-31T09:15:00.5+01:00"));
        for (told, read) in [
            ("2026-01-31T08:15:00.5", "2026-01-31T08:15:00.500000Z"),
            ("2026-01-31T08:15:00", "2026-01-31T08:15:00.000000Z"),
            ("2026-01-31T08:15:00+02:00", "2026-01-31T06:15:00.000000Z"),
        ] {
            let row = times.from_server(Fields::new().with("at", told));
            assert_eq!(row, (Fields::new().with("at", read), Fields::new()), "{told}");
        }
        assert_eq!(times.from_server(Fields::new().with("at", "2026-01-31T08:15:00.5")).0, written);
        for odd in ["infinity", "0044-03-15T00:00:00 BC", "2026-01-31", "2026-01-31T08:15:00.5x"] {
            let row = times.from_server(Fields::new().with("at", odd));
            assert_eq!(row, (Fields::new(), Fields::new().with("at", odd)), "{odd}");
        }
        let local = Fields::new().with("at", "2026-01-31T08:15:00");
        assert!(times.check_new(&local).is_err(), "an app says which zone it means");
        let texts = RecordTable::new(table("times")).column(Column::new(column("at"), ColumnKind::Text));
        assert_eq!(texts.from_server(local.clone()), (local, Fields::new()), "a text stays the text");
    }

    #[test]
    fn names_are_translated_and_what_does_not_fit_is_kept() {
        let visits = visits();
        let here = Fields::new().with("place", "Gate 3").with("count", 2);
        let there = Fields::new().with("place", "Gate 3").with("visitors", 2);
        assert_eq!(visits.to_server(here.clone()), there);
        assert_eq!(visits.from_server(there), (here, Fields::new()));
        let odd = Fields::new().with("visitors", "many").with("weather", "rain");
        assert_eq!(visits.from_server(odd.clone()), (Fields::new(), odd));
    }
}
