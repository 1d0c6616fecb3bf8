//! The tables of records that this file has.

use super::sql::{name, rows};
use crate::{
    entity::{record_columns as columns, record_tables as tables},
    error::{Fault, Res},
    sql::Tx,
};
use fieldpost_domain::records::{ColumnKind, ColumnName, RecordTable, TableName, clinical};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{EntityTrait, QueryTrait, sea_query::DynIden};
use std::collections::BTreeMap;

/// A table, with all columns that were ever declared.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: TableName,
    /// As the last call declared it; none if it did not.
    pub(super) declaration: Option<RecordTable>,
    pub(super) columns: BTreeMap<ColumnName, ColumnKind>,
}

/// All tables by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables(pub(super) BTreeMap<TableName, Table>);

impl Table {
    pub(super) const fn new(name: TableName) -> Self {
        Self { name, declaration: None, columns: BTreeMap::new() }
    }

    /// Its name in the file.
    pub(super) fn physical(&self) -> String {
        physical(&self.name)
    }

    pub(super) fn iden(&self) -> DynIden {
        name(self.physical())
    }

    /// The columns that refer to records of another table.
    pub(super) fn references(&self) -> impl Iterator<Item = (&ColumnName, &TableName)> {
        self.columns.iter().filter_map(|(column, kind)| match kind {
            ColumnKind::Reference(other) => Some((column, other)),
            _ => None,
        })
    }
}

/// The declaration of one table.
pub(super) async fn declaration(tx: &Tx, table: &TableName) -> Res<RecordTable> {
    let declared = tx.find_one::<tables::Model>(&tables::Entity::find_by_id(table.as_str())).await?;
    let declared = declared.filter(|table| table.declared).ok_or_else(undeclared)?;
    parse(&declared.declaration)
}

fn parse(declaration: &str) -> Res<RecordTable> {
    serde_json::from_str(declaration).map_err(|_| Fault::corrupt("a declaration cannot be read"))
}

fn undeclared() -> Fault {
    Fault::of(StorageErrorKind::NotFound, Some("the table is not declared".to_owned()))
}

/// The clinical tables were here before others could be declared, and have kept their names.
pub(super) fn physical(table: &TableName) -> String {
    if clinical::TABLES.contains(&table.as_str()) { table.as_str().to_owned() } else { format!("app_{table}") }
}

impl Tables {
    pub(super) async fn read(tx: &Tx) -> Res<Self> {
        let mut read = Self::default();
        for row in rows(tx, columns::Entity::find().as_query()).await? {
            let column = row.model::<columns::Model>()?;
            let (Ok(table), Ok(name)) = (TableName::new(column.table_name), ColumnName::new(column.name)) else {
                return Err(Fault::corrupt("a declared name is none"));
            };
            let kind = serde_json::from_str(&column.kind).map_err(|_| Fault::corrupt("a kind of column is unknown"))?;
            read.entry(table).columns.insert(name, kind);
        }
        for row in rows(tx, tables::Entity::find().as_query()).await? {
            let table = row.model::<tables::Model>()?;
            let declaration = parse(&table.declaration)?;
            let entry = read.entry(declaration.name.clone());
            entry.declaration = Some(declaration).filter(|_| table.declared);
        }
        Ok(read)
    }

    fn entry(&mut self, table: TableName) -> &mut Table {
        self.0.entry(table.clone()).or_insert_with(|| Table::new(table))
    }

    pub(super) fn declared(&self) -> impl Iterator<Item = (&Table, &RecordTable)> {
        self.0.values().filter_map(|table| Some((table, table.declaration.as_ref()?)))
    }

    /// A table that is declared.
    pub(super) fn find(&self, name: &TableName) -> Option<(&Table, &RecordTable)> {
        let table = self.0.get(name)?;
        Some((table, table.declaration.as_ref()?))
    }

    /// The same; it is a failure if it is not.
    pub(super) fn get(&self, name: &TableName) -> Res<(&Table, &RecordTable)> {
        self.find(name).ok_or_else(undeclared)
    }

    /// The declared table that the server calls so.
    pub(super) fn on_server(&self, server_name: &TableName) -> Option<(&Table, &RecordTable)> {
        self.declared().find(|(_, declaration)| declaration.server_name == *server_name)
    }
}
