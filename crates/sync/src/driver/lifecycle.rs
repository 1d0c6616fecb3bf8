//! What the app reports about itself and its surroundings.

use super::{Engine, pass::Gate};
use crate::{SyncError, machine::Trigger};
use fieldpost_domain::Time;
use fieldpost_storage::OutboxCounts;
use std::time::Duration;

impl Engine {
    /// Call this after every local write. It publishes the outbox counts and triggers a pass.
    ///
    /// # Errors
    /// If the status cannot be read. The write itself has succeeded.
    pub async fn note_local_write(&self) -> Result<(), SyncError> {
        self.observe_clock();
        self.trigger(Trigger::LocalWrite);
        self.writes.send_modify(|writes| *writes += 1);
        self.count().await
    }

    /// The platform reports whether there is a network. Without one the runner rests. When the network returns, all
    /// backoff ends.
    pub fn set_online(&self, online: bool) {
        self.trigger(if online { Trigger::Online } else { Trigger::Offline });
        self.status.send_if_modified(|status| std::mem::replace(&mut status.no_network, !online) == online);
    }

    /// The app comes to the foreground: all backoff ends, and the timer runs at its faster pace.
    pub fn foreground(&self) {
        self.anchor_expiry();
        self.trigger(Trigger::Foreground);
    }

    /// The server signals that it has something new.
    pub fn hint(&self) {
        self.trigger(Trigger::Hint);
    }

    /// The app goes to the background. The engine finishes the running pass and sends the outbox, until the deadline; a
    /// later pass does the rest. From now on the timer runs at its slower pace. Returns what is left in the outbox.
    ///
    /// # Errors
    /// Only if the outbox cannot be read. If something could not be sent, the status says why.
    pub async fn background(&self, deadline: Duration) -> Result<OutboxCounts, SyncError> {
        self.trigger(Trigger::Background);
        let left = self.outbox.counts().await?;
        if left.pending == 0 && !self.status.borrow().syncing {
            return Ok(left);
        }
        match tokio::time::timeout(deadline, self.sync()).await {
            Ok(Err(error)) => tracing::debug!(%error, "the sync before going to the background failed"),
            Ok(Ok(_)) => {}
            Err(_) => self.stop_passes().await,
        }
        Ok(self.outbox.counts().await?)
    }

    /// Stops the running pass and does nothing until [`Engine::resume`]: passes fail with [`SyncError::Stopped`]. Once
    /// this returns, the engine makes no more calls to the store.
    pub async fn pause(&self) {
        self.trigger(Trigger::Pause);
        self.stop_passes().await;
    }

    /// Continues after [`Engine::pause`].
    pub fn resume(&self) {
        self.anchor_expiry();
        self.trigger(Trigger::Resume);
    }

    /// Forgets the result of the last pass and the session, because the store was wiped.
    pub async fn forget(&self) {
        self.session.forget().await;
        *self.gate.lock().await = Gate::default();
    }

    /// Messages recorded before this time have waited longer than the ttl.
    pub(super) fn expire_before(&self) -> Option<Time> {
        self.observe_clock();
        self.expiry.borrow().before(self.moment())
    }

    fn observe_clock(&self) {
        self.expiry.send_modify(|expiry| expiry.look(self.env.now(), self.moment()));
    }

    /// While the device slept, the monotonic clock may have stood still; the device clock is right again.
    fn anchor_expiry(&self) {
        self.expiry.send_modify(|expiry| expiry.anchor(self.env.now(), self.moment()));
    }

    async fn stop_passes(&self) {
        self.stop_requests.send_modify(|stop_requests| *stop_requests += 1);
        self.until_idle().await;
    }
}
