//! The reference implementation: the contract in memory, as plainly as it can be said.
//!
//! # How it works
//!
//! Everything that a device knows is one value, `State`. A reading method looks at it; a writing method clones it, changes
//! the clone and puts it in the place of the old one only when nothing failed. So each method is atomic by construction, and
//! a snapshot is the value itself. The lock is held for the length of one method and never across an await.
//!
//! A [`MemoryStore`] is a handle on a disk that is shared: [`MemoryStore::reopen`] gives another handle on the same one, as a
//! second process or the next start of the app would have it. [`MemoryStore::snapshot`] and [`MemoryStore::restore`] let a
//! test put the disk back to an earlier moment.
//!
//! What is derived is never stored: names, unread counts, previews and the status of one's own messages are worked out when
//! they are read (`views`, `unread`, `names`), so they cannot go stale. An implementation that stores them for speed has this
//! one to be compared with.
//!
//! # What must stay true
//!
//! * A message row is either `Local` (only this device knows it, it has no seq) or `Server`. A local row of which the outbox
//!   knows nothing was acknowledged without its place being told.
//! * `Thread::range` is known whole: each seq in it is a message that is here, or one that was deleted for good. It only
//!   grows, or is replaced: by a page of history above it that does not touch it (`ranges`), or by what a bootstrap tells.
//! * Nothing in `State` names a conversation by an alias: a re-key moves everything that names the old id (`rekey`).
//! * A row of version zero comes from before a change of epoch. It is shown until the bootstrap has confirmed or swept its
//!   conversation, and proves nothing (`bootstrap`).
//! * An entry leaves the outbox only in `settle`, because a person took it back (`decide`), or because there is nothing in it
//!   that a person could lose (`purge`).

mod apply;
mod bootstrap;
mod change;
mod decide;
mod expire;
mod history;
mod kinds;
mod marks;
mod names;
mod outbox;
mod purge;
mod ranges;
mod rekey;
mod report;
mod roles;
mod rows;
mod settle;
mod state;
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
    /// Whoever holds it has the turn to sync. It lies beside the disk: all handles share it.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// One of the constants below.
    standing: AtomicU8,
    /// Where this handle reports commits.
    changes: ChangeSender,
    /// The state that was reported last.
    reported: Mutex<Arc<State>>,
}

/// What a handle can do; only ever goes up, but for `PAUSED` to `OPEN`.
const OPEN: u8 = 0;
const PAUSED: u8 = 1;
const CLOSED: u8 = 2;

/// What a [`MemoryStore`] held at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<State>);

impl MemoryStore {
    /// An empty store on a disk of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the ids of the mutations that it records by itself from here.
    #[must_use]
    pub fn with_mutation_ids(self, ids: Arc<dyn MutationIds>) -> Self {
        let state = State { ids, ..State::clone(&self.disk()) };
        *self.disk() = Arc::new(state);
        self
    }

    /// Another handle on the same disk, open whether this one is closed or not.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self {
            disk: Arc::clone(&self.disk),
            turn: Arc::clone(&self.turn),
            standing: AtomicU8::new(OPEN),
            changes: ChangeSender::default(),
            reported: Mutex::new(Arc::clone(&self.disk())),
        }
    }

    /// What is on the disk now. Works on a closed handle too: a test looks at the disk, not through the app.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::clone(&self.disk()))
    }

    /// Puts the disk back to what it was, for all handles.
    pub fn restore(&self, snapshot: Snapshot) {
        *self.disk() = snapshot.0;
        self.report(&self.disk());
    }

    /// Reports what is different from what this handle reported last, whoever committed it.
    fn report(&self, now: &Arc<State>) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *reported, Arc::clone(now));
        if self.changes.is_heard() {
            self.changes.send(now.changed_since(&before));
        }
    }

    fn disk(&self) -> MutexGuard<'_, Arc<State>> {
        // A panic elsewhere cannot have left half a change behind: changes are made on a clone.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_open(&self, operation: &'static str) -> StorageResult<()> {
        match self.standing.load(Ordering::SeqCst) {
            OPEN => Ok(()),
            PAUSED => Err(StorageError::new(StorageErrorKind::Paused, operation)),
            _ => Err(StorageError::new(StorageErrorKind::Closed, operation)),
        }
    }

    /// Goes from open to paused or back; a closed handle stays closed.
    fn turn_to(&self, standing: u8, operation: &'static str) -> StorageResult<()> {
        let change = |now| (now != CLOSED).then_some(standing);
        let changed = self.standing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
        changed.map(drop).map_err(|_| StorageError::new(StorageErrorKind::Closed, operation))
    }

    fn read<T>(&self, operation: &'static str, look: impl FnOnce(&State) -> StorageResult<T>) -> StorageResult<T> {
        self.check_open(operation)?;
        look(&self.disk())
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
