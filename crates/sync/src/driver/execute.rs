//! One effect, one await.

use super::Engine;
use crate::machine::{Effect, Event, Outcome, Pass};
use fieldpost_remote::{BootstrapRequest, HistoryRequest, PullRequest};
use fieldpost_storage::StorageResult;

impl Engine {
    /// Runs a pass to its end.
    pub(super) async fn drive(&self, pass: &mut Pass) -> Outcome {
        let mut effect = pass.start();
        loop {
            let event = match effect {
                Effect::Finish(outcome) => return outcome,
                effect => self.execute(effect).await,
            };
            effect = pass.next(event);
            self.status.send_if_modified(|status| {
                let changed = status.bootstrap != pass.progress();
                status.bootstrap = pass.progress();
                changed
            });
        }
    }

    async fn execute(&self, effect: Effect) -> Event {
        match effect {
            Effect::ReadBatch { limits, held } => stored(self.outbox.next_batch(limits, &held).await, Event::Batch),
            Effect::Settle(results) => stored(self.outbox.settle(results).await, Event::Settled),
            Effect::ReadState => stored(self.replica.sync_state().await, Event::State),
            Effect::BeginBootstrap(reason) => {
                stored(self.replica.begin_bootstrap(reason).await, |()| Event::BootstrapBegun)
            }
            Effect::ApplyBootstrap { after, page } => {
                stored(self.replica.apply_bootstrap(after.as_ref(), *page).await, Event::BootstrapApplied)
            }
            Effect::ApplyPull { from, page } => stored(self.replica.apply_pull(&from, *page).await, Event::PullApplied),
            Effect::ReadMissing { limit } => stored(self.replica.missing_ranges(limit).await, Event::Missing),
            Effect::ApplyHistory(page) => stored(self.replica.apply_history(*page).await, Event::HistoryApplied),
            Effect::RecordSuccess => stored(self.record_success().await, |()| Event::SuccessRecorded),
            effect => self.call_out(effect).await,
        }
    }

    async fn call_out(&self, effect: Effect) -> Event {
        match effect {
            Effect::Push(mutations) => {
                let mutations = &mutations;
                let answer = self.call(|token| async move { self.api.push(&token, mutations).await }).await;
                answer.map_or_else(Event::SessionFailed, Event::Pushed)
            }
            Effect::Bootstrap(request) => self.call_bootstrap(request).await,
            Effect::Pull(request) => self.call_pull(request).await,
            Effect::History(request) => self.call_history(request).await,
            // Everything else was carried out by the store; asking where it stands is always allowed.
            _ => stored(self.replica.sync_state().await, Event::State),
        }
    }

    async fn call_bootstrap(&self, request: BootstrapRequest) -> Event {
        let request = &request;
        let answer = self.call(|token| async move { self.api.bootstrap(&token, request.clone()).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::Bootstrapped)
    }

    async fn call_pull(&self, request: PullRequest) -> Event {
        let request = &request;
        let answer = self.call(|token| async move { self.api.pull(&token, request.clone()).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::Pulled)
    }

    async fn call_history(&self, request: HistoryRequest) -> Event {
        let answer = self.call(|token| async move { self.api.history(&token, request).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::HistoryRead)
    }
}

fn stored<T>(result: StorageResult<T>, event: impl FnOnce(T) -> Event) -> Event {
    match result {
        Ok(value) => event(value),
        Err(error) => Event::StorageFailed(error),
    }
}
