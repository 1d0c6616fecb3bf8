//! Makes messages with an expired ttl dead letters.

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
        entry.intent.policy().expires && entry.can_expire(before) && !matches!(echo, Some(Row::Server(_)))
    }

    /// An open expires with the last message of its lane. While a message is pending it stays, and without messages it
    /// does not expire.
    fn open_expires(&self, entry: &Entry, before: Time) -> bool {
        let lane = entry.intent.lane();
        let known = self.threads.get(&lane).is_some_and(|thread| thread.on_server);
        entry.intent.policy().opens && entry.can_expire(before) && !known && self.all_expired(lane)
    }

    fn all_expired(&self, lane: ConversationId) -> bool {
        let behind = || self.outbox.iter().filter(|entry| entry.intent.lane() == lane && entry.intent.policy().expires);
        behind().all(Entry::is_failed) && behind().any(Entry::is_expired)
    }
}

impl Entry {
    /// Whether the entry was recorded before this time and certainly did not reach the server.
    fn can_expire(&self, before: Time) -> bool {
        let settled = self.in_flight == 0 || planted(PlantedBug::ExpiresInFlight);
        !self.is_failed() && settled && self.recorded_at < before
    }

    const fn is_expired(&self) -> bool {
        matches!(self.state, EntryState::Failed(Refusal { code: RefusalCode::Expired, .. }))
    }
}
