//! Runs one pass at a time.

use super::Engine;
use crate::{
    SyncError,
    machine::{Outcome, Pass, Schedule, Step, SyncReport},
};
use fieldpost_domain::ConversationId;
use fieldpost_storage::{StorageError, StorageErrorKind, StorageResult, Turn};
use std::{collections::HashSet, sync::atomic::Ordering, time::Duration};
use tracing::{Instrument, field::Empty};

/// The lock that a pass holds, with the result of the last one.
#[derive(Default)]
pub(super) struct Gate {
    /// The requests up to this number are answered by `last`.
    covers: u64,
    last: Option<Result<SyncReport, SyncError>>,
}

impl Engine {
    /// Pushes the outbox, then pulls until nothing is new. It ignores backoff and skips no lane. Concurrent callers
    /// share a pass.
    ///
    /// # Errors
    /// Why the pass did not finish. What it did before is kept.
    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        let ticket = self.requested.fetch_add(1, Ordering::SeqCst) + 1;
        let mut gate = self.gate.lock().await;
        if gate.covers >= ticket
            && let Some(last) = &gate.last
        {
            return last.clone();
        }
        let covers = self.requested.load(Ordering::SeqCst);
        let result = self.run(HashSet::new(), false).await;
        gate.covers = covers;
        gate.last = Some(result.clone());
        result
    }

    /// Runs a pass for the runner, unless another pass did the work while this one waited for the gate.
    pub(super) async fn scheduled_pass(&self) {
        let _gate = self.gate.lock().await;
        let step = self.schedule.borrow().next(self.moment());
        if let Step::Pass { held, periodic } = step
            && let Err(error) = self.run(held, periodic).await
        {
            tracing::debug!(%error, "a scheduled pass failed");
        }
    }

    /// Waits until no pass is running.
    pub(super) async fn until_idle(&self) {
        drop(self.gate.lock().await);
    }

    /// Runs a pass. The caller must hold the gate.
    async fn run(&self, held: HashSet<ConversationId>, periodic: bool) -> Result<SyncReport, SyncError> {
        let mut stop_requests = self.stop_requests.subscribe();
        if self.schedule.borrow().is_paused() {
            return Err(SyncError::Stopped);
        }
        let mut under_way = UnderWay::begin(self);
        let lanes_held = held.len();
        let mut pass = Pass::new().holding(held).checking(periodic).expiring(self.expire_before());
        let mut turn = None;
        let work = async {
            match self.turn().await {
                Ok(taken) => {
                    turn = Some(taken);
                    self.drive(&mut pass).await
                }
                Err(error) => Outcome { report: SyncReport::default(), error: Some(error.into()) },
            }
        };
        let span = tracing::debug_span!("pass", lanes_held, periodic, requests = Empty, pushed = Empty, rows = Empty);
        let outcome = tokio::select! {
            biased;
            outcome = work.instrument(span.clone()) => Some(outcome),
            _ = stop_requests.changed() => None,
        };
        if outcome.is_none() {
            self.remember_cut_off(&pass).await;
        }
        drop(turn);
        let Some(Outcome { report, error }) = outcome else {
            return Err(SyncError::Stopped);
        };
        span.record("requests", report.requests).record("pushed", report.pushed).record("rows", report.rows);
        let result = pass.result(error.as_ref());
        under_way.end(|schedule| schedule.ended(self.moment(), &result, || self.env.chance()));
        drop(under_way);
        self.finish_status(error.as_ref()).await;
        error.map_or(Ok(report), Err)
    }
}

impl Engine {
    /// Saves what a stopped pass has learned.
    async fn remember_cut_off(&self, pass: &Pass) {
        if let Some(memory) = pass.unwritten()
            && let Err(error) = self.replica.remember(&memory, None).await
        {
            tracing::debug!(%error, "the memory of a stopped pass could not be saved");
        }
    }
}

/// How long to wait for another process that syncs the same store.
pub(super) const TURN_TIMEOUT: Duration = Duration::from_secs(15);
/// How often to check whether that process is done.
pub(super) const TURN_POLL_INTERVAL: Duration = Duration::from_millis(100);

impl Engine {
    /// Takes the turn to sync the store.
    async fn turn(&self) -> StorageResult<Turn> {
        let began_waiting = self.moment();
        loop {
            if let Some(turn) = self.turns.try_turn().await? {
                return Ok(turn);
            }
            if self.moment() - began_waiting >= TURN_TIMEOUT {
                return Err(StorageError::new(StorageErrorKind::Busy, "sync"));
            }
            tokio::time::sleep(TURN_POLL_INTERVAL).await;
        }
    }
}

/// A running pass. If it is dropped before `end`, the pass was cut off: the status no longer says `syncing`, and
/// another pass is scheduled.
struct UnderWay<'a> {
    engine: &'a Engine,
    ended: bool,
}

impl<'a> UnderWay<'a> {
    fn begin(engine: &'a Engine) -> Self {
        let now = engine.moment();
        engine.schedule.send_modify(|schedule| schedule.begun(now));
        engine.status.send_modify(|status| status.syncing = true);
        Self { engine, ended: false }
    }

    fn end(&mut self, update: impl FnOnce(&mut Schedule)) {
        self.ended = true;
        self.engine.schedule.send_modify(update);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.engine.schedule.send_modify(Schedule::cut_off);
        }
        self.engine.status.send_modify(|status| {
            status.syncing = false;
            status.bootstrap = None;
        });
    }
}
