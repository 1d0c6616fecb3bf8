//! Carries out the effects of a pass, one after the other.

use super::{Engine, meanwhile::SharedPass, prefetch::Prefetch};
use crate::machine::{Effect, Event, Outcome, Pass};
use fieldpost_domain::{ConversationId, HistoryPage, Mutation, PushTag};
use fieldpost_remote::{BootstrapRequest, HistoryRequest, PullRequest, PushRequest};
use fieldpost_storage::{ApplyReport, BatchLimits, StorageResult};
use std::collections::HashSet;
use tracing::{Instrument, Span};

impl Engine {
    /// Runs a pass to its end, and pushes what is written while it follows. Both loops are large, so they live on the heap.
    pub(super) async fn drive(&self, pass: &mut Pass) -> Outcome {
        let pass = SharedPass::new(pass);
        tokio::select! {
            biased;
            outcome = Box::pin(self.run_effects(&pass)) => outcome,
            never = Box::pin(self.push_meanwhile(&pass)) => match never {},
        }
    }

    async fn run_effects(&self, pass: &SharedPass<'_>) -> Outcome {
        let mut pushing = Some(pass.pushing().await);
        let mut effect = pass.lock().start();
        let mut prefetch = Prefetch::default();
        loop {
            match effect {
                // From here on others may push.
                Effect::ReadState | Effect::ReadMissing { .. } => pushing = None,
                // Whatever is being pushed belongs to this pass: it ends with that.
                Effect::Remember { .. } | Effect::Finish(_) | Effect::Withdraw { .. } if pushing.is_none() => {
                    pushing = Some(pass.pushing().await);
                }
                _ => {}
            }
            let event = match self.execute(effect, pass, &mut prefetch).await {
                Ok(Event::BootstrapBegun) => self.remember_names(pass).await,
                Ok(event) => event,
                Err(outcome) => return prefetch.with_prefetched_wait(outcome),
            };
            self.observe(pass, &event);
            let progress = {
                let mut pass = pass.lock();
                effect = pass.next(event);
                pass.progress()
            };
            self.status.send_if_modified(|status| std::mem::replace(&mut status.bootstrap, progress) != progress);
        }
    }

    /// Saves which capabilities the bootstrap that has just begun names.
    async fn remember_names(&self, pass: &SharedPass<'_>) -> Event {
        let Some(memory) = pass.lock().named_anew() else { return Event::BootstrapBegun };
        stored(self.replica.remember(&memory, None).await, |()| Event::BootstrapBegun)
    }

    /// Notes what an event tells besides what it is about.
    fn observe(&self, pass: &SharedPass<'_>, event: &Event) {
        let server_time = match event {
            Event::Recalled(state) => return self.session.clock_is_ahead(state.memory.clock_ahead_ms),
            Event::Bootstrapped(Ok(page)) => page.server_time,
            Event::Pulled(Ok(page)) => page.server_time,
            // Another process may have written while the page was applied.
            Event::BootstrapApplied(_) => return pass.look(),
            _ => return,
        };
        let ahead = (self.env.now() - server_time).num_milliseconds();
        self.session.clock_is_ahead(Some(ahead));
        pass.lock().clock_is_ahead(ahead);
    }

    /// Carries out one effect. `Err` ends the pass with that outcome.
    async fn execute(&self, effect: Effect, pass: &SharedPass<'_>, prefetch: &mut Prefetch) -> Result<Event, Outcome> {
        let span = effect.operation().map_or_else(Span::none, |operation| tracing::debug_span!("apply", operation));
        self.carry_out(effect, pass, prefetch).instrument(span).await
    }

    async fn carry_out(
        &self,
        effect: Effect,
        pass: &SharedPass<'_>,
        prefetch: &mut Prefetch,
    ) -> Result<Event, Outcome> {
        Ok(match effect {
            Effect::Recall => stored(self.replica.sync_state().await, |state| Event::Recalled(Box::new(state))),
            Effect::Expire { before } => stored(self.outbox.expire(before).await, Event::Expired),
            Effect::ReadBatch { limits, held } => stored(self.next_batch(limits, &held).await, Event::Batch),
            Effect::Push(request) => self.call_push(pass, &request).await,
            Effect::Withdraw { mutations, then } => match (self.outbox.withdraw(&mutations).await, *then) {
                (Ok(()), then) => return Box::pin(self.execute(then, pass, prefetch)).await,
                // The pass ends anyway. Report its own error, not the store's: the server may have named a time for the
                // next pass.
                (Err(error), Effect::Finish(outcome)) => {
                    tracing::debug!(%error, "the attempts could not be withdrawn");
                    return Err(outcome);
                }
                (Err(error), _) => Event::StorageFailed(error),
            },
            Effect::Settle(results) => stored(self.outbox.settle(results).await, Event::Settled),
            Effect::SettleQuiet { results, from, to } => {
                stored(self.outbox.settle_quiet(results, &from, &to).await, Event::Settled)
            }
            Effect::ReadState => stored(self.replica.sync_state().await, Event::State),
            Effect::BeginBootstrap(reason) => {
                stored(self.replica.begin_bootstrap(reason).await, |()| Event::BootstrapBegun)
            }
            Effect::Bootstrap(request) => self.bootstrap(pass, request, prefetch).await,
            Effect::ApplyBootstrap { after, page, next } => {
                let apply = self.replica.apply_bootstrap(after.as_ref(), *page);
                self.apply_and_fetch(pass, apply, next, prefetch).await
            }
            Effect::ApplyFirstScreen { page, next } => {
                self.apply_and_fetch(pass, self.replica.apply_first_screen(*page), next, prefetch).await
            }
            Effect::Pull(request) => self.call_pull(pass, request).await,
            Effect::ApplyPull { from, page } => stored(self.replica.apply_pull(&from, *page).await, Event::PullApplied),
            Effect::ReadMissing { limit } => stored(self.replica.missing_ranges(limit).await, Event::Missing),
            Effect::History(request) => self.call_history(pass, request).await,
            Effect::ApplyHistory(page) => stored(self.apply_history(*page).await, Event::HistoryApplied),
            Effect::NextCheck { after } => stored(self.replica.next_check(after).await, Event::Checkable),
            Effect::Check(request) => self.call_check(pass, request).await,
            Effect::ApplyCheck(page) => stored(self.apply_history(*page).await, Event::CheckApplied),
            Effect::CheckDigest => stored(self.replica.check_digest().await, Event::DigestChecked),
            Effect::Remember { memory, succeeded } => {
                let succeeded_at = succeeded.then(|| self.env.now());
                stored(self.replica.remember(&memory, succeeded_at).await, |()| Event::Remembered)
            }
            Effect::Finish(outcome) => return Err(outcome),
        })
    }

    /// Marks of what has arrived wait for something to ride with.
    async fn next_batch(&self, limits: BatchLimits, held: &HashSet<ConversationId>) -> StorageResult<Vec<Mutation>> {
        if !self.schedule.borrow().is_delivering() && self.outbox.counts().await?.pending == 0 {
            return Ok(Vec::new());
        }
        self.outbox.next_batch(limits, held).await
    }

    /// Only the process with the turn begins a bootstrap, so the generation cannot have changed since the request.
    async fn apply_history(&self, page: HistoryPage) -> StorageResult<ApplyReport> {
        let generation = self.replica.sync_state().await?.generation;
        self.replica.apply_history(generation, page).await
    }

    /// Its tag is noted before the call, because its hint may be here before its answer.
    pub(super) async fn call_push(&self, pass: &SharedPass<'_>, request: &PushRequest) -> Event {
        if let Some(first) = request.mutations.first() {
            let push = PushTag::of(first.id);
            self.change_live(|live| live.pushing(push));
        }
        let answer = self.call_in(pass, "push", |token| async move { self.api.push(&token, request).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::Pushed)
    }

    pub(super) async fn call_bootstrap(&self, pass: &SharedPass<'_>, request: BootstrapRequest) -> Event {
        let request = &request;
        let answer = self
            .call_in(pass, "bootstrap", |token| async move { self.api.bootstrap(&token, request.clone()).await })
            .await;
        answer.map_or_else(Event::SessionFailed, Event::Bootstrapped)
    }

    async fn call_pull(&self, pass: &SharedPass<'_>, request: PullRequest) -> Event {
        let request = &request;
        let answer =
            self.call_in(pass, "pull", |token| async move { self.api.pull(&token, request.clone()).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::Pulled)
    }

    async fn call_history(&self, pass: &SharedPass<'_>, request: HistoryRequest) -> Event {
        let answer =
            self.call_in(pass, "history", |token| async move { self.api.history(&token, request).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::HistoryRead)
    }

    async fn call_check(&self, pass: &SharedPass<'_>, request: HistoryRequest) -> Event {
        let answer =
            self.call_in(pass, "history", |token| async move { self.api.history(&token, request).await }).await;
        answer.map_or_else(Event::SessionFailed, Event::Checked)
    }
}

fn stored<T>(result: StorageResult<T>, event: impl FnOnce(T) -> Event) -> Event {
    match result {
        Ok(value) => event(value),
        Err(error) => Event::StorageFailed(error),
    }
}
