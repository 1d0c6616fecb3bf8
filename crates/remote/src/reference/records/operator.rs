//! What an operator, a dashboard or another client can do with records behind the engine's back. For tests.

use super::{AuditRow, RecordKey, RecordTables, StoredRecord, columns, visibility::Told};
use crate::reference::{ReferenceServer, transaction::Transaction, viewer::Viewer};
use fieldpost_domain::{
    AuditId, OrgId, PersonId, RetryCode, Version,
    records::{Fields, RecordId, RecordRow, RecordTable, TableName, clinical},
};

impl RecordTables {
    /// The key of a row that is there.
    pub(super) fn key_of(&self, table: &TableName, id: RecordId) -> Option<RecordKey> {
        let key = RecordKey { table: self.number(table)?, id };
        self.rows.contains_key(&key).then_some(key)
    }
}

/// Writes of another client, which knows nothing of Fieldpost's columns.
impl Transaction<'_> {
    /// Inserts a row. False if the id or the `client_id` is taken, or the table is not offered.
    pub(super) fn insert_foreign(
        &mut self,
        table: &TableName,
        (id, client_id): (RecordId, Option<RecordId>),
        org_id: OrgId,
        fields: &Fields,
    ) -> bool {
        let records = &self.tables().records;
        let Some(number) = records.number(table) else { return false };
        let key = RecordKey { table: number, id };
        let client = client_id.map(|id| RecordKey { table: number, id });
        if records.rows.contains_key(&key) || client.is_some_and(|client| records.of_client.contains_key(&client)) {
            return false;
        }
        let mut all = records.offered.get(number).map(columns::empty).unwrap_or_default();
        all.merge(fields);
        let row = RecordRow {
            table: table.clone(),
            id,
            client_id,
            org_id,
            version: Version::ZERO,
            created_at: Some(self.now()),
            modified_at: self.now(),
            last_mutation_id: None,
            fields: all,
        };
        self.put_record(key, StoredRecord { row, author: None });
        true
    }

    /// Changes a row. False if there is none.
    pub(super) fn update_foreign(
        &mut self,
        table: &TableName,
        id: RecordId,
        change: impl FnOnce(&mut RecordRow),
    ) -> bool {
        let records = &self.tables().records;
        let stored = records.key_of(table, id).and_then(|key| Some((key, records.rows.get(&key)?.clone())));
        let Some((key, mut stored)) = stored else { return false };
        change(&mut stored.row);
        stored.row.modified_at = self.now();
        stored.row.last_mutation_id = None;
        self.put_record(key, stored);
        true
    }

    /// Deletes a row. False if there is none.
    pub(super) fn delete_foreign(&mut self, table: &TableName, id: RecordId) -> bool {
        let key = self.tables().records.key_of(table, id);
        key.is_some_and(|key| self.remove_record(key))
    }
}

/// Records.
impl ReferenceServer {
    /// Offers a table to devices, with the columns of this declaration under the server's names. Offering it again
    /// changes nothing.
    pub fn offer_table(&self, table: &RecordTable) {
        let mut state = self.lock();
        let records = &mut state.tables.records;
        if records.number(&table.server_name).is_none() {
            records.offered.push(table.clone());
        }
    }

    /// Offers the four clinical tables.
    pub fn offer_clinical_tables(&self) {
        for table in clinical::tables() {
            self.offer_table(&table);
        }
    }

    /// Inserts a row, like a client that writes to the tables directly. `client_id` is for a row of an older app. False
    /// if one of the ids is taken.
    pub fn insert_record(
        &self,
        table: &TableName,
        ids: (RecordId, Option<RecordId>),
        org_id: OrgId,
        fields: &Fields,
    ) -> bool {
        self.lock().write(|transaction| transaction.insert_foreign(table, ids, org_id, fields))
    }

    /// Changes columns of a row, by its primary key. False if there is none.
    pub fn update_record(&self, table: &TableName, id: RecordId, fields: &Fields) -> bool {
        self.lock().write(|transaction| transaction.update_foreign(table, id, |row| row.fields.merge(fields)))
    }

    /// Gives a row to another org.
    pub fn move_record(&self, table: &TableName, id: RecordId, org_id: OrgId) -> bool {
        self.lock().write(|transaction| transaction.update_foreign(table, id, |row| row.org_id = org_id))
    }

    /// Deletes a row, by its primary key.
    pub fn delete_record(&self, table: &TableName, id: RecordId) -> bool {
        self.lock().write(|transaction| transaction.delete_foreign(table, id))
    }

    /// A policy, a grant or a column of the tables has changed: older cursors of records expire.
    pub fn change_record_policies(&self) {
        self.lock().tables.records.policies += 1;
    }

    /// Answers the next change, of this record (by either of its ids) or of any, with `retry`. Each call adds one such
    /// answer.
    pub fn retry_next_record(&self, record: Option<RecordId>, code: RetryCode) {
        self.lock().record_retries.add(record, code);
    }
}

/// The records of the server, for assertions.
impl ReferenceServer {
    /// Whether the server has the functions for records.
    #[must_use]
    pub fn has_records(&self) -> bool {
        self.lock().options.records
    }

    /// The offered tables, by the server's names.
    #[must_use]
    pub fn offered_tables(&self) -> Vec<TableName> {
        self.lock().tables.records.offered.iter().map(|table| table.server_name.clone()).collect()
    }

    /// A row, by either of its ids.
    #[must_use]
    pub fn record(&self, table: &TableName, id: RecordId) -> Option<RecordRow> {
        let state = self.lock();
        let number = state.tables.records.number(table)?;
        state.tables.records.find(number, id).map(|stored| stored.row.clone())
    }

    /// All rows of a table, by their primary keys.
    #[must_use]
    pub fn records_of(&self, table: &TableName) -> Vec<RecordRow> {
        let state = self.lock();
        let rows = state.tables.records.rows.values().filter(|stored| stored.row.table == *table);
        rows.map(|stored| stored.row.clone()).collect()
    }

    /// All rows that a person may see, by table and primary key: the contents of a device that has caught up.
    #[must_use]
    pub fn records_visible_to(&self, person: PersonId) -> Vec<RecordRow> {
        let state = self.lock();
        let viewer = Viewer::of(&state.tables, person);
        let told = state.tables.records.rows.keys().filter_map(|key| viewer.told_of_record(&state.tables, *key));
        told.filter_map(|told| if let Told::Row(row) = told { Some(row) } else { None }).collect()
    }

    /// An entry of the audit log.
    #[must_use]
    pub fn audit_row(&self, id: AuditId) -> Option<AuditRow> {
        self.lock().tables.records.audit.get(&id).cloned()
    }

    /// The audit log, by the ids of its entries.
    #[must_use]
    pub fn audit_log(&self) -> Vec<(AuditId, AuditRow)> {
        self.lock().tables.records.audit.iter().map(|(id, row)| (*id, row.clone())).collect()
    }
}
