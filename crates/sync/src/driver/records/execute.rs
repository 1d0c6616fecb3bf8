//! Carries out the effects of a pass over the records, one after the other.

use super::{
    RecordEngine,
    border::{Tables, outgoing_audit},
};
use crate::{
    SyncError,
    machine::records::{RecordEffect, RecordEvent, RecordPass, RecordPassOutcome},
};
use fieldpost_domain::{
    AccessToken, Cursor,
    planted::{self, PlantedBug, planted},
    records::{AuditEntry, DeviceTime, Priority, RecordMutation, RecordOperation, RecordPage, RecordResult},
};
use fieldpost_remote::{
    OutgoingRecord, RecordPullRequest, RecordPushAnswer, RemoteError, RemoteErrorKind, RemoteResult,
};
use fieldpost_storage::{
    BatchLimits, StorageResult,
    records::{RecordApplyReport, RecordBatch, RecordSettleReport},
};
use std::future::Future;

impl RecordEngine {
    /// Runs a pass to its end.
    pub(super) async fn drive(&self, pass: &mut RecordPass) -> RecordPassOutcome {
        let mut tables = Tables::default();
        let mut effect = pass.start();
        loop {
            let event = match self.carry_out(effect, pass, &mut tables).await {
                Ok(event) => event,
                Err(outcome) => return outcome,
            };
            if matches!(event, RecordEvent::Settled(_) | RecordEvent::Applied(_)) {
                // An immediate change may have become free, or another process may have written one.
                self.look_for_immediate();
            }
            effect = pass.next(event);
        }
    }

    /// Carries out one effect. `Err` ends the pass with that outcome.
    async fn carry_out(
        &self,
        effect: RecordEffect,
        pass: &RecordPass,
        tables: &mut Tables,
    ) -> Result<RecordEvent, RecordPassOutcome> {
        Ok(match effect {
            RecordEffect::Recall => match self.declared(tables).await {
                Ok(()) => stored(self.replica.record_state().await, |state| RecordEvent::Recalled(state.memory)),
                Err(error) => RecordEvent::StorageFailed(error),
            },
            RecordEffect::ReadBatch { limits, at_most } => {
                stored(self.next_batch(limits, at_most).await, RecordEvent::Batch)
            }
            RecordEffect::Push(mutations) => self.push(&mutations, tables).await,
            RecordEffect::Settle(results) => stored(self.settle(&results).await, RecordEvent::Settled),
            RecordEffect::Withdraw { mutations, then } => {
                let done = self.queue.withdraw_records(&mutations).await;
                return self.go_on(done, *then, pass, tables).await;
            }
            RecordEffect::Postpone { mutations, then } => {
                let done = self.queue.postpone_records(&mutations, self.env.now()).await;
                return self.go_on(done, *then, pass, tables).await;
            }
            RecordEffect::ReadState => match self.declared(tables).await {
                Ok(()) => stored(self.replica.record_state().await, |state| RecordEvent::State {
                    cursor: state.cursor,
                    tables: tables.server_names(),
                }),
                Err(error) => RecordEvent::StorageFailed(error),
            },
            RecordEffect::BeginLoad => stored(self.replica.begin_record_load().await, |()| RecordEvent::LoadBegun),
            RecordEffect::Pull(request) => self.pull(request).await,
            RecordEffect::Apply { from, page } => stored(self.apply(from, *page).await, RecordEvent::Applied),
            RecordEffect::ReadAudit { limit } => stored(self.audit.next_audit(limit).await, RecordEvent::Audit),
            RecordEffect::PushAudit(entries) => self.push_audit(&entries).await,
            RecordEffect::Audited(ids) => stored(self.audit.audited(&ids).await, |()| RecordEvent::AuditSettled),
            RecordEffect::Remember { succeeded } => {
                stored(self.remember(pass, succeeded).await, |()| RecordEvent::Remembered)
            }
            RecordEffect::Finish(outcome) => return Err(outcome),
        })
    }

    /// Goes on with another effect, once changes have been given back to the queue.
    async fn go_on(
        &self,
        done: StorageResult<()>,
        then: RecordEffect,
        pass: &RecordPass,
        tables: &mut Tables,
    ) -> Result<RecordEvent, RecordPassOutcome> {
        match (done, then) {
            (Ok(()), then) => Box::pin(self.carry_out(then, pass, tables)).await,
            // The pass ends anyway. Report its own error, not the store's: the server may have named a time for the next
            // pass.
            (Err(error), RecordEffect::Finish(outcome)) => {
                tracing::debug!(%error, "changes could not be given back to the queue");
                Err(outcome)
            }
            (Err(error), _) => Ok(RecordEvent::StorageFailed(error)),
        }
    }

    /// Reads which tables are declared now.
    async fn declared(&self, tables: &mut Tables) -> StorageResult<()> {
        *tables = Tables::new(self.records.declared().await?);
        Ok(())
    }

    async fn next_batch(&self, limits: BatchLimits, at_most: Priority) -> StorageResult<Vec<RecordMutation>> {
        self.queue.next_records(RecordBatch { limits, at_most, due_at: Some(self.env.now()) }).await
    }

    async fn push(&self, mutations: &[RecordMutation], tables: &Tables) -> RecordEvent {
        let call = |token| async move {
            // An age is that of the moment of the call, also if it is repeated with another token.
            let sent = self.clock.now();
            let changes = self.outgoing(mutations, tables, sent);
            let answer: RecordPushAnswer = self.api.push_records(&token, &changes).await?;
            self.measure_clock(sent, answer.server_time).await;
            Ok(answer)
        };
        self.call("push_records", call).await.map_or_else(RecordEvent::NotCalled, RecordEvent::Pushed)
    }

    fn outgoing(&self, mutations: &[RecordMutation], tables: &Tables, now: DeviceTime) -> Vec<OutgoingRecord> {
        let outgoing = |mutation: &RecordMutation| {
            let again = self.sent.knows(mutation.record_id, mutation.id);
            let after = self.sent.note(mutation.record_id, mutation.id);
            let mut change = tables.outgoing(mutation, now, after)?;
            let creates = change.operation == RecordOperation::Create;
            if again && creates && planted(PlantedBug::ResendRecordUnderNewId) {
                change.record_id = planted::new_record_id(change.record_id);
            }
            Some(change)
        };
        mutations.iter().filter_map(outgoing).collect()
    }

    async fn settle(&self, results: &[RecordResult]) -> StorageResult<RecordSettleReport> {
        let report = self.queue.settle_records(results, self.env.now()).await?;
        report.rekeyed.iter().for_each(|(from, to)| self.sent.rekeyed(*from, *to));
        Ok(report)
    }

    async fn pull(&self, request: RecordPullRequest) -> RecordEvent {
        let request = &request;
        let call = |token| async move {
            let sent = self.clock.now();
            let page: RecordPage = self.api.pull_records(&token, request.clone()).await?;
            self.measure_clock(sent, page.server_time).await;
            Ok(page)
        };
        self.call("pull_records", call).await.map_or_else(RecordEvent::NotCalled, RecordEvent::Pulled)
    }

    async fn push_audit(&self, entries: &[AuditEntry]) -> RecordEvent {
        let call = |token| async move {
            let now = self.clock.now();
            let outgoing: Vec<_> = entries.iter().map(|entry| outgoing_audit(entry, now)).collect();
            self.api.push_audit(&token, &outgoing).await
        };
        self.call("push_audit", call).await.map_or_else(RecordEvent::NotCalled, RecordEvent::AuditPushed)
    }

    /// Makes a call, unless the server has asked both lanes to wait.
    async fn call<T, F, Call>(&self, operation: &'static str, make_call: F) -> Result<RemoteResult<T>, SyncError>
    where
        F: Fn(AccessToken) -> Call,
        Call: Future<Output = RemoteResult<T>>,
    {
        self.waits.check()?;
        let answer = self.session.call(operation, || self.waits.named(), make_call).await?.map_err(explained);
        if let Err(error) = &answer {
            self.waits.note(error);
        }
        Ok(answer)
    }

    async fn apply(&self, from: Option<Cursor>, page: RecordPage) -> StorageResult<RecordApplyReport> {
        if !planted(PlantedBug::RecordCursorBeforePage) {
            return self.replica.apply_records(from, &page).await;
        }
        let empty = RecordPage { rows: Vec::new(), tombstones: Vec::new(), loading: false, ..page.clone() };
        self.replica.apply_records(from, &empty).await?;
        planted::give_way().await;
        self.replica.apply_records(Some(page.cursor.clone()), &page).await
    }

    /// Saves what a pass has learned, over what another lane may have saved meanwhile.
    pub(super) async fn remember(&self, pass: &RecordPass, succeeded: bool) -> StorageResult<()> {
        let _alone = self.remembering.lock().await;
        let kept = self.replica.record_state().await?.memory;
        self.replica.remember_records(&pass.learn(kept), succeeded.then(|| self.env.now())).await
    }
}

/// Says what is missing: the functions for messages may well be there.
fn explained(error: RemoteError) -> RemoteError {
    if error.kind() != RemoteErrorKind::NotFieldpost || error.detail().is_some() {
        return error;
    }
    error.with_detail("the server has no functions for records")
}

fn stored<T>(result: StorageResult<T>, event: impl FnOnce(T) -> RecordEvent) -> RecordEvent {
    match result {
        Ok(value) => event(value),
        Err(error) => RecordEvent::StorageFailed(error),
    }
}
