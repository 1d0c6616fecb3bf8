//! A process's calls for records, and for messages beside them.

use super::{
    policy::RecordPolicy,
    truth::Truth,
    urgent::Urgent,
    verdict::{self, Arrived},
};
use crate::{
    network::Arrival,
    simulator::{
        Breach, Invariant,
        network::{Hub, Link},
        observer::Observer,
    },
};
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, FoundPage, HistoryPage, MessageReport, MutationId, PullPage, ReportId, ReportPage,
    records::{ClockId, Priority, RecordOutcome, RecordPage},
};
use fieldpost_remote::{
    AuditAnswer, BootstrapRequest, HistoryRequest, MessagingApi, OutgoingAudit, OutgoingRecord, PullRequest,
    PushAnswer, PushRequest, RecordPullRequest, RecordPushAnswer, RecordsApi, RemoteError, RemoteErrorKind,
    RemoteResult, ReportsRequest, SearchRequest,
};
use fieldpost_storage::memory::MemoryStore;
use fieldpost_storage::records::{RecordEntryState, RecordQueue, RecordQueueEntry};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// For how long an immediate change may be seen in the queue by calls that send others, in microseconds: another lane of
/// the process may be about to send it.
const MOMENT: u64 = 1_000_000;

/// What the links of all processes know.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) hub: Arc<Hub>,
    pub(super) truth: Arc<Truth>,
    pub(super) policy: Option<RecordPolicy>,
    /// The audit log cannot be uploaded before this moment.
    no_audit: Mutex<Option<Instant>>,
    never_audit: AtomicBool,
}

impl Shared {
    pub(super) fn new(hub: Arc<Hub>, policy: Option<RecordPolicy>, never_audit: bool) -> Self {
        let never_audit = AtomicBool::new(never_audit);
        Self { hub, truth: Arc::default(), policy, no_audit: Mutex::default(), never_audit }
    }

    pub(super) fn no_audit_for(&self, lasting: Duration) {
        *self.no_audit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + lasting);
    }

    pub(super) fn heal_audit(&self) {
        *self.no_audit.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn takes_audit(&self) -> bool {
        let until = *self.no_audit.lock().unwrap_or_else(PoisonError::into_inner);
        !self.never_audit.load(Ordering::SeqCst) && until.is_none_or(|until| Instant::now() >= until)
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.hub.observer
    }
}

/// The calls for records of one process.
pub(super) struct RecordLink {
    pub(super) shared: Arc<Shared>,
    pub(super) device: usize,
    pub(super) link: Arc<Link>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) urgent: Arc<Urgent>,
    pub(super) failures: Arc<Failures>,
    /// The clock of the process, once it is known.
    pub(super) clock: Arc<Mutex<Option<ClockId>>>,
    /// Immediate changes that calls which send others have seen, and since when.
    pub(super) seen: Mutex<BTreeMap<MutationId, u64>>,
}

/// How many calls of a process have failed on the side of the records.
#[derive(Debug, Default)]
pub(super) struct Failures(AtomicU64);

impl Failures {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl RecordLink {
    fn clock(&self) -> Option<ClockId> {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begins(&self, sent: &[MutationId]) {
        waits_for(&self.urgent, self.shared.observer(), self.device, sent);
    }

    fn ended<T>(&self, answer: RemoteResult<T>, began: Instant) -> RemoteResult<T> {
        match &answer {
            Err(_) => {
                self.failures.add();
                self.urgent.trouble();
            }
            Ok(_) => {
                let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                let mut truth = self.shared.truth.lock();
                if let Some(run) = self.clock().and_then(|clock| truth.runs.get_mut(&clock)) {
                    run.slowest = run.slowest.max(took);
                }
            }
        }
        answer
    }

    /// A batch with immediate changes has no others; one without any is not sent while an immediate change could be.
    async fn judge_priority(&self, changes: &[OutgoingRecord]) {
        let Ok(queue) = self.store.record_queue(u32::MAX).await else { return };
        let now = self.shared.observer().micros();
        let urgent = changes.iter().filter(|change| self.urgent.was_immediate(change.id)).count();
        if urgent > 0 {
            if urgent < changes.len() {
                let what = format!("device {} sends {urgent} immediate of {} changes", self.device, changes.len());
                self.shared.observer().report(Breach::new(Invariant::ImmediateFirst, what));
            }
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.urgent.is_troubled() {
            return seen.clear();
        }
        let waiting: Vec<MutationId> = free_and_immediate(&queue).map(|entry| entry.mutation_id).collect();
        seen.retain(|id, _| waiting.contains(id));
        for id in waiting {
            let since = *seen.entry(id).or_insert(now);
            if now - since > MOMENT {
                let what = format!("device {} sends others while the immediate {id} waits", self.device);
                self.shared.observer().report(Breach::new(Invariant::ImmediateFirst, what));
            }
        }
    }
}

/// The immediate changes that nothing holds back.
fn free_and_immediate(queue: &[RecordQueueEntry]) -> impl Iterator<Item = &RecordQueueEntry> {
    queue.iter().filter(|entry| {
        let free = matches!(entry.state, RecordEntryState::Queued { failures: 0, next_at: None, .. });
        let alone = queue.iter().filter(|other| other.record_id == entry.record_id).count() == 1;
        entry.priority == Priority::Immediate && free && alone && entry.fields.get("about").is_none()
    })
}

/// Whether a change has nothing before it.
pub(super) fn is_free(queue: &[RecordQueueEntry], change: MutationId) -> bool {
    free_and_immediate(queue).any(|entry| entry.mutation_id == change)
}

/// A call begins that sends these changes.
fn waits_for(urgent: &Urgent, observer: &Observer, device: usize, sent: &[MutationId]) {
    if let Some(change) = urgent.begins(sent) {
        let what = format!("device {device} goes on with other calls although the immediate {change} waits");
        observer.report(Breach::new(Invariant::ImmediateFirst, what));
    }
}

#[async_trait]
impl RecordsApi for RecordLink {
    async fn push_records(&self, token: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        let ids: Vec<MutationId> = changes.iter().map(|change| change.id).collect();
        self.begins(&ids);
        self.shared.observer().judge(verdict::batch(&self.shared, self.device, changes));
        self.judge_priority(changes).await;
        let departed = self.shared.observer().micros();
        let (token, count, changes) = (token.clone(), changes.len(), Arc::<[OutgoingRecord]>::from(changes));
        let (shared, device, clock) = (Arc::clone(&self.shared), self.device, self.clock());
        let execute = move |hub: Arc<Hub>, arrival| {
            let (token, changes, shared) = (token.clone(), Arc::clone(&changes), Arc::clone(&shared));
            async move {
                let mut dated = shared.observer().micros();
                let open = match arrival {
                    Arrival::Slowly(lasting) => {
                        let open = hub.server.begin();
                        sleep(lasting).await;
                        Some(open)
                    }
                    Arrival::First | Arrival::Again => {
                        dated = shared.observer().micros();
                        None
                    }
                };
                let answer = match open {
                    Some(open) => open.push_records(&token, &changes),
                    None => hub.server.push_records(&token, &changes).await,
                };
                if let Ok(answer) = &answer {
                    let arrived = Arrived { device, clock, departed, dated };
                    shared.observer().judge(verdict::decided(&shared, arrived, &changes, answer));
                }
                answer
            }
        };
        let is_done = |answer: &RecordPushAnswer| {
            answer.results.iter().all(|result| !matches!(result.outcome, RecordOutcome::Retry(_)))
        };
        let began = Instant::now();
        let answer = self.link.call_with("push_records", count, execute, is_done).await;
        let mut answer = self.ended(answer, began)?;
        answer.took = began.elapsed();
        if !is_done(&answer) {
            self.urgent.trouble();
        }
        Ok(answer)
    }

    async fn pull_records(&self, token: &AccessToken, request: RecordPullRequest) -> RemoteResult<RecordPage> {
        self.begins(&[]);
        let (token, shared) = (token.clone(), Arc::clone(&self.shared));
        let execute = move |hub: Arc<Hub>, _| {
            let (token, request, shared) = (token.clone(), request.clone(), Arc::clone(&shared));
            async move {
                let page = hub.server.pull_records(&token, request).await?;
                shared.observer().judge(verdict::page(&shared, &token, &page));
                Ok(page)
            }
        };
        let began = Instant::now();
        let page = self.link.call_with("pull_records", 0, execute, |_| true).await;
        let mut page = self.ended(page, began)?;
        page.transfer.took = began.elapsed();
        Ok(page)
    }

    async fn push_audit(&self, token: &AccessToken, entries: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
        self.begins(&[]);
        let (token, entries) = (token.clone(), Arc::<[OutgoingAudit]>::from(entries));
        let shared = Arc::clone(&self.shared);
        let execute = move |hub: Arc<Hub>, _| {
            let (token, entries, shared) = (token.clone(), Arc::clone(&entries), Arc::clone(&shared));
            async move {
                if !shared.takes_audit() {
                    return Err(RemoteError::new(RemoteErrorKind::Other, "push_audit"));
                }
                let answer = hub.server.push_audit(&token, &entries).await?;
                shared.truth.lock().uploaded.extend(answer.stored.iter().copied());
                Ok(answer)
            }
        };
        // A failure is none of the records.
        self.link.call_with("push_audit", 0, execute, |_| true).await
    }
}

/// The calls for messages of one process: none of them goes before an immediate change.
pub(super) struct MessageLink {
    pub(super) shared: Arc<Shared>,
    pub(super) device: usize,
    pub(super) link: Arc<Link>,
    pub(super) urgent: Arc<Urgent>,
}

impl MessageLink {
    fn begins(&self) {
        waits_for(&self.urgent, self.shared.observer(), self.device, &[]);
    }
}

#[async_trait]
impl MessagingApi for MessageLink {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        self.begins();
        self.link.bootstrap(token, request).await
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        self.begins();
        self.link.pull(token, request).await
    }

    async fn push(&self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer> {
        self.begins();
        self.link.push(token, request).await
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        self.begins();
        self.link.history(token, request).await
    }

    async fn search(&self, token: &AccessToken, request: SearchRequest) -> RemoteResult<FoundPage> {
        self.begins();
        self.link.search(token, request).await
    }

    async fn reports(&self, token: &AccessToken, request: ReportsRequest) -> RemoteResult<ReportPage> {
        self.begins();
        self.link.reports(token, request).await
    }

    async fn resolve_report(&self, token: &AccessToken, report: ReportId) -> RemoteResult<MessageReport> {
        self.begins();
        self.link.resolve_report(token, report).await
    }
}
