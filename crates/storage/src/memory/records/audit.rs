//! The audit log.

use super::state::RecordsState;
use crate::{
    StorageResult,
    records::{AUDIT_LIMIT, AuditCounts, CONTEXT_LIMIT},
};
use fieldpost_domain::{
    AuditId, PersonId,
    records::{AuditEntry, NewAuditEntry},
};
use std::{collections::HashSet, sync::Arc};

impl RecordsState {
    /// Adds an entry with names of the device.
    pub(super) fn audit(&mut self, person_id: PersonId, entries: Vec<NewAuditEntry>) -> StorageResult<()> {
        let mut known: HashSet<_> = self.audit.iter().map(|entry| entry.id).collect();
        for new in entries {
            let entry = self.entry(person_id, new)?;
            if known.insert(entry.id) {
                self.audit.push_back(Arc::new(entry));
            }
        }
        while self.audit.len() > AUDIT_LIMIT {
            self.audit.pop_front();
            self.dropped += 1;
        }
        Ok(())
    }

    fn entry(&self, person_id: PersonId, new: NewAuditEntry) -> StorageResult<AuditEntry> {
        let NewAuditEntry { id, table, record_id, operation, context, at } = new;
        let (_, record_id) = self.resolve(&table, record_id);
        let table = self.table(&table, "audit")?.server_name.clone();
        let context = context.map(|text| text.chars().take(CONTEXT_LIMIT).collect());
        Ok(AuditEntry { id, person_id, table, record_id, operation, context, at, ahead_micros: None })
    }

    pub(super) fn next_audit(&self, limit: u32) -> Vec<AuditEntry> {
        let ahead = |entry: &AuditEntry| self.clocks.get(&entry.at.clock).copied();
        let oldest = self.audit.iter().take(limit as usize);
        oldest.map(|entry| AuditEntry { ahead_micros: ahead(entry), ..AuditEntry::clone(entry) }).collect()
    }

    pub(super) fn audited(&mut self, entries: &[AuditId]) {
        self.audit.retain(|entry| !entries.contains(&entry.id));
    }

    pub(super) fn audit_counts(&self) -> AuditCounts {
        AuditCounts { pending: self.audit.len() as u64, dropped: self.dropped }
    }
}
