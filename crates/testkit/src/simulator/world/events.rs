//! What happens to the server.

use super::World;
use crate::simulator::{dice::pick, step::Event};
use fieldpost_domain::MessageId;
use std::{collections::BTreeSet, sync::atomic::Ordering};

impl World {
    pub(super) fn event(&mut self, event: Event) {
        self.observer().count(event.name());
        let server = self.hub.server.clone();
        match event {
            Event::Down { lasting } => {
                let until = self.observer().now() + u64::from(lasting);
                self.hub.down_until.fetch_max(until, Ordering::SeqCst);
            }
            Event::Restart => {
                self.break_connections();
                server.restart();
            }
            Event::NewEpoch => {
                self.break_connections();
                server.restart();
                server.change_epoch();
                self.forget_what_was_read();
            }
            Event::Backup => self.backup = Some(server.backup()),
            Event::Restore => self.restore(),
            Event::Compact => server.compact(),
            Event::Expire { person } => server.expire_tokens(self.cast.person(person).id),
            Event::EndSessions { person } => server.end_sessions(self.cast.person(person).id),
            Event::Poison { pick: number } => {
                let id = pick(&server.conversation_ids(), number);
                self.hub.poisoned().extend(id);
            }
        }
    }

    fn restore(&mut self) {
        let Some(backup) = &self.backup else { return };
        self.break_connections();
        let before = self.all_messages();
        self.hub.server.restore(backup);
        let after = self.all_messages();
        self.unhappened.extend(before.difference(&after));
        self.forget_what_was_read();
    }

    fn all_messages(&self) -> BTreeSet<MessageId> {
        let server = &self.hub.server;
        let threads = server.conversation_ids().into_iter().flat_map(|id| server.messages_of(id));
        threads.map(|message| message.id).collect()
    }

    fn break_connections(&self) {
        self.hub.restarts.fetch_add(1, Ordering::SeqCst);
    }

    /// Of another epoch the markers say nothing.
    fn forget_what_was_read(&mut self) {
        for device in &self.devices {
            device.read().clear();
        }
    }
}
