//! Events on the server.

use super::World;
use crate::simulator::{
    dice::pick,
    network::Outage,
    records::{step::Event, tables},
};
use fieldpost_domain::RetryCode;
use fieldpost_storage::records::RecordQueue;
use std::{sync::atomic::Ordering, time::Duration};

impl World {
    pub(super) async fn event(&mut self, event: Event) {
        if event == Event::Compact && self.somebody_asks_for_what_was_there().await {
            return;
        }
        self.observer().count(event.name());
        let server = self.hub.server.clone();
        match event {
            Event::Down { lasting } => self.hub.uplink.down_for(Duration::from_millis(lasting.into())),
            Event::Missing { lasting } => {
                self.hub.outages.begin(Outage::Missing, Duration::from_millis(lasting.into()));
            }
            Event::NoAudit { lasting } => self.shared.no_audit_for(Duration::from_millis(lasting.into())),
            Event::Restart => {
                self.hub.uplink.break_connections();
                server.restart();
            }
            Event::NewEpoch => {
                self.hub.uplink.break_connections();
                server.restart();
                server.change_epoch();
            }
            Event::Backup => self.backup = Some(server.backup()),
            Event::Restore => self.restore(),
            Event::Compact => server.compact(),
            Event::Expire { person } => server.expire_tokens(self.roster.person(person).id),
            Event::EndSessions { person } => server.end_sessions(self.roster.person(person).id),
            Event::Retry { pick: number } => {
                let rows = tables::tables().into_iter().flat_map(|table| server.records_of(&table.server_name));
                let ids: Vec<_> = rows.map(|row| row.id).collect();
                // For whoever comes first, or for one record. Who comes first may depend on the other side.
                let anybody = number.is_multiple_of(3) && !self.setup.independent;
                let record = if anybody { None } else { pick(&ids, number) };
                if anybody || record.is_some() {
                    server.retry_next_record(record, RetryCode::Busy);
                }
            }
            Event::Policies => {
                server.change_record_policies();
                self.hub.sights.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Whether a change that the server may have had still waits in a queue. The server keeps tombstones for longer than
    /// any device waits for an answer (docs/howto/supabase.md), because only the tombstone shows that it has had the
    /// record.
    async fn somebody_asks_for_what_was_there(&self) -> bool {
        for device in &self.devices {
            let entries = device.disk.record_queue(u32::MAX).await.unwrap_or_default();
            let truth = self.shared.truth.lock();
            if entries.iter().any(|entry| truth.decided.contains_key(&entry.mutation_id)) {
                return true;
            }
        }
        false
    }

    fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        self.hub.uplink.break_connections();
        self.hub.server.restore(backup);
        self.hub.sights.fetch_add(1, Ordering::SeqCst);
        self.shared.truth.lock().restored();
    }
}
