//! Who may see, write and delete a record.

use super::{RecordKey, StoredRecord};
use crate::reference::{tables::Tables, viewer::Viewer};
use fieldpost_domain::{
    OrgId, Role,
    planted::{PlantedBug, planted},
    records::{RecordRow, RecordTombstone},
};

/// What a pass tells of a place in the feed.
pub(super) enum Told {
    Row(RecordRow),
    Tombstone(RecordTombstone),
}

impl Viewer {
    /// Whether the caller may see a record: she is a member of its org, and no policy hides it.
    pub(super) fn sees_record(&self, tables: &Tables, row: &RecordRow) -> bool {
        if planted(PlantedBug::RecordsOfOtherOrgs) && !self.members.is_empty() {
            return true;
        }
        let shows = |role: &Role| tables.project.0.shows_record(row, self.person_id, role);
        self.role_in(row.org_id).is_some_and(|role| shows(role) || planted(PlantedBug::HiddenRecordIsTold))
    }

    /// The caller's role in an org.
    pub(super) fn role_in(&self, org: OrgId) -> Option<&Role> {
        self.member_of(org).map(|member| &member.role)
    }

    /// Whether she may delete a record that she sees: as an admin, or as its author.
    pub(super) fn may_delete(&self, stored: &StoredRecord) -> bool {
        self.is_admin_of(stored.row.org_id) || stored.author == Some(self.person_id)
    }

    /// A change of a record, as the caller is told of it. A record of her org that policies hide is withdrawn, because
    /// she may have seen it before; with the version before its own, so that it can come back with its own.
    pub(super) fn told_of_record(&self, tables: &Tables, key: RecordKey) -> Option<Told> {
        let row = &tables.records.rows.get(&key)?.row;
        self.role_in(row.org_id)?;
        if self.sees_record(tables, row) {
            return Some(Told::Row(row.clone()));
        }
        let (table, id, client_id) = (row.table.clone(), row.id, row.client_id);
        let version = row.version.previous();
        Some(Told::Tombstone(RecordTombstone { table, id, client_id, version }))
    }

    /// A tombstone, if it is for the caller. A member of both orgs that a record moved between sees the row instead.
    pub(super) fn told_of_tombstone(&self, tables: &Tables, key: RecordKey, org: OrgId) -> Option<Told> {
        self.role_in(org)?;
        let tombstone = tables.records.tombstones.get(&(key, org))?;
        let row = tables.records.rows.get(&key);
        let there = row.is_some_and(|stored| self.sees_record(tables, &stored.row));
        (!there).then(|| Told::Tombstone(tombstone.clone()))
    }
}
