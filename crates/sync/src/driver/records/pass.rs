//! Runs one full pass at a time, and one pass of the immediate lane beside it.

use super::RecordEngine;
use crate::{
    SyncError,
    machine::{
        Step,
        records::{Lane, RecordPass, RecordPassOutcome, RecordReport},
    },
};
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tracing::{Instrument, field::Empty};

/// The lock that a full pass holds, with the result of the last one.
#[derive(Default)]
pub(super) struct Gate {
    /// The requests up to this number are answered by `last`.
    covers: u64,
    last: Option<Result<RecordReport, SyncError>>,
}

impl RecordEngine {
    /// Sends the queue, pulls until nothing is new, then uploads some of the audit log. It ends all waits. Concurrent
    /// callers share a pass. An immediate change that is written meanwhile is sent beside it.
    ///
    /// # Errors
    /// Why the pass did not finish. What it did before is kept.
    pub async fn sync(&self) -> Result<RecordReport, SyncError> {
        let ticket = self.requested.fetch_add(1, Ordering::SeqCst) + 1;
        let mut gate = self.gate.lock().await;
        if gate.covers >= ticket
            && let Some(last) = &gate.last
        {
            return last.clone();
        }
        let covers = self.requested.load(Ordering::SeqCst);
        self.waits.end();
        self.end_waits();
        let result = self.run_both_lanes().await;
        gate.covers = covers;
        gate.last = Some(result.clone());
        result
    }

    /// The immediate lane goes first: other changes may refer to what it sends, and wait until the server has that. What
    /// becomes immediate meanwhile is sent beside the full pass.
    async fn run_both_lanes(&self) -> Result<RecordReport, SyncError> {
        let first = match self.send_immediate().await {
            Err(error) if error.is_offline() => return Err(error),
            first => first.unwrap_or_default(),
        };
        let mut report = self.beside(self.run(Lane::Full)).await?;
        report.add(&first);
        Ok(report)
    }

    /// Sends the immediate changes that are due, and nothing else.
    ///
    /// # Errors
    /// Why they could not be sent.
    pub async fn send_immediate(&self) -> Result<RecordReport, SyncError> {
        let _gate = self.immediate_gate.lock().await;
        self.run_immediate().await
    }

    /// Runs a full pass for the runner, unless another pass did the work while this one waited for the gate.
    pub(super) async fn scheduled_pass(&self) {
        let _gate = self.gate.lock().await;
        self.scheduled_immediate().await;
        let step = self.schedule.borrow().next(self.moment());
        if matches!(step, Step::Pass { .. })
            && let Err(error) = self.run(Lane::Full).await
        {
            tracing::debug!(%error, "a scheduled pass over the records failed");
        }
    }

    /// As [`RecordEngine::scheduled_pass`], for the immediate lane.
    pub(super) async fn scheduled_immediate(&self) {
        let _gate = self.immediate_gate.lock().await;
        let step = self.immediate_schedule.borrow().next(self.moment());
        if matches!(step, Step::Pass { .. })
            && let Err(error) = self.run_immediate().await
        {
            tracing::debug!(%error, "immediate changes could not be sent");
        }
    }

    /// Runs the immediate lane if it has something to send. The caller must hold its gate.
    async fn run_immediate(&self) -> Result<RecordReport, SyncError> {
        let paused = self.immediate_schedule.borrow().is_paused();
        if !paused && self.queue.record_counts(self.env.now()).await?.immediate == 0 {
            let now = self.moment();
            self.immediate_schedule.send_modify(|schedule| schedule.begun(now));
            return Ok(RecordReport::default());
        }
        self.run(Lane::Immediate).await
    }

    /// Waits until no pass is running.
    pub(super) async fn until_idle(&self) {
        drop(self.gate.lock().await);
        drop(self.immediate_gate.lock().await);
    }

    /// Runs a pass. The caller must hold the gate of its lane.
    async fn run(&self, lane: Lane) -> Result<RecordReport, SyncError> {
        let mut stop_requests = self.stop_requests.subscribe();
        if self.schedule_of(lane).borrow().is_paused() {
            return Err(SyncError::Stopped);
        }
        let mut under_way = UnderWay::begin(self, lane);
        let mut pass = RecordPass::new(lane);
        let mut turn = None;
        let work = async {
            match self.begin(&mut turn).await {
                Ok(()) => Box::pin(self.drive(&mut pass)).await,
                Err(error) => {
                    RecordPassOutcome { report: RecordReport::default(), error: Some(error), audit_error: None }
                }
            }
        };
        let span = tracing::debug_span!("records", ?lane, requests = Empty, won = Empty, changed = Empty);
        let outcome = tokio::select! {
            biased;
            outcome = work.instrument(span.clone()) => Some(outcome),
            _ = stop_requests.changed() => None,
        };
        if outcome.is_none()
            && pass.has_learned()
            && let Err(error) = self.remember(&pass, false).await
        {
            tracing::debug!(%error, "the memory of a stopped pass could not be saved");
        }
        drop(turn);
        let Some(RecordPassOutcome { report, error, audit_error }) = outcome else {
            return Err(SyncError::Stopped);
        };
        span.record("requests", report.requests).record("won", report.won).record("changed", report.changed);
        let result = pass.result(error.as_ref());
        under_way.ended = true;
        let now = self.moment();
        under_way.schedule().send_modify(|schedule| schedule.ended(now, &result, || self.env.chance()));
        drop(under_way);
        self.finish_status(lane, error.as_ref(), audit_error).await;
        error.map_or(Ok(report), Err)
    }

    /// Takes the turn, and ends the waits of the queue if that was asked for.
    async fn begin(&self, turn: &mut Option<std::sync::Arc<fieldpost_storage::Turn>>) -> Result<(), SyncError> {
        *turn = Some(self.turn.take().await?);
        self.end_waits_if_asked().await?;
        Ok(())
    }

    pub(super) const fn schedule_of(&self, lane: Lane) -> &watch::Sender<crate::machine::Schedule> {
        match lane {
            Lane::Full => &self.schedule,
            Lane::Immediate => &self.immediate_schedule,
        }
    }
}

/// A running pass. If it is dropped before it has `ended`, it was cut off, and another one is scheduled.
struct UnderWay<'a> {
    engine: &'a RecordEngine,
    lane: Lane,
    ended: bool,
}

impl<'a> UnderWay<'a> {
    fn begin(engine: &'a RecordEngine, lane: Lane) -> Self {
        let now = engine.moment();
        let under_way = Self { engine, lane, ended: false };
        under_way.schedule().send_modify(|schedule| schedule.begun(now));
        engine.running.fetch_add(1, Ordering::SeqCst);
        engine.publish_syncing();
        under_way
    }

    const fn schedule(&self) -> &'a watch::Sender<crate::machine::Schedule> {
        self.engine.schedule_of(self.lane)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.schedule().send_modify(crate::machine::Schedule::cut_off);
        }
        self.engine.running.fetch_sub(1, Ordering::SeqCst);
        self.engine.publish_syncing();
    }
}
