//! Finds what looks different.

use super::state::RecordsState;
use crate::{ChangeSet, TouchedTables};
use std::collections::BTreeSet;

impl RecordsState {
    pub(in crate::memory) fn changed_since(&self, before: &Self) -> ChangeSet {
        let tables: BTreeSet<_> = self.tables.keys().chain(before.tables.keys()).collect();
        let differs = |state: &&_| self.all_shown(state) != before.all_shown(state);
        let touched = tables.into_iter().filter(differs).cloned().collect();
        let queue = self.queue != before.queue
            || self.conflicts != before.conflicts
            || self.carried != before.carried
            || self.audit != before.audit
            || self.dropped != before.dropped
            // A change waits for the declaration of its table.
            || self.tables != before.tables;
        ChangeSet { records: TouchedTables::Only(touched), record_queue: queue, ..ChangeSet::nothing() }
    }
}
