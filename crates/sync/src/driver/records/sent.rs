//! Which change of a record was sent before another.
//!
//! Two changes of one device to one record need no comparing of times, as long as nobody came between: the server finds
//! the first one in the row. It is told which one that is. Without that, a change that was slow to arrive would look later
//! than the next one that the person made. What is forgotten here, or was sent by an earlier process, is compared.

use fieldpost_domain::{MutationId, RecordId};
use std::{
    collections::HashMap,
    sync::{Mutex as Lock, MutexGuard as LockGuard, PoisonError},
};

/// How many records are remembered.
const RECORDS: usize = 4096;

/// How many changes of one record are remembered.
const CHANGES: usize = 8;

/// The changes that this process has sent last, by record, in the order of sending.
#[derive(Debug, Default)]
pub(super) struct Sent(Lock<HashMap<RecordId, Vec<MutationId>>>);

impl Sent {
    /// The change is being sent. Returns the one that was sent before it; the same at each attempt.
    pub(super) fn note(&self, record: RecordId, mutation: MutationId) -> Option<MutationId> {
        let mut records = self.lock();
        if records.len() >= RECORDS && !records.contains_key(&record) {
            records.clear();
        }
        let changes = records.entry(record).or_default();
        let place = changes.iter().position(|sent| *sent == mutation).unwrap_or_else(|| {
            if changes.len() == CHANGES {
                changes.remove(0);
            }
            changes.push(mutation);
            changes.len() - 1
        });
        place.checked_sub(1).and_then(|before| changes.get(before)).copied()
    }

    /// Whether the change was sent before.
    pub(super) fn knows(&self, record: RecordId, mutation: MutationId) -> bool {
        self.lock().get(&record).is_some_and(|changes| changes.contains(&mutation))
    }

    /// The record has another id from now on.
    pub(super) fn rekeyed(&self, from: RecordId, to: RecordId) {
        let mut records = self.lock();
        if let Some(changes) = records.remove(&from) {
            records.insert(to, changes);
        }
    }

    fn lock(&self) -> LockGuard<'_, HashMap<RecordId, Vec<MutationId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn record(number: u128) -> RecordId {
        RecordId::from_uuid(Uuid::from_u128(number))
    }

    fn change(number: u128) -> MutationId {
        MutationId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_change_follows_the_one_that_was_sent_before_it_at_each_attempt() {
        let sent = Sent::default();
        assert_eq!(sent.note(record(1), change(1)), None);
        assert_eq!(sent.note(record(2), change(2)), None);
        assert_eq!(sent.note(record(1), change(3)), Some(change(1)));
        assert_eq!(sent.note(record(1), change(1)), None, "again");
        assert_eq!(sent.note(record(1), change(3)), Some(change(1)), "again");
        sent.rekeyed(record(1), record(9));
        assert_eq!(sent.note(record(9), change(4)), Some(change(3)));
    }

    #[test]
    fn old_changes_and_records_are_forgotten() {
        let sent = Sent::default();
        for number in 0..20 {
            sent.note(record(1), change(number));
        }
        assert_eq!(sent.note(record(1), change(12)), None, "the oldest that is remembered");
        for number in 0..5000 {
            sent.note(record(number + 10), change(1));
        }
        assert_eq!(sent.note(record(1), change(30)), None);
    }
}
