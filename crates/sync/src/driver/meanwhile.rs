//! Pushes what is written while a pass follows (see `machine::meanwhile`).

use super::Engine;
use crate::machine::{Effect, Event, Pass};
use fieldpost_domain::planted::{PlantedBug, planted};
use std::{
    convert::Infallible,
    future,
    sync::{Mutex as Lock, MutexGuard as LockGuard, PoisonError},
};
use tokio::sync::{Mutex, MutexGuard, Notify};

/// A pass that two loops drive: its own, and the one that pushes meanwhile.
pub(super) struct SharedPass<'p> {
    pass: Lock<&'p mut Pass>,
    /// Whoever holds it may push.
    pushing: Mutex<()>,
    /// Something may wait in the outbox.
    written: Notify,
}

impl<'p> SharedPass<'p> {
    pub(super) fn new(pass: &'p mut Pass) -> Self {
        Self { pass: Lock::new(pass), pushing: Mutex::default(), written: Notify::new() }
    }

    /// Never held over an await.
    pub(super) fn lock(&self) -> LockGuard<'_, &'p mut Pass> {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn pushing(&self) -> MutexGuard<'_, ()> {
        self.pushing.lock().await
    }

    /// Something may have been written.
    pub(super) fn look(&self) {
        self.written.notify_one();
    }

    async fn changed(&self) {
        self.written.notified().await;
    }
}

impl Engine {
    /// Pushes whenever something was written, for as long as this future lives.
    pub(super) async fn push_meanwhile(&self, pass: &SharedPass<'_>) -> Infallible {
        let mut writes = self.writes.subscribe();
        if planted(PlantedBug::PushWaitsForBootstrap) {
            return future::pending().await;
        }
        loop {
            tokio::select! {
                // The sender lives as long as the engine.
                _ = writes.changed() => {}
                // What has arrived with the page is no reason to call.
                () = pass.changed() => if !self.outbox.counts().await.is_ok_and(|counts| counts.pending > 0) { continue },
            }
            let _alone = pass.pushing().await;
            writes.mark_unchanged();
            let mut effect = Some(pass.lock().push_meanwhile());
            while let Some(now) = effect {
                effect = self.push_step(now, pass).await;
            }
            if let Err(error) = self.count().await {
                tracing::debug!(%error, "the outbox could not be counted");
            }
        }
    }

    async fn push_step(&self, effect: Effect, pass: &SharedPass<'_>) -> Option<Effect> {
        let event = match effect {
            Effect::ReadBatch { limits, held } => match self.outbox.next_batch(limits, &held).await {
                Ok(batch) => Event::Batch(batch),
                Err(error) => Event::StorageFailed(error),
            },
            Effect::Push(request) => {
                // Fetching a token takes a while, in which the other loop may be told to wait.
                let fetched = self.session.token().await.is_ok();
                let must_wait = fetched && pass.lock().is_told_to_wait();
                if must_wait {
                    return pass.lock().after_meanwhile(Effect::Push(request));
                }
                self.call_push(pass, &request).await
            }
            Effect::Settle(results) => match self.outbox.settle(results).await {
                Ok(report) => Event::Settled(report),
                Err(error) => Event::StorageFailed(error),
            },
            Effect::Withdraw { mutations, then } => {
                return match self.outbox.withdraw(&mutations).await {
                    Ok(()) => pass.lock().after_meanwhile(*then),
                    Err(error) => pass.lock().next_meanwhile(Event::StorageFailed(error)),
                };
            }
            // A push asks for nothing else.
            _ => return None,
        };
        pass.lock().next_meanwhile(event)
    }
}
