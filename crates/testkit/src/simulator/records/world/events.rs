//! Events on the server.

use super::World;
use crate::simulator::{
    dice::pick,
    network::Outage,
    records::{step::Event, tables},
};
use fieldpost_domain::RetryCode;
use std::{sync::atomic::Ordering, time::Duration};

impl World {
    pub(super) fn event(&mut self, event: Event) {
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
                // Of nobody in particular, or of one record.
                let record = if number.is_multiple_of(3) { None } else { pick(&ids, number) };
                server.retry_next_record(record, RetryCode::Busy);
            }
            Event::Policies => {
                server.change_record_policies();
                self.hub.sights.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        self.hub.uplink.break_connections();
        self.hub.server.restore(backup);
        self.hub.sights.fetch_add(1, Ordering::SeqCst);
        self.shared.truth.lock().restored();
    }
}
