//! A row of the server, put into what this device has of the record.

use super::{
    local::{Local, Row, set},
    stored::Base,
    tombstones::Tombstones,
};
use crate::values::signed;
use fieldpost_domain::records::{Fields, RecordRow, RecordTable};

/// A row with its fields under the names of the device.
pub(super) struct Incoming<'a> {
    pub(super) row: &'a RecordRow,
    pub(super) known: Fields,
    pub(super) extra: Fields,
}

impl<'a> Incoming<'a> {
    pub(super) fn of(row: &'a RecordRow, table: &RecordTable) -> Self {
        let (known, extra) = table.from_server(row.fields.clone());
        Self { row, known, extra }
    }

    /// Puts it there, unless it is older than what is there, or from before the deletion. A field that it does not name keeps
    /// its value.
    pub(super) fn put(&self, local: &mut Local, table: &RecordTable, tombstones: &mut Tombstones, generation: i64) {
        let version = signed(self.row.version.get());
        if let Some(stored) = &mut local.row {
            stored.confirmed = generation;
        }
        let newer = local.row.as_ref().is_some_and(|stored| stored.version > version);
        if newer || tombstones.bury(local.id, version) {
            return;
        }
        tombstones.remove(local.id);
        let stored = local.row.get_or_insert_with(|| self.fresh(generation));
        stored.version = version;
        (stored.base.org_id, stored.base.modified_at) = (self.row.org_id, self.row.modified_at);
        stored.base.created_at = self.row.created_at.unwrap_or(stored.base.created_at);
        for column in &table.columns {
            // What was kept of another kind is replaced by what fits, and the other way round.
            if self.known.get(column.name.as_str()).is_some() {
                stored.extra.take(column.server_name.as_str());
            } else if self.extra.get(column.server_name.as_str()).is_some() {
                stored.base.fields.take(column.name.as_str());
            }
        }
        stored.set(self.known.clone());
        set(&mut stored.extra, self.extra.clone());
    }

    fn fresh(&self, generation: i64) -> Row {
        let base = Base {
            org_id: self.row.org_id,
            created_at: self.row.created_at.unwrap_or(self.row.modified_at),
            modified_at: self.row.modified_at,
            fields: Fields::new(),
        };
        Row { base, extra: Fields::new(), version: 0, confirmed: generation }
    }
}
