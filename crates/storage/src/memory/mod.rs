//! The reference implementation: the contract in memory, as simple as possible.
//!
//! # How it works
//!
//! All data of a device is one value, `State`. A reading method looks at it. A writing method clones it, changes the
//! clone, and replaces the old value only if nothing failed. So each method is atomic, and a snapshot is the value
//! itself. The lock is held for one method and never across an await.
//!
//! A [`MemoryStore`] is a handle on a shared disk. [`MemoryStore::reopen`] returns another handle on the same disk,
//! like a second process or the next start of the app. [`MemoryStore::snapshot`] and [`MemoryStore::restore`] let a
//! test reset the disk to an earlier moment.
//!
//! Derived values are never stored: names, unread counts, previews and the status of own messages are computed when
//! they are read (`views`, `unread`, `names`), so they cannot be stale. An implementation that stores them for speed
//! can be compared with this one.
//!
//! Records lie beside the messages, in a value of their own (`records`).
//!
//! # What must stay true
//!
//! * A message row is either `Local` (only this device has it, and it has no seq) or `Server`. If a local row has no
//!   send in the outbox, the message was acknowledged without its seq.
//! * `Thread::range` is complete: each of its seqs is a stored message or was deleted. It grows, or is replaced by a
//!   page of history above it that does not touch it (`ranges`) or by a bootstrap.
//! * `State` contains no alias: a re-key changes every place that names the old id (`rekey`).
//! * A row of version zero was stored before a change of epoch. It is shown until the bootstrap has confirmed or
//!   removed its conversation, and it confirms nothing (`bootstrap`).
//! * An entry leaves the outbox in `settle`, because a person cancelled it (`decide`), or because nothing in it could
//!   be lost (`purge`).

mod addressed;
mod apply;
mod bootstrap;
mod change;
mod decide;
mod drafts;
mod expire;
mod history;
mod kinds;
mod marks;
mod names;
mod outbox;
mod purge;
mod ranges;
mod reactions;
#[cfg(feature = "records")]
mod records;
mod rekey;
mod report;
mod roles;
mod rows;
mod search;
mod section;
mod settings;
mod settle;
mod state;
mod trim;
mod unread;
mod versions;
mod views;

use crate::{ChangeSender, MutationIds, StorageError, StorageErrorKind, StorageResult};
use state::State;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU8, Ordering},
};

/// A store in memory; see the [module](self).
#[derive(Debug, Default)]
pub struct MemoryStore {
    disk: Arc<Mutex<Arc<State>>>,
    /// Its holder has the turn to sync. All handles share it, but it is not part of the disk.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// One of the constants below.
    lifecycle: AtomicU8,
    /// Where this handle reports commits.
    changes: ChangeSender,
    /// The state that was reported last.
    reported: Mutex<Arc<State>>,
    /// As `turn`, for records.
    #[cfg(feature = "records")]
    record_turn: Arc<tokio::sync::Mutex<()>>,
    /// What this handle has taken from the queue of records.
    #[cfg(feature = "records")]
    record_pass: records::Pass,
}

/// The state of a handle: open, paused or closed. A closed handle stays closed.
const OPEN: u8 = 0;
const PAUSED: u8 = 1;
const CLOSED: u8 = 2;

/// The content of a [`MemoryStore`] at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<State>);

impl MemoryStore {
    /// An empty store on a new disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `ids` for the mutations that the store records by itself.
    #[must_use]
    pub fn with_mutation_ids(self, ids: Arc<dyn MutationIds>) -> Self {
        let state = State { ids, ..State::clone(&self.disk()) };
        *self.disk() = Arc::new(state);
        self
    }

    /// Another open handle on the same disk, even if this one is closed.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self {
            disk: Arc::clone(&self.disk),
            turn: Arc::clone(&self.turn),
            lifecycle: AtomicU8::new(OPEN),
            changes: ChangeSender::default(),
            reported: Mutex::new(Arc::clone(&self.disk())),
            #[cfg(feature = "records")]
            record_turn: Arc::clone(&self.record_turn),
            #[cfg(feature = "records")]
            record_pass: records::Pass::default(),
        }
    }

    /// The content of the disk. It works on a closed handle too, because it reads the disk and not the store.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::clone(&self.disk()))
    }

    /// Resets the disk, for all handles.
    pub fn restore(&self, snapshot: Snapshot) {
        *self.disk() = snapshot.0;
        self.report(&self.disk());
    }

    /// Reports all differences from the state that this handle reported last, including commits of other handles.
    fn report(&self, now: &Arc<State>) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *reported, Arc::clone(now));
        if self.changes.is_heard() {
            self.changes.send(now.changed_since(&before));
        }
    }

    fn disk(&self) -> MutexGuard<'_, Arc<State>> {
        // A panic elsewhere leaves no partial change, because changes are made on a clone.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_open(&self, operation: &'static str) -> StorageResult<()> {
        match self.lifecycle.load(Ordering::SeqCst) {
            OPEN => Ok(()),
            PAUSED => Err(StorageError::new(StorageErrorKind::Paused, operation)),
            _ => Err(StorageError::new(StorageErrorKind::Closed, operation)),
        }
    }

    /// Opens or pauses the handle. A closed handle stays closed.
    fn set_lifecycle(&self, lifecycle: u8, operation: &'static str) -> StorageResult<()> {
        let change = |now| (now != CLOSED).then_some(lifecycle);
        let changed = self.lifecycle.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
        changed.map(drop).map_err(|_| StorageError::new(StorageErrorKind::Closed, operation))
    }

    fn read<T>(&self, operation: &'static str, read: impl FnOnce(&State) -> StorageResult<T>) -> StorageResult<T> {
        self.check_open(operation)?;
        read(&self.disk())
    }

    fn write<T>(
        &self,
        operation: &'static str,
        change: impl FnOnce(&mut State) -> StorageResult<T>,
    ) -> StorageResult<T> {
        self.check_open(operation)?;
        let mut disk = self.disk();
        let mut next = State::clone(&disk);
        let answer = change(&mut next)?;
        *disk = Arc::new(next);
        self.report(&disk);
        Ok(answer)
    }
}
