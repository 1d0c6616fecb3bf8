//! Runs passes in the background, in two loops: one for everything, and one for immediate changes alone.

use super::RecordEngine;
use crate::machine::{Schedule, Step, Trigger};
use fieldpost_domain::planted::{PlantedBug, planted};
use std::{
    convert::Infallible,
    future::{self, Future},
    pin::pin,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

impl RecordEngine {
    /// Runs a pass whenever the schedule says so or a waiting change becomes due, and sends immediate changes beside it,
    /// as long as this future is polled. Dropping it stops the running passes at an await. Running it twice is harmless
    /// but useless.
    pub async fn keep_syncing(&self) {
        let mut returned = self.session.returned();
        let signed_in_again = async {
            // The sender lives as long as the engine.
            while returned.changed().await.is_ok() {
                self.trigger_both(Trigger::SignedIn);
            }
        };
        let full = async {
            let mut schedule = self.schedule.subscribe();
            loop {
                self.until_due(&mut schedule).await;
                self.scheduled_pass().await;
            }
        };
        tokio::select! {
            biased;
            () = signed_in_again => {}
            never = self.keep_sending_immediate() => match never {},
            () = full => {}
        }
    }

    /// Sends immediate changes as soon as they are due, as long as this future is polled.
    pub(super) async fn keep_sending_immediate(&self) -> Infallible {
        if planted(PlantedBug::ImmediateWaitsForBatch) {
            return future::pending().await;
        }
        let mut schedule = self.immediate_schedule.subscribe();
        loop {
            self.until_due(&mut schedule).await;
            self.scheduled_immediate().await;
        }
    }

    /// Runs something else, and sends immediate changes meanwhile. What is being sent when the other ends is waited for.
    pub async fn beside<T>(&self, other: impl Future<Output = T>) -> T {
        let mut immediate = pin!(self.keep_sending_immediate());
        let done = tokio::select! {
            biased;
            done = other => done,
            never = &mut immediate => match never {},
        };
        tokio::select! {
            biased;
            _gate = self.immediate_gate.lock() => {}
            never = &mut immediate => match never {},
        }
        done
    }

    /// Waits until the schedule wants a pass. When a waiting change becomes due, it does.
    async fn until_due(&self, schedule: &mut watch::Receiver<Schedule>) {
        let mut due = self.due.subscribe();
        loop {
            let step = schedule.borrow_and_update().next(self.moment());
            let at = match step {
                Step::Pass { .. } => return,
                Step::Wait(at) => Some(self.started + at),
                Step::Rest => None,
            };
            let change = *due.borrow_and_update();
            tokio::select! {
                biased;
                () = until(at) => {}
                () = until(change.filter(|_| at.is_some())) => self.change_is_due(change),
                // The senders live as long as the engine.
                _ = schedule.changed() => {}
                _ = due.changed() => {}
            }
        }
    }

    /// Both loops wait for the same moment; the first one tells both schedules.
    fn change_is_due(&self, at: Option<Instant>) {
        let first = self.due.send_if_modified(|due| *due == at && due.take().is_some());
        if first {
            self.trigger_both(Trigger::LocalWrite);
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}
