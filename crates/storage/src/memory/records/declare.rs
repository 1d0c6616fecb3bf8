//! Declarations.

use super::state::{RecordsState, Table, set};
use crate::{StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::records::{DeclarationError, Fields, RecordTable};

impl RecordsState {
    pub(super) fn declare(&mut self, tables: &[RecordTable]) -> StorageResult<()> {
        let refuse = |fault: DeclarationError| {
            StorageError::new(StorageErrorKind::Declaration, "declare").with_detail(fault.to_string())
        };
        RecordTable::check_all(tables).map_err(refuse)?;
        tables.iter().try_for_each(|table| self.check_kinds(table)).map_err(refuse)?;
        let grows = tables.iter().any(|table| self.grows(table));
        self.tables.values_mut().for_each(|table| table.declared = false);
        for table in tables {
            self.declare_one(table);
        }
        if grows {
            self.begin_load();
        }
        Ok(())
    }

    /// Whether the server has more of a table now than it was asked for.
    fn grows(&self, table: &RecordTable) -> bool {
        let Some(before) = self.declared(&table.name) else { return true };
        let has_rows = || self.rows.keys().any(|key| key.0 == table.name);
        before.server_name != table.server_name || (table.adds_columns_to(before) && has_rows())
    }

    fn check_kinds(&self, table: &RecordTable) -> Result<(), DeclarationError> {
        let Some(before) = self.tables.get(&table.name) else { return Ok(()) };
        let changed = table
            .columns
            .iter()
            .find(|column| before.columns.get(&column.name).is_some_and(|kind| *kind != column.kind));
        match changed {
            Some(column) => Err(DeclarationError::KindChanged(table.name.clone(), column.name.clone())),
            None => Ok(()),
        }
    }

    fn declare_one(&mut self, table: &RecordTable) {
        let mut columns = self.tables.remove(&table.name).map(|before| before.columns).unwrap_or_default();
        columns.extend(table.columns.iter().map(|column| (column.name.clone(), column.kind.clone())));
        self.tables.insert(table.name.clone(), Table { declaration: table.clone(), declared: true, columns });
        for row in self.rows.iter_mut().filter(|(key, _)| key.0 == table.name).map(|(_, row)| row) {
            // What fits the declaration by now moves into its column.
            let (known, extra) = table.from_server(std::mem::take(&mut row.extra));
            set(&mut row.extra, extra);
            row.set(known);
        }
        self.resolve_references();
    }

    /// The fields as they are kept: in one spelling, and with the current ids of the records that they refer to.
    pub(super) fn kept(&self, table: &RecordTable, fields: Fields) -> Fields {
        let mut fields = table.canonical(fields);
        self.follow(&table.name, &mut fields);
        fields
    }
}
