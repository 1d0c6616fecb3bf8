//! Events on the server.

use super::World;
use crate::simulator::{dice::pick, network::Outage, step::Event};
use fieldpost_domain::{MessageId, TombstoneOf};
use std::{collections::BTreeSet, time::Duration};

impl World {
    pub(super) async fn event(&mut self, event: Event) {
        if event == Event::Compact && self.somebody_asks_for_what_was_deleted().await {
            return;
        }
        self.observer().count(event.name());
        let server = self.hub.server.clone();
        match event {
            Event::Down { lasting } => {
                self.hub.uplink.down_for(Duration::from_millis(lasting.into()));
            }
            Event::Missing { lasting } => {
                self.hub.outages.begin(Outage::Missing, Duration::from_millis(lasting.into()));
            }
            Event::RefuseTokens { lasting } => {
                self.hub.outages.begin(Outage::Tokens, Duration::from_millis(lasting.into()));
            }
            Event::Restart => {
                self.hub.uplink.break_connections();
                server.restart();
            }
            Event::NewEpoch => {
                self.hub.uplink.break_connections();
                server.restart();
                server.change_epoch();
                self.forget_what_was_read();
            }
            Event::Backup => self.backup = Some(server.backup()),
            Event::Restore => self.restore(),
            Event::Compact => server.compact(),
            Event::Expire { person } => server.expire_tokens(self.roster.person(person).id),
            Event::EndSessions { person } => server.end_sessions(self.roster.person(person).id),
            Event::Poison { pick: number } => {
                let id = pick(&server.conversation_ids(), number);
                self.hub.poisoned().extend(id);
            }
        }
    }

    /// Whether a hard-deleted message is still in an outbox. The server keeps tombstones for longer than any device
    /// waits for a response (docs/howto/supabase.md), because only the tombstone shows that it has had the message.
    async fn somebody_asks_for_what_was_deleted(&self) -> bool {
        let deleted = self.hub.server.tombstones().into_iter().filter_map(|row| match row.of {
            TombstoneOf::Message { id, .. } => Some(id),
            TombstoneOf::Conversation => None,
        });
        let deleted: BTreeSet<_> = deleted.collect();
        for device in &self.devices {
            let Ok(store) = device.look().await else { continue };
            let entries = store.entries(u32::MAX).await.unwrap_or_default();
            if entries.iter().filter_map(|entry| entry.message_id).any(|id| deleted.contains(&id)) {
                return true;
            }
        }
        false
    }

    fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        self.hub.uplink.break_connections();
        let before = self.all_messages();
        self.hub.server.restore(backup);
        let after = self.all_messages();
        self.rolled_back.extend(before.difference(&after));
        // The server may not know of it any more.
        self.deleted.clear();
        self.forget_what_was_read();
        (0..self.devices.len()).for_each(|device| self.settings_are_undecided(device));
        self.devices.iter_mut().flat_map(|device| &mut device.written).for_each(|written| written.unsure = true);
    }

    fn all_messages(&self) -> BTreeSet<MessageId> {
        let server = &self.hub.server;
        let threads = server.conversation_ids().into_iter().flat_map(|id| server.messages_of(id));
        threads.map(|message| message.id).collect()
    }

    /// Markers of another epoch are meaningless.
    fn forget_what_was_read(&mut self) {
        for device in &self.devices {
            device.read().clear();
        }
    }
}
