//! One process's connection to the server.

use super::{
    Habits, NetworkConditions,
    delivery::Delivery,
    watch::{self, Tracks},
};
use crate::simulator::{Breach, Invariant, observer::Observer, policy::Policy, rules::Places, step::Fault};
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, ConversationId, HistoryPage, Intent, Message, MessageId, Mutation, MutationId,
    PersonId, PullPage, PushOutcome, RefreshToken, Retry, Session,
};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushAnswer, RemoteError,
    RemoteErrorKind, RemoteResult,
    reference::{OpenTransaction, ReferenceServer},
};
use futures::FutureExt;
use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

/// How long a device waits for a response.
const PATIENCE: Duration = Duration::from_secs(30);
/// More calls than any run needs: a process that makes them is in a loop, and gets no more responses.
const TOO_MANY_CALLS: u64 = 20_000;

/// The server and the state that all links share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) server: ReferenceServer,
    pub(crate) policy: Option<Policy>,
    pub(crate) observer: Arc<Observer>,
    /// Before this moment nobody reaches the server.
    pub(crate) down_until: AtomicU64,
    /// Increases whenever all connections break.
    pub(crate) restarts: AtomicU64,
    /// A push that touches one of these fails as a whole.
    poisoned: Mutex<BTreeSet<ConversationId>>,
    /// Messages that the server has stored at some time.
    reached: Mutex<BTreeSet<MessageId>>,
    /// Mutations that the server has finally refused.
    refused: Mutex<BTreeSet<MutationId>>,
    /// The current or last org, kind and medic of each conversation.
    places: Mutex<Places>,
    /// The number of transactions that have changed who sees what.
    pub(crate) sights: AtomicU64,
}

impl Hub {
    pub(crate) fn new(server: ReferenceServer, policy: Option<Policy>, observer: Arc<Observer>) -> Self {
        Self {
            server,
            policy,
            observer,
            down_until: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            poisoned: Mutex::default(),
            reached: Mutex::default(),
            refused: Mutex::default(),
            places: Mutex::default(),
            sights: AtomicU64::new(0),
        }
    }

    /// The messages of a conversation that a reader of it may see.
    pub(crate) fn messages_for(&self, reader: PersonId, conversation: ConversationId) -> Vec<Message> {
        let mut messages = self.server.messages_of(conversation);
        messages.retain(|message| self.policy.is_none_or(|policy| policy.lets_see(message, reader)));
        messages
    }

    /// The poisoned conversations.
    pub(crate) fn poisoned(&self) -> MutexGuard<'_, BTreeSet<ConversationId>> {
        self.poisoned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that the server has stored at some time.
    pub(crate) fn reached(&self) -> MutexGuard<'_, BTreeSet<MessageId>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current or last org, kind and medic of each conversation.
    pub(crate) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poisons(&self, mutations: &[Mutation]) -> bool {
        let poisoned = self.poisoned();
        mutations.iter().any(|mutation| poisoned.contains(&self.server.canonical(mutation.intent.lane())))
    }

    /// The mutations that the server has finally refused.
    pub(crate) fn refused(&self) -> MutexGuard<'_, BTreeSet<MutationId>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_refused(&self, mutations: &[Mutation], answer: &RemoteResult<PushAnswer>) {
        let Ok(answer) = answer else { return };
        for (mutation, result) in mutations.iter().zip(&answer.results) {
            if matches!(result.outcome, PushOutcome::Rejected(_)) {
                self.refused().insert(mutation.id);
            }
        }
    }

    fn note_reached(&self, mutations: &[Mutation]) {
        let mut reached = self.reached();
        for mutation in mutations {
            if let Intent::SendMessage(message) = &mutation.intent
                && self.server.message(message.id).is_some()
            {
                reached.insert(message.id);
            }
        }
    }
}

/// One process's connection to the server.
pub(crate) struct Link {
    hub: Arc<Hub>,
    /// Its owner's name, for the trace.
    name: String,
    conditions: Arc<Mutex<NetworkConditions>>,
    tracks: Arc<Tracks>,
    who: u64,
    habits: Arc<Habits>,
    refreshing: AtomicBool,
}

/// Executes a call on the server; for a push, possibly in a transaction that was begun for it.
type Execute<T> = Arc<dyn Fn(Option<OpenTransaction>) -> RemoteResult<T> + Send + Sync>;

impl Link {
    pub(crate) fn new(
        hub: Arc<Hub>,
        name: String,
        conditions: Arc<Mutex<NetworkConditions>>,
        tracks: Arc<Tracks>,
        who: u64,
    ) -> Self {
        Self { hub, name, conditions, tracks, who, habits: Arc::default(), refreshing: AtomicBool::new(false) }
    }

    fn conditions(&self) -> MutexGuard<'_, NetworkConditions> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn call<T: Send + 'static>(&self, call: &'static str, execute: Execute<T>) -> RemoteResult<T> {
        self.call_with(call, Vec::new(), execute, |_| true).await
    }

    /// Makes a call. `execute` carries it out, perhaps twice, perhaps never; a push may lock its lanes a while before.
    /// `done` tells whether a response says that everything was done.
    async fn call_with<T: Send + 'static>(
        &self,
        call: &'static str,
        lanes: Vec<ConversationId>,
        execute: Execute<T>,
        done: fn(&T) -> bool,
    ) -> RemoteResult<T> {
        let observer = &self.hub.observer;
        if observer.call() > TOO_MANY_CALLS {
            observer.report(Breach::new(Invariant::Liveness, format!("{} makes calls without an end", self.name)));
            std::future::pending::<()>().await;
        }
        observer.judge(self.habits.calls(observer.now(), call));
        let delivery = self.conditions().next(observer.now());
        if let Some(fault) = delivery.fault {
            observer.count(fault.name());
        }
        observer
            .say(|| format!("{} {call} →{}", self.name, delivery.fault.map_or(String::new(), |f| format!(" {f:?}"))));
        let (tell, told) = oneshot::channel();
        let journey = Journey { hub: Arc::clone(&self.hub), call, lanes, delivery, execute, done };
        tokio::spawn(journey.travel(tell));
        let answer = match timeout(PATIENCE, told).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(RemoteError::new(RemoteErrorKind::Interrupted, call)),
            Err(_) => {
                observer.count("timeouts");
                Err(RemoteError::new(RemoteErrorKind::TimedOut, call))
            }
        };
        if let Err(error) = &answer {
            self.note_wait(call, error);
        }
        let kind = |error: &RemoteError| format!("{:?}", error.kind());
        observer.say(|| format!("{} {call} ← {}", self.name, answer.as_ref().err().map_or("ok".to_owned(), kind)));
        answer
    }
}

/// A call in flight.
struct Journey<T> {
    hub: Arc<Hub>,
    call: &'static str,
    lanes: Vec<ConversationId>,
    delivery: Delivery,
    execute: Execute<T>,
    done: fn(&T) -> bool,
}

impl<T: Send> Journey<T> {
    /// Sends the call to the server and the response back.
    async fn travel(self, tell: oneshot::Sender<RemoteResult<T>>) {
        let restarts = self.hub.restarts.load(Ordering::SeqCst);
        let (answer, late_copy) = self.answer(restarts).await;
        let answer = match self.delivery.fault {
            Some(Fault::LoseAnswer) => self.fail(RemoteErrorKind::Interrupted),
            Some(Fault::Garble) if answer.is_ok() => self.fail(RemoteErrorKind::Malformed),
            _ => answer,
        };
        let back =
            if let Some(Fault::SlowBack(longer)) = self.delivery.fault { longer.into() } else { self.delivery.back };
        sleep(Duration::from_millis(back)).await;
        // If the caller is gone, nobody receives the response.
        let _ = tell.send(if self.is_cut(restarts) { self.fail(RemoteErrorKind::Interrupted) } else { answer });
        if let Some(later) = late_copy {
            drop(self.once_more(later, restarts).await);
        }
    }

    /// The response, and the delay after which a copy of the call arrives. If the response says that not everything was
    /// done, the copy arrives before it, and the copy's response is returned: a network that repeats a call has had no
    /// response to forward yet.
    async fn answer(&self, restarts: u64) -> (RemoteResult<T>, Option<u32>) {
        let answer = self.arrive(restarts).await;
        let Some(Fault::Twice(later)) = self.delivery.fault else { return (answer, None) };
        let never_left = matches!(&answer, Err(error) if error.kind() == RemoteErrorKind::Unreachable);
        if never_left {
            return (answer, None);
        }
        let done = answer.as_ref().is_ok_and(self.done);
        if done { (answer, Some(later)) } else { (self.once_more(later, restarts).await, None) }
    }

    /// The server receives the call again.
    async fn once_more(&self, later: u32, restarts: u64) -> RemoteResult<T> {
        sleep(Duration::from_millis(later.into())).await;
        if self.is_cut(restarts) {
            return self.fail(RemoteErrorKind::Interrupted);
        }
        self.hub.observer.say(|| format!("the server gets a {} once more", self.call));
        (self.execute)(None)
    }

    /// The server's response, if the call arrives.
    async fn arrive(&self, restarts: u64) -> RemoteResult<T> {
        let out = if let Some(Fault::Slow(longer)) = self.delivery.fault { longer.into() } else { self.delivery.out };
        sleep(Duration::from_millis(out)).await;
        let down = self.hub.observer.now() < self.hub.down_until.load(Ordering::SeqCst);
        if self.delivery.fault == Some(Fault::Unreachable) || down {
            return self.fail(RemoteErrorKind::Unreachable);
        }
        if self.delivery.fault == Some(Fault::LoseRequest) || self.is_cut(restarts) {
            return self.fail(RemoteErrorKind::Interrupted);
        }
        let later = |kind, seconds: u8| {
            Err(RemoteError::new(kind, self.call).with_retry_after(Duration::from_secs(seconds.into())))
        };
        match self.delivery.fault {
            Some(Fault::TooMany(seconds)) => later(RemoteErrorKind::RateLimited, seconds),
            Some(Fault::Unavailable(seconds)) => later(RemoteErrorKind::Unavailable, seconds),
            Some(Fault::Failure) => self.fail(RemoteErrorKind::Other),
            Some(Fault::SlowCommit(lasting)) if !self.lanes.is_empty() => self.commit_slowly(lasting).await,
            _ => (self.execute)(None),
        }
    }

    /// Begins the transaction of a push some time before executing it.
    async fn commit_slowly(&self, lasting: u32) -> RemoteResult<T> {
        let open = self.hub.server.begin();
        for lane in &self.lanes {
            // A lane that somebody else has locked is answered with `retry`.
            let _ = open.lock(*lane);
        }
        sleep(Duration::from_millis(lasting.into())).await;
        (self.execute)(Some(open))
    }

    /// Whether the server has broken all connections since.
    fn is_cut(&self, restarts: u64) -> bool {
        self.hub.restarts.load(Ordering::SeqCst) != restarts
    }

    fn fail(&self, kind: RemoteErrorKind) -> RemoteResult<T> {
        Err(RemoteError::new(kind, self.call))
    }
}

/// Polls the reference server's future, which is always ready.
fn at_once<T>(call: &'static str, answer: impl Future<Output = RemoteResult<T>>) -> RemoteResult<T> {
    answer.now_or_never().unwrap_or_else(|| Err(RemoteError::new(RemoteErrorKind::Other, call)))
}

#[async_trait]
impl MessagingApi for Link {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        let (hub, token) = (Arc::clone(&self.hub), token.clone());
        let execute = move |_| {
            let answer = at_once("bootstrap", hub.server.bootstrap(&token, request.clone()))?;
            watch::page(&hub, &token, &answer.changes, "bootstrap");
            Ok(answer)
        };
        self.call("bootstrap", Arc::new(execute)).await
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        let (hub, token) = (Arc::clone(&self.hub), token.clone());
        let asked = request.cursor.clone();
        let execute = move |_| {
            let answer = at_once("pull", hub.server.pull(&token, request.clone()))?;
            watch::page(&hub, &token, &answer.changes, "pull");
            Ok((answer, hub.server.commits()))
        };
        let (page, commits) = self.call("pull", Arc::new(execute)).await?;
        // Recorded only here: nobody receives the response of a copy or of a late call.
        self.tracks.answered(self.who, &asked, commits, &page);
        Ok(page)
    }

    async fn push(&self, token: &AccessToken, mutations: &[Mutation]) -> RemoteResult<PushAnswer> {
        watch::batch(&self.hub, mutations);
        let (hub, token, mutations) = (Arc::clone(&self.hub), token.clone(), mutations.to_vec());
        let lanes = mutations.iter().map(|mutation| mutation.intent.lane()).collect();
        let execute = move |open: Option<OpenTransaction>| {
            if hub.poisons(&mutations) {
                return Err(RemoteError::new(RemoteErrorKind::Other, "push"));
            }
            let answer = match open {
                Some(open) => open.push(&token, &mutations),
                None => at_once("push", hub.server.push(&token, &mutations)),
            };
            hub.note_reached(&mutations);
            hub.note_refused(&mutations, &answer);
            answer
        };
        let done = |answer: &PushAnswer| {
            answer.results.iter().all(|result| matches!(result.outcome, PushOutcome::Acknowledged(_)))
        };
        self.call_with("push", lanes, Arc::new(execute), done).await
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        let (hub, token) = (Arc::clone(&self.hub), token.clone());
        let execute = move |_| {
            let answer = at_once("history", hub.server.history(&token, request))?;
            watch::page(&hub, &token, &answer.changes, "history");
            Ok(answer)
        };
        self.call("history", Arc::new(execute)).await
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
        let (hub, credentials) = (Arc::clone(&self.hub), credentials.clone());
        let execute = move |_| at_once("sign_in", hub.server.sign_in(&credentials));
        self.call("sign_in", Arc::new(execute)).await
    }

    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session> {
        if self.refreshing.swap(true, Ordering::SeqCst) {
            let what = format!("{} refreshes twice at the same time", self.name);
            self.hub.observer.report(Breach::new(Invariant::Bounded, what));
        }
        // Also clears it when the caller drops this future.
        let _over = Over(&self.refreshing);
        let (hub, token) = (Arc::clone(&self.hub), token.clone());
        let execute = move |_| at_once("refresh", hub.server.refresh(&token));
        self.call("refresh", Arc::new(execute)).await
    }

    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()> {
        let (hub, token) = (Arc::clone(&self.hub), token.clone());
        let execute = move |_| at_once("sign_out", hub.server.sign_out(&token));
        self.call("sign_out", Arc::new(execute)).await
    }
}
