//! What a successful pass over the records must have brought: everything that was committed before it began.

use crate::simulator::{
    Breach, Invariant,
    network::Hub,
    records::{tables, world::Process},
};
use fieldpost_domain::{
    PersonId,
    records::{RecordOperation, RecordRow},
};
use fieldpost_storage::{
    StorageErrorKind,
    records::{RecordQueue, RecordReplica, Records},
};
use fieldpost_sync::RecordReport;
use std::sync::atomic::Ordering;

/// The state before a pass.
pub(in crate::simulator::records) struct Before {
    reader: PersonId,
    breaks: u64,
    sights: u64,
    rows: Vec<RecordRow>,
    /// A first load was under way, or had to begin.
    loading: bool,
    loads_anew: u64,
    /// The other process may have been told to load anew.
    in_two_processes: bool,
}

impl Before {
    pub(in crate::simulator::records) async fn new(
        hub: &Hub,
        process: &Process,
        (reader, in_two_processes): (PersonId, bool),
    ) -> Self {
        let state = process.store.record_state().await;
        Self {
            reader,
            breaks: hub.uplink.breaks(),
            sights: hub.sights.load(Ordering::SeqCst),
            rows: hub.server.records_visible_to(reader),
            loading: state.is_ok_and(|state| state.cursor.is_none()),
            loads_anew: process.records_load_anew(),
            in_two_processes,
        }
    }

    /// A pass that continues from a cursor begins a first load only if the server says that the cursor has expired.
    pub(in crate::simulator::records) fn loads_only_what_it_must(
        &self,
        process: &Process,
        report: &RecordReport,
    ) -> Result<(), Breach> {
        if self.loading || self.in_two_processes || report.loads == 0 || process.records_load_anew() > self.loads_anew {
            return Ok(());
        }
        let what = format!("{} loads all records anew for no reason", process.name);
        Err(Breach::new(Invariant::RecordsBounded, what))
    }

    /// Call this right after a successful pass.
    pub(in crate::simulator::records) async fn judge(self, hub: &Hub, process: &Process) -> Result<(), Breach> {
        if hub.uplink.breaks() != self.breaks || hub.sights.load(Ordering::SeqCst) != self.sights {
            return Ok(());
        }
        let now = hub.server.records_visible_to(self.reader);
        let deleted: Vec<_> = match process.store.record_queue(u32::MAX).await {
            Ok(queue) => {
                let deletes = queue.into_iter().filter(|entry| entry.operation == RecordOperation::Delete);
                deletes.map(|entry| entry.record_id).collect()
            }
            // Let go of.
            Err(_) => return Ok(()),
        };
        for row in self.rows.iter().filter(|row| !deleted.contains(&row.id)) {
            // What has changed since then may come with the next pass.
            if !now.iter().any(|now| (now.id, now.version) == (row.id, row.version)) {
                continue;
            }
            let Some(table) = tables::tables().into_iter().find(|table| table.server_name == row.table) else {
                continue;
            };
            let here = match process.store.record(&table.name, row.id).await {
                Ok(here) => here,
                Err(error) if error.kind() == StorageErrorKind::Paused => return Ok(()),
                Err(error) => return Err(super::unreadable(error)),
            };
            if here.is_none_or(|here| here.version < row.version) {
                let what = format!("{}: {} of {} is not here after a pass", process.name, row.id, row.table);
                return Err(Breach::new(Invariant::RecordsGapFree, what));
            }
        }
        Ok(())
    }
}
