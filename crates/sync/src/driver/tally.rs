//! How full the outbox is, as the status shows it.
//!
//! It is counted in the store, which visits all that waits, and so costs the more the longer a phone was without a network. A
//! message that was just written is one more of what is known, so after a send nothing is counted, it is added; unless a count
//! was published while the message was being written, which may have seen it or not. A count, in turn, is published only if
//! nothing was added or published while it was made, else it is made again: it may have seen what was added or not. So within
//! a process the figures are exact whoever comes first. What another process writes is counted with the next pass.

use super::Engine;
use crate::SyncError;
use fieldpost_storage::OutboxCounts;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A moment before a message is written.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct BeforeWrite(Revision);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Revision {
    counted: u64,
    added: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Standing>);

#[derive(Debug, Default)]
struct Standing {
    /// How often the figures changed, in which way.
    revision: Revision,
    /// Somebody counts again: until that is done nothing is added, so that it comes to an end.
    counting_again: bool,
}

impl Tally {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Revision {
        self.standing().revision
    }

    /// Publishes a count, unless something was added or counted since.
    fn count(&self, since: Revision, publish: impl FnOnce()) -> bool {
        let mut standing = self.standing();
        standing.counting_again = standing.revision != since;
        if standing.counting_again {
            return false;
        }
        standing.revision.counted += 1;
        publish();
        true
    }

    /// Adds to what was counted, if anything was, and not since.
    fn add(&self, since: Revision, publish: impl FnOnce()) -> bool {
        let mut standing = self.standing();
        let counted = standing.revision.counted;
        if counted == 0 || counted != since.counted || standing.counting_again {
            return false;
        }
        standing.revision.added += 1;
        publish();
        true
    }
}

impl Engine {
    /// To be called before a message is written, for [`Engine::note_sent`].
    pub fn before_write(&self) -> BeforeWrite {
        BeforeWrite(self.tally.now())
    }

    /// Counts what is in the outbox, and publishes that.
    pub(super) async fn count(&self) -> Result<(), SyncError> {
        loop {
            let since = self.tally.now();
            let counts = self.outbox.counts().await?;
            if self.tally.count(since, || self.publish(counts)) {
                return Ok(());
            }
        }
    }

    /// Publishes one more.
    pub(super) async fn count_one_more(&self, before: BeforeWrite, more: OutboxCounts) -> Result<(), SyncError> {
        let add = || {
            self.status.send_modify(|status| {
                status.pending += more.pending;
                status.failed += more.failed;
            });
        };
        if self.tally.add(before.0, add) { Ok(()) } else { self.count().await }
    }

    fn publish(&self, counts: OutboxCounts) {
        self.status.send_modify(|status| {
            status.pending = counts.pending;
            status.failed = counts.failed;
        });
    }
}
