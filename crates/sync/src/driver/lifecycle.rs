//! What the app tells the engine about its surroundings.

use super::{Engine, pass::Gate};
use crate::{SyncError, machine::Trigger};
use fieldpost_domain::Time;
use fieldpost_storage::OutboxCounts;
use std::time::Duration;

impl Engine {
    /// To be called after every local write: publishes the outbox's new size, and gets what was written on its way.
    ///
    /// # Errors
    /// If the status cannot be read. The write itself has succeeded.
    pub async fn note_local_write(&self) -> Result<(), SyncError> {
        self.look_at_the_clock();
        self.trigger(Trigger::LocalWrite);
        self.count().await
    }

    /// The platform says whether there is a network. Without one the runner rests; when it comes back, all waits are over.
    pub fn set_online(&self, online: bool) {
        self.trigger(if online { Trigger::Online } else { Trigger::Offline });
        self.status.send_if_modified(|status| std::mem::replace(&mut status.no_network, !online) == online);
    }

    /// The person looks at the app: all waits are over, and the timer runs at its faster pace.
    pub fn foreground(&self) {
        self.believe_the_clock();
        self.trigger(Trigger::Foreground);
    }

    /// The server says that there is something new.
    pub fn hint(&self) {
        self.trigger(Trigger::Hint);
    }

    /// The person does not look at the app any more. Finishes what is running and sends what waits, but stops at the next
    /// await once the deadline has passed; what was cut off is taken up later. From then on the timer runs at its slower
    /// pace. Returns what still waits.
    ///
    /// # Errors
    /// Only if the outbox cannot be read. Why something could not be sent is in the status.
    pub async fn background(&self, deadline: Duration) -> Result<OutboxCounts, SyncError> {
        self.trigger(Trigger::Background);
        let left = self.outbox.counts().await?;
        if left.pending == 0 && !self.status.borrow().syncing {
            return Ok(left);
        }
        match tokio::time::timeout(deadline, self.sync()).await {
            Ok(Err(error)) => tracing::debug!(%error, "not everything could be sent before going to the background"),
            Ok(Ok(_)) => {}
            Err(_) => self.stop_passes().await,
        }
        Ok(self.outbox.counts().await?)
    }

    /// Stops what is running, and does nothing until [`Engine::resume`]: passes fail with [`SyncError::Stopped`]. When this
    /// returns, the engine makes no call of the store any more.
    pub async fn pause(&self) {
        self.trigger(Trigger::Pause);
        self.stop_passes().await;
    }

    /// Goes on.
    pub fn resume(&self) {
        self.believe_the_clock();
        self.trigger(Trigger::Resume);
    }

    /// Forgets how its last pass ended: the store was wiped, and what was learned with it.
    pub async fn forget(&self) {
        *self.gate.lock().await = Gate::default();
    }

    /// What was recorded before this has waited too long to be sent.
    pub(super) fn expire_before(&self) -> Option<Time> {
        self.look_at_the_clock();
        self.expiry.borrow().before(self.moment())
    }

    fn look_at_the_clock(&self) {
        self.expiry.send_modify(|expiry| expiry.look(self.env.now(), self.moment()));
    }

    /// The device may have slept, and the clock that never jumps with it.
    fn believe_the_clock(&self) {
        self.expiry.send_modify(|expiry| expiry.anchor(self.env.now(), self.moment()));
    }

    async fn stop_passes(&self) {
        self.stops.send_modify(|stops| *stops += 1);
        self.until_idle().await;
    }
}
