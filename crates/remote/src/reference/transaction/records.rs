//! Writes records: what the schema's triggers do, whoever writes.

use super::{RowKey, Transaction};
use crate::reference::records::{RecordKey, StoredRecord};
use fieldpost_domain::{
    OrgId,
    planted::{PlantedBug, planted},
    records::{RecordRow, RecordTombstone},
};

impl Transaction<'_> {
    /// Stores a row, new or changed, with the next version. An org that it leaves gets a tombstone; the one that it
    /// joins needs none any more.
    pub(in crate::reference) fn put_record(&mut self, key: RecordKey, mut stored: StoredRecord) -> RecordRow {
        let records = &mut self.tables.records;
        stored.row.version = records.version_of(key).next();
        let row = stored.row.clone();
        let before = records.rows.insert(key, stored).map(|before| before.row.org_id);
        if let Some(id) = row.client_id {
            records.of_client.insert(RecordKey { id, ..key }, row.id);
        }
        if let Some(left) = before.filter(|org| *org != row.org_id) {
            self.bury(key, left, &row);
        }
        if self.tables.records.tombstones.remove(&(key, row.org_id)).is_some() {
            self.gone.insert(RowKey::RecordTombstone(key, row.org_id));
        }
        self.gone.remove(&RowKey::Record(key));
        self.touch(RowKey::Record(key));
        row
    }

    /// Deletes a row; its org gets a tombstone. False if there is none.
    pub(in crate::reference) fn remove_record(&mut self, key: RecordKey) -> bool {
        let version = self.tables.records.version_of(key).next();
        let Some(StoredRecord { mut row, .. }) = self.tables.records.rows.remove(&key) else { return false };
        if let Some(id) = row.client_id {
            self.tables.records.of_client.remove(&RecordKey { id, ..key });
        }
        row.version = version;
        self.gone.insert(RowKey::Record(key));
        self.bury(key, row.org_id, &row);
        true
    }

    fn bury(&mut self, key: RecordKey, org: OrgId, row: &RecordRow) {
        if planted(PlantedBug::RecordTombstoneMissing) {
            return;
        }
        let (table, id, client_id, version) = (row.table.clone(), row.id, row.client_id, row.version);
        let tombstone = RecordTombstone { table, id, client_id, version };
        self.tables.records.tombstones.insert((key, org), tombstone);
        self.gone.remove(&RowKey::RecordTombstone(key, org));
        self.touch(RowKey::RecordTombstone(key, org));
    }
}
