//! What has waited too long to be sent.

use super::purge::refused;
use super::state::{Entry, Row, State};
use crate::EntryState;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Refusal, RefusalCode, Time};
use std::collections::BTreeSet;

impl State {
    pub(super) fn expire(&mut self, before: Time) -> u64 {
        let messages = self.expire_where(|state, entry| state.message_expires(entry, before));
        messages + self.expire_where(|state, entry| state.open_expires(entry, before))
    }

    fn expire_where(&mut self, expires: impl Fn(&Self, &Entry) -> bool) -> u64 {
        let expired: BTreeSet<u64> =
            self.outbox.iter().filter(|entry| expires(self, entry)).map(|entry| entry.order).collect();
        for entry in self.outbox.iter_mut().filter(|entry| expired.contains(&entry.order)) {
            entry.state = refused(RefusalCode::Expired);
        }
        expired.len() as u64
    }

    fn message_expires(&self, entry: &Entry, before: Time) -> bool {
        let echo = entry.intent.creates().and_then(|id| self.messages.get(&id));
        entry.intent.policy().expires && entry.has_waited(before) && !matches!(echo, Some(Row::Server(_)))
    }

    /// With the last message behind it: one that still waits keeps it, and one without messages is no message.
    fn open_expires(&self, entry: &Entry, before: Time) -> bool {
        let lane = entry.intent.lane();
        let known = self.threads.get(&lane).is_some_and(|thread| thread.on_server);
        entry.intent.policy().opens && entry.has_waited(before) && !known && self.all_expired(lane)
    }

    fn all_expired(&self, lane: ConversationId) -> bool {
        let behind = || self.outbox.iter().filter(|entry| entry.intent.lane() == lane && entry.intent.policy().expires);
        behind().all(Entry::is_failed) && behind().any(Entry::is_expired)
    }
}

impl Entry {
    /// It waits since before this moment, and the server certainly has not had it.
    fn has_waited(&self, before: Time) -> bool {
        let settled = self.in_flight == 0 || planted(PlantedBug::ExpiresInFlight);
        !self.is_failed() && settled && self.recorded_at < before
    }

    const fn is_expired(&self) -> bool {
        matches!(self.state, EntryState::Failed(Refusal { code: RefusalCode::Expired, .. }))
    }
}
