//! The audit log.

use super::state::RecordsState;
use crate::{
    StorageResult,
    records::{AUDIT_LIMIT, AuditCounts, CONTEXT_LIMIT},
};
use fieldpost_domain::{AuditId, records::AuditEntry};
use std::sync::Arc;

impl RecordsState {
    /// Adds an entry with names of the device.
    pub(super) fn audit(&mut self, entry: AuditEntry) -> StorageResult<()> {
        let table = self.table(&entry.table, "audit")?.server_name.clone();
        let (_, record_id) = self.resolve(&entry.table, entry.record_id);
        let context = entry.context.as_ref().map(|text| text.chars().take(CONTEXT_LIMIT).collect());
        if self.audit.iter().all(|other| other.id != entry.id) {
            self.audit.push_back(Arc::new(AuditEntry { table, record_id, context, ..entry }));
        }
        while self.audit.len() > AUDIT_LIMIT {
            self.audit.pop_front();
            self.dropped += 1;
        }
        Ok(())
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
