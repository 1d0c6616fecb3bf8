//! What the app reports about itself and its surroundings.

use super::{RecordEngine, pass::Gate};
use crate::{
    SyncError,
    machine::{Schedule, Trigger, records::Lane},
};
use chrono::TimeDelta;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_storage::records::RecordCounts;
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::Instant;

/// The shortest wait for a change to become due, so that a clock that stands still makes no busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

impl RecordEngine {
    /// Call this after every local write of a record. It publishes the counts and triggers both lanes.
    ///
    /// # Errors
    /// If the status cannot be read. The write itself has succeeded.
    pub async fn note_local_write(&self) -> Result<(), SyncError> {
        self.trigger_both(Trigger::LocalWrite);
        self.count().await
    }

    /// The platform reports whether there is a network. Without one the runner rests. When the network returns, all
    /// waits end.
    pub fn set_online(&self, online: bool) {
        if online {
            self.end_waits();
        }
        self.trigger_both(if online { Trigger::Online } else { Trigger::Offline });
        self.status.send_if_modified(|status| std::mem::replace(&mut status.no_network, !online) == online);
    }

    /// The app comes to the foreground: all waits end, and the timer runs at its faster pace.
    pub fn foreground(&self) {
        self.end_waits();
        self.trigger_both(Trigger::Foreground);
    }

    /// The app goes to the background: the timer runs at its slower pace.
    pub fn background(&self) {
        self.trigger_both(Trigger::Background);
    }

    /// The server signals that it has something new.
    pub fn hint(&self) {
        self.trigger(Lane::Full, Trigger::Hint);
    }

    /// Somebody has signed in, or the app has renewed its session.
    pub async fn signed_in(&self) {
        self.trigger_both(Trigger::SignedIn);
        self.clear_errors().await;
    }

    /// Nobody is signed in any more: nothing runs until somebody is. Running passes end.
    pub async fn signed_out(&self) {
        self.trigger_both(Trigger::SignedOut);
        self.stop_passes().await;
        self.clear_errors().await;
    }

    /// Stops the running passes and does nothing until [`RecordEngine::resume`]: passes fail with
    /// [`SyncError::Stopped`]. Once this returns, the engine makes no more calls to the store.
    pub async fn pause(&self) {
        self.trigger_both(Trigger::Pause);
        self.stop_passes().await;
    }

    /// Continues after [`RecordEngine::pause`].
    pub fn resume(&self) {
        self.trigger_both(Trigger::Resume);
    }

    /// Stops the running passes; what they have not done is done later.
    pub async fn stop_passes(&self) {
        self.stop_requests.send_modify(|stop_requests| *stop_requests += 1);
        self.until_idle().await;
    }

    /// Forgets the result of the last pass, because the store was wiped.
    pub async fn forget(&self) {
        *self.gate.lock().await = Gate::default();
    }

    /// The sizes of the queue.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn counts(&self) -> Result<RecordCounts, SyncError> {
        Ok(self.queue.record_counts(self.env.now()).await?)
    }

    /// Whether nothing runs and nothing waits to be sent. If that cannot be read, something may.
    pub(crate) async fn is_idle_and_empty(&self) -> bool {
        self.running.load(Ordering::SeqCst) == 0 && self.counts().await.is_ok_and(|counts| counts.pending == 0)
    }

    /// The next pass ends the waits of the queue before it reads it.
    pub(super) fn end_waits(&self) {
        self.ends_waits.store(true, Ordering::SeqCst);
    }

    pub(super) async fn end_waits_if_asked(&self) -> Result<(), SyncError> {
        if planted(PlantedBug::RecordWaitsOutlastReconnect) || !self.ends_waits.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        if let Err(error) = self.queue.stop_waiting().await {
            self.end_waits();
            return Err(error.into());
        }
        Ok(())
    }

    pub(super) fn trigger(&self, lane: Lane, trigger: Trigger) {
        let now = self.moment();
        self.schedule_of(lane).send_modify(|schedule: &mut Schedule| schedule.trigger(now, trigger));
    }

    pub(super) fn trigger_both(&self, trigger: Trigger) {
        self.trigger(Lane::Immediate, trigger);
        self.trigger(Lane::Full, trigger);
    }

    /// An immediate change may wait.
    pub(super) fn look_for_immediate(&self) {
        self.trigger(Lane::Immediate, Trigger::Hint);
    }
}

impl RecordEngine {
    /// Reads the counts and the session again and publishes them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn refresh_status(&self) -> Result<(), SyncError> {
        let state = self.replica.record_state().await?;
        let signed_in = self.session.is_signed_in().await?;
        self.status.send_modify(|status| {
            status.signed_in = signed_in;
            status.last_success_at = state.last_success_at;
            status.lost = state.memory.lost;
            status.missing = state.memory.missing;
            status.unreadable = state.memory.unreadable;
            status.ignored = state.memory.ignored;
        });
        self.count().await
    }

    /// Counts the queue and publishes the counts.
    pub(super) async fn count(&self) -> Result<(), SyncError> {
        let _counting = self.counting.lock().await;
        let now = self.env.now();
        let counts = self.queue.record_counts(now).await?;
        let audit = self.audit.audit_counts().await?;
        self.status.send_modify(|status| {
            status.pending = counts.pending;
            status.immediate = counts.immediate;
            status.failed = counts.failed;
            status.conflicts = counts.conflicts;
            status.carried = counts.carried;
            status.next_at = counts.next_at;
            status.audit_pending = audit.pending;
            status.audit_dropped = audit.dropped;
        });
        let due = counts.next_at.map(|at| {
            let wait = (at - now).max(TimeDelta::zero()).to_std().unwrap_or_default();
            Instant::now() + wait.max(SHORTEST_WAIT)
        });
        self.due.send_if_modified(|before| std::mem::replace(before, due) != due);
        Ok(())
    }

    /// Publishes the result. If the status cannot be read, that is logged only: the pass itself has succeeded or failed
    /// already. A pass of the immediate lane says nothing about the rest, so its success clears no error.
    pub(super) async fn finish_status(&self, lane: Lane, error: Option<&SyncError>, audit_error: Option<SyncError>) {
        self.status.send_modify(|status| {
            if lane == Lane::Full || error.is_some() {
                status.last_error = error.cloned();
            }
            if lane == Lane::Full {
                status.audit_error = audit_error;
            }
        });
        self.publish().await;
    }

    async fn clear_errors(&self) {
        self.status.send_modify(|status| {
            status.last_error = None;
            status.audit_error = None;
        });
        self.publish().await;
    }

    async fn publish(&self) {
        if let Err(error) = self.refresh_status().await {
            tracing::warn!(%error, "the status of the records could not be read");
        }
    }

    pub(super) fn publish_syncing(&self) {
        let syncing = self.running.load(Ordering::SeqCst) > 0;
        self.status.send_if_modified(|status| std::mem::replace(&mut status.syncing, syncing) != syncing);
    }
}
