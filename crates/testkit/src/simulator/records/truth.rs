//! What really happened, and when: what no device and no server can know.
//!
//! Every change is noted when the store has accepted it, with the true time. Every decision of the server is noted when
//! it is made, whether anybody receives the answer or not.

use fieldpost_domain::{
    AuditId, MutationId, OrgId, PersonId,
    records::{ClockId, Fields, RecordId, RecordOperation, TableName},
};
use fieldpost_storage::records::RecordQueueEntry;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// For how long a batch may be tried after it was read, in microseconds.
const READ_BEFORE: u64 = 120_000_000;

/// A record, by its table's name on the server and its primary key.
pub(super) type Key = (TableName, RecordId);

/// A change that a device has accepted.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) device: usize,
    /// Grows with every change of all devices.
    pub(super) order: u64,
    pub(super) record: RecordId,
    pub(super) operation: RecordOperation,
    /// By the names on the device.
    pub(super) fields: Fields,
    /// The true time in microseconds since the run began.
    pub(super) at: u64,
    /// The clock that dated it.
    pub(super) clock: ClockId,
    /// Its author has taken it back, or has deleted the record.
    pub(super) withdrawn: bool,
    /// She has decided about it when it had lost.
    pub(super) dealt_with: bool,
}

/// A run of a device's clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// By how many microseconds it is really ahead of the server's.
    pub(super) ahead: i64,
    /// By how many it was noted wrong at most, once it was compared with the server's.
    pub(super) wrong: Option<u64>,
    /// When it was first compared.
    pub(super) measured_at: u64,
    /// The longest call whose answer could be used to measure it, in microseconds.
    pub(super) slowest: u64,
}

/// The server's decisions about a change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Decided {
    pub(super) won: bool,
    /// It lost against other values.
    pub(super) lost: bool,
    /// It lost against the same values.
    pub(super) lost_to_same: bool,
    pub(super) missing: bool,
    pub(super) refused: bool,
    /// How far from the truth the server may have dated it, in microseconds.
    pub(super) late: u64,
    /// Nothing is promised about its date.
    pub(super) undated: bool,
}

impl Decided {
    /// Whether the server has said anything about it that counts.
    pub(super) const fn is_decided(self) -> bool {
        self.won || self.lost || self.missing || self.refused
    }
}

/// An entry of the audit log that a device has accepted.
#[derive(Debug, Clone)]
pub(super) struct Audited {
    pub(super) device: usize,
    pub(super) person: PersonId,
    /// The table's name on the server.
    pub(super) table: TableName,
    pub(super) record: RecordId,
}

/// How many microseconds before and after the truth a change may be dated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    pub(super) before: u64,
    pub(super) after: u64,
    /// The date is the same at each attempt.
    pub(super) exact: bool,
}

#[derive(Debug, Default)]
pub(super) struct Truth(Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) made: BTreeMap<MutationId, Made>,
    pub(super) runs: BTreeMap<ClockId, Run>,
    pub(super) decided: BTreeMap<MutationId, Decided>,
    /// The changes of each record in the order in which the server has applied them; since the last restore.
    pub(super) applied: BTreeMap<Key, Vec<MutationId>>,
    /// The change of each record that has arrived last, and stands.
    pub(super) arrived: BTreeMap<Key, MutationId>,
    /// The changes that were decided since the last restore.
    pub(super) since_restore: BTreeSet<MutationId>,
    /// Records that were deleted, moved or hidden at some time.
    pub(super) gone: BTreeSet<RecordId>,
    /// Somebody has gained or lost access, or the server's data was restored.
    pub(super) sight_changed: bool,
    /// The orgs that each record ever belonged to.
    pub(super) orgs: BTreeMap<RecordId, BTreeSet<OrgId>>,
    pub(super) audited: BTreeMap<AuditId, Audited>,
    /// Entries of the audit log that the server has stored at some time.
    pub(super) uploaded: BTreeSet<AuditId>,
    pub(super) restored: bool,
    orders: u64,
}

impl Truth {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write of a device: which one, when, by which clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    pub(super) device: usize,
    pub(super) at: u64,
    pub(super) clock: ClockId,
}

impl State {
    /// A write has been committed: compares the queue before and after.
    pub(super) fn wrote(&mut self, writing: Writing, before: &[RecordQueueEntry], after: &[RecordQueueEntry]) {
        for entry in after {
            let known = before.iter().find(|other| other.mutation_id == entry.mutation_id);
            let later = known.is_none_or(|known| known.fields != entry.fields);
            match self.made.get_mut(&entry.mutation_id) {
                Some(made) if later => {
                    // Folded into it.
                    (made.fields, made.at, made.clock) = (entry.fields.clone(), writing.at, writing.clock);
                    made.record = entry.record_id;
                }
                Some(made) => made.record = entry.record_id,
                None => {
                    self.orders += 1;
                    let made = Made {
                        device: writing.device,
                        order: self.orders,
                        record: entry.record_id,
                        operation: entry.operation.clone(),
                        fields: entry.fields.clone(),
                        at: writing.at,
                        clock: writing.clock,
                        withdrawn: false,
                        dealt_with: false,
                    };
                    self.made.insert(entry.mutation_id, made);
                }
            }
        }
        self.left(before, after);
    }

    /// A person's decision or write has taken changes out of the queue.
    pub(super) fn left(&mut self, before: &[RecordQueueEntry], after: &[RecordQueueEntry]) {
        let stays: BTreeSet<_> = after.iter().map(|entry| entry.mutation_id).collect();
        for entry in before.iter().filter(|entry| !stays.contains(&entry.mutation_id)) {
            if let Some(made) = self.made.get_mut(&entry.mutation_id) {
                made.withdrawn = true;
            }
        }
    }

    /// What is promised about the date of a change that was on its way for `travelled`, and was sent at `at` by a process
    /// with the clock `now`; none if nothing is.
    ///
    /// A time of a clock that was compared with the server's is never late, and as exact as the comparison. The age of a change by the
    /// clock that is still running is exact too, but counts from the arrival. Any other time is right only if nobody has
    /// set the clock since.
    pub(super) fn promise(&self, made: &Made, now: ClockId, (at, travelled): (u64, u64)) -> Option<Promise> {
        let (then, running) = (self.runs.get(&made.clock)?, self.runs.get(&now)?);
        let same = made.clock == now || then.ahead == running.ahead;
        match then.wrong {
            None => same.then_some(Promise { before: 0, after: travelled, exact: false }),
            // The batch may have been read before the clock was compared.
            Some(wrong) if at < then.measured_at + READ_BEFORE => {
                same.then_some(Promise { before: wrong, after: travelled, exact: false })
            }
            Some(wrong) => Some(Promise { before: wrong, after: 0, exact: true }),
        }
    }

    /// The server's data is older than before.
    pub(super) fn restored(&mut self) {
        self.applied.clear();
        self.arrived.clear();
        self.since_restore.clear();
        self.sight_changed = true;
        self.restored = true;
    }
}
