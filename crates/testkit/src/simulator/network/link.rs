//! One process's connection to the server: a network that fails, and the checks of each call.

use super::{
    Beside, Habits, Hub,
    watch::{self, Tracks},
};
use crate::{
    network::{Arrival, CallInFlight, Courier},
    simulator::{Breach, Invariant},
};
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, FoundPage, HistoryPage, MessageReport, Mutation, PullPage, PushOutcome, RefreshToken,
    ReportId, ReportPage, Retry, Session,
};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushAnswer, PushRequest,
    RemoteError, RemoteErrorKind, RemoteResult, ReportsRequest, SearchRequest, reference::OpenTransaction,
};
use fieldpost_storage::{EntryState, Store};
use futures::FutureExt;
use std::{
    future::{Future, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// More calls than any run needs: a process that makes them is in a loop, and gets no more responses.
const TOO_MANY_CALLS: u64 = 20_000;

/// One process's connection to the server.
pub(crate) struct Link {
    hub: Arc<Hub>,
    /// Its owner's name, for the trace.
    name: String,
    courier: Arc<Courier>,
    tracks: Arc<Tracks>,
    who: u64,
    habits: Arc<Habits>,
    beside: Arc<Beside>,
    store: Arc<dyn Store>,
    refreshing: AtomicBool,
}

impl Link {
    pub(crate) fn new(
        hub: Arc<Hub>,
        name: String,
        (courier, store): (Arc<Courier>, Arc<dyn Store>),
        tracks: Arc<Tracks>,
        who: u64,
    ) -> Self {
        Self {
            hub,
            name,
            courier,
            tracks,
            who,
            habits: Arc::default(),
            beside: Arc::default(),
            store,
            refreshing: AtomicBool::new(false),
        }
    }

    /// What it does with messages that are written while it loads.
    pub(crate) fn beside(&self) -> Arc<Beside> {
        Arc::clone(&self.beside)
    }

    /// A message that was written during a pass must not wait until everything is loaded.
    async fn sends_before(&self, call: &'static str) {
        let Some(message) = self.beside.begins(call) else { return };
        if let Ok(Some(entry)) = self.store.entry_of(message).await
            && matches!(entry.state, EntryState::Queued { .. })
        {
            let what = format!("{} goes on loading although {message} waits", self.name);
            self.hub.observer.report(Breach::new(Invariant::Liveness, what));
        }
    }

    /// The behaviour of this process.
    pub(crate) fn habits(&self) -> Arc<Habits> {
        Arc::clone(&self.habits)
    }

    /// Only for errors that end the whole pass: after a 503 to a push, the pass still pulls.
    fn note_wait(&self, call: &str, error: &RemoteError) {
        if let (RemoteErrorKind::RateLimited, Retry::After(wait)) = (error.kind(), error.retry()) {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.habits.told_to_wait(call, self.hub.observer.now().saturating_add(wait));
        }
    }

    async fn call<T: Send + 'static, F: Future<Output = RemoteResult<T>> + Send + 'static>(
        &self,
        call: &'static str,
        execute: impl Fn(Arc<Hub>, Arrival) -> F + Send + Sync + 'static,
    ) -> RemoteResult<T> {
        self.call_with(call, 0, execute, |_| true).await
    }

    /// Makes a call with this many mutations. `is_done` tells whether a response says that everything was done.
    pub(crate) async fn call_with<T: Send + 'static, F: Future<Output = RemoteResult<T>> + Send + 'static>(
        &self,
        call: &'static str,
        mutations: usize,
        execute: impl Fn(Arc<Hub>, Arrival) -> F + Send + Sync + 'static,
        is_done: fn(&T) -> bool,
    ) -> RemoteResult<T> {
        let observer = &self.hub.observer;
        if observer.call() > TOO_MANY_CALLS {
            observer.report(Breach::new(Invariant::Liveness, format!("{} makes calls without an end", self.name)));
            std::future::pending::<()>().await;
        }
        observer.judge(self.habits.calls(observer.now(), call));
        self.sends_before(call).await;
        let delivery = self.courier.next(mutations);
        if let Some(fault) = delivery.fault {
            observer.count(fault.name());
        }
        observer
            .say(|| format!("{} {call} →{}", self.name, delivery.fault.map_or(String::new(), |f| format!(" {f:?}"))));
        let hub = Arc::clone(&self.hub);
        let execute = move |arrival| {
            if arrival == Arrival::Again {
                hub.observer.say(|| format!("the server gets a {call} once more"));
            }
            match hub.outages.answer(call) {
                Some(kind) => ready(Err(RemoteError::new(kind, call))).boxed(),
                None => execute(Arc::clone(&hub), arrival).boxed(),
            }
        };
        let answer =
            self.courier.carry(delivery, CallInFlight { name: call, execute: Box::new(execute), is_done }).await;
        if let Err(error) = &answer {
            self.note_wait(call, error);
            if matches!(error.kind(), RemoteErrorKind::CursorExpired(_)) {
                self.habits.must_load_anew();
            }
            self.beside.failed(call, error.kind());
            if error.kind() == RemoteErrorKind::TimedOut {
                observer.count("timeouts");
            }
        }
        let kind = |error: &RemoteError| format!("{:?}", error.kind());
        observer.say(|| format!("{} {call} ← {}", self.name, answer.as_ref().err().map_or("ok".to_owned(), kind)));
        answer
    }
}

/// Begins the transaction of a push some time before executing it.
async fn held_open(hub: &Hub, mutations: &[Mutation], lasting: Duration) -> OpenTransaction {
    let open = hub.server.begin();
    for mutation in mutations {
        // A lane that somebody else has locked is answered with `retry`.
        let _ = open.lock(mutation.intent.lane());
    }
    sleep(lasting).await;
    open
}

#[async_trait]
impl MessagingApi for Link {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let (token, request) = (token.clone(), request.clone());
            async move {
                let answer = hub.server.bootstrap(&token, request).await?;
                watch::page(&hub, &token, &answer.changes, "bootstrap");
                hub.narrow.carry_page(&answer.changes, answer.transfer.bytes, "bootstrap").await?;
                Ok(answer)
            }
        };
        let asked = Instant::now();
        let mut page = self.call("bootstrap", execute).await?;
        page.transfer.took = asked.elapsed();
        Ok(page)
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        let (token, asked) = (token.clone(), request.cursor.clone());
        let execute = move |hub: Arc<Hub>, _| {
            let (token, request) = (token.clone(), request.clone());
            async move {
                let answer = hub.server.pull(&token, request).await?;
                watch::page(&hub, &token, &answer.changes, "pull");
                let commits = hub.server.commits();
                hub.narrow.carry_page(&answer.changes, answer.transfer.bytes, "pull").await?;
                Ok((answer, commits))
            }
        };
        let sent = Instant::now();
        let (mut page, commits) = self.call("pull", execute).await?;
        page.transfer.took = sent.elapsed();
        // Recorded only here: nobody receives the response of a copy or of a late call.
        self.tracks.answered(self.who, &asked, commits, &page);
        Ok(page)
    }

    async fn push(&self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer> {
        watch::batch(&self.hub, &request.mutations);
        self.hub.note_delivery(&request.mutations);
        let (token, count, request) = (token.clone(), request.mutations.len(), Arc::new(request.clone()));
        let execute = move |hub: Arc<Hub>, arrival| {
            let (token, request) = (token.clone(), Arc::clone(&request));
            async move {
                let mutations = &*request.mutations;
                hub.narrow.carry_batch(mutations).await?;
                let open = match arrival {
                    Arrival::Slowly(lasting) => Some(held_open(&hub, mutations, lasting).await),
                    Arrival::First | Arrival::Again => None,
                };
                if hub.poisons(mutations) {
                    return Err(RemoteError::new(RemoteErrorKind::Other, "push"));
                }
                let before = watch::Settled::before(&hub, &token);
                let answer = match open {
                    Some(open) => open.push(&token, &request),
                    None => hub.server.push(&token, &request).await,
                };
                hub.note_accepted(before.person(), mutations, &answer);
                before.judge(&hub, mutations, &answer);
                hub.note_reached(mutations);
                hub.note_refused(mutations, &answer);
                answer
            }
        };
        let is_done = |answer: &PushAnswer| {
            answer.results.iter().all(|result| matches!(result.outcome, PushOutcome::Acknowledged(_)))
        };
        let sent = Instant::now();
        let mut answer = self.call_with("push", count, execute, is_done).await?;
        answer.took = sent.elapsed();
        if answer.quiet.is_some() {
            self.hub.observer.count("quiet pushes");
        }
        if !is_done(&answer) {
            self.beside.trouble();
        }
        Ok(answer)
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let token = token.clone();
            async move {
                let answer = hub.server.history(&token, request).await?;
                watch::page(&hub, &token, &answer.changes, "history");
                hub.narrow.carry_page(&answer.changes, answer.transfer.bytes, "history").await?;
                Ok(answer)
            }
        };
        let asked = Instant::now();
        let mut page = self.call("history", execute).await?;
        page.transfer.took = asked.elapsed();
        Ok(page)
    }

    async fn search(&self, token: &AccessToken, request: SearchRequest) -> RemoteResult<FoundPage> {
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let (token, request) = (token.clone(), request.clone());
            async move {
                let answer = hub.server.search(&token, request).await?;
                watch::page(&hub, &token, &answer.changes, "search");
                Ok(answer)
            }
        };
        self.call("search", execute).await
    }

    async fn reports(&self, token: &AccessToken, request: ReportsRequest) -> RemoteResult<ReportPage> {
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let (token, request) = (token.clone(), request.clone());
            async move { hub.server.reports(&token, request).await }
        };
        self.call("reports", execute).await
    }

    async fn resolve_report(&self, token: &AccessToken, report: ReportId) -> RemoteResult<MessageReport> {
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let token = token.clone();
            async move { hub.server.resolve_report(&token, report).await }
        };
        self.call("resolve_report", execute).await
    }
}

/// Clears the flag when dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl Auth for Link {
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session> {
        let credentials = credentials.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let credentials = credentials.clone();
            async move { hub.server.sign_in(&credentials).await }
        };
        self.call("sign_in", execute).await
    }

    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session> {
        if self.refreshing.swap(true, Ordering::SeqCst) {
            let what = format!("{} refreshes twice at the same time", self.name);
            self.hub.observer.report(Breach::new(Invariant::Bounded, what));
        }
        let in_vain = self.hub.outages.refuses_tokens();
        if in_vain {
            self.hub.observer.judge(self.habits.refreshes_in_vain(self.hub.observer.now()));
        }
        // Also clears it when the caller drops this future.
        let _over = Over(&self.refreshing);
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let token = token.clone();
            async move { hub.server.refresh(&token).await }
        };
        let session = self.call("refresh", execute).await?;
        if in_vain {
            self.habits.refreshed_in_vain(self.hub.observer.now());
        }
        Ok(session)
    }

    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()> {
        let token = token.clone();
        let execute = move |hub: Arc<Hub>, _| {
            let token = token.clone();
            async move { hub.server.sign_out(&token).await }
        };
        self.call("sign_out", execute).await
    }
}
