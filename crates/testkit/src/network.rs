//! A network that fails on command.

use async_trait::async_trait;
use fieldpost_domain::{AccessToken, BootstrapPage, HistoryPage, Mutation, PullPage, RefreshToken, Session};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushAnswer, RemoteError,
    RemoteErrorKind, RemoteResult,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The method name of a call that reached the network.
pub type Call = &'static str;

/// Stands between a device and a server and forwards every call, unless told to fail.
#[derive(Debug)]
pub struct Network<R> {
    server: R,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    offline: bool,
    lose_answers: u32,
    fail_next: Option<Failing>,
    most_mutations: Option<usize>,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Failing {
    /// How many calls still pass before the failure.
    after: u32,
    kind: RemoteErrorKind,
}

impl<R> Network<R> {
    /// A network that works.
    #[must_use]
    pub fn new(server: R) -> Self {
        Self { server, state: Mutex::default() }
    }

    /// The server behind the network.
    pub const fn server(&self) -> &R {
        &self.server
    }

    /// From now on no call reaches the server.
    pub fn go_offline(&self) {
        self.state().offline = true;
    }

    /// From now on every call reaches the server.
    pub fn go_online(&self) {
        self.state().offline = false;
    }

    /// The server carries out the next call, and the response is lost.
    pub fn lose_next_answer(&self) {
        self.lose_next_answers(1);
    }

    /// The server carries out the next `count` calls, and the responses are lost.
    pub fn lose_next_answers(&self, count: u32) {
        self.state().lose_answers = count;
    }

    /// The next call fails with `kind`, without reaching the server.
    pub fn fail_next(&self, kind: RemoteErrorKind) {
        self.fail_after(0, kind);
    }

    /// `passing` calls pass, and the next one fails with `kind`, without reaching the server.
    pub fn fail_after(&self, passing: u32, kind: RemoteErrorKind) {
        self.state().fail_next = Some(Failing { after: passing, kind });
    }

    /// From now on a batch of more than `mutations` times out.
    pub fn carries_at_most(&self, mutations: usize) {
        self.state().most_mutations = Some(mutations);
    }

    /// Everything works from now on; ordered failures are cancelled.
    pub fn heal(&self) {
        let mut state = self.state();
        state.offline = false;
        state.lose_answers = 0;
        state.fail_next = None;
        state.most_mutations = None;
    }

    /// The calls made since this was last called, including failed ones.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to the server. It always yields once, so that other tasks get their turn as in real life.
    async fn before(&self, call: Call) -> RemoteResult<()> {
        tokio::task::yield_now().await;
        self.admit(call)
    }

    fn admit(&self, call: Call) -> RemoteResult<()> {
        let mut state = self.state();
        state.calls.push(call);
        if state.offline {
            return Err(RemoteError::new(RemoteErrorKind::Unreachable, call));
        }
        match &mut state.fail_next {
            None => Ok(()),
            Some(failing) if failing.after > 0 => {
                failing.after -= 1;
                Ok(())
            }
            Some(failing) => {
                let error = RemoteError::new(failing.kind, call);
                state.fail_next = None;
                Err(error)
            }
        }
    }

    /// The way back.
    async fn after<T>(&self, call: Call, answer: RemoteResult<T>) -> RemoteResult<T> {
        tokio::task::yield_now().await;
        let mut state = self.state();
        if state.lose_answers == 0 {
            return answer;
        }
        state.lose_answers -= 1;
        Err(RemoteError::new(RemoteErrorKind::Interrupted, call))
    }
}

#[async_trait]
impl<R: MessagingApi> MessagingApi for Network<R> {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        self.before("bootstrap").await?;
        let answer = self.server.bootstrap(token, request).await;
        self.after("bootstrap", answer).await
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        self.before("pull").await?;
        let answer = self.server.pull(token, request).await;
        self.after("pull", answer).await
    }

    async fn push(&self, token: &AccessToken, mutations: &[Mutation]) -> RemoteResult<PushAnswer> {
        self.before("push").await?;
        if self.state().most_mutations.is_some_and(|most| mutations.len() > most) {
            return Err(RemoteError::new(RemoteErrorKind::TimedOut, "push"));
        }
        let answer = self.server.push(token, mutations).await;
        self.after("push", answer).await
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        self.before("history").await?;
        let answer = self.server.history(token, request).await;
        self.after("history", answer).await
    }
}

#[async_trait]
impl<R: Auth> Auth for Network<R> {
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session> {
        self.before("sign_in").await?;
        let answer = self.server.sign_in(credentials).await;
        self.after("sign_in", answer).await
    }

    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session> {
        self.before("refresh").await?;
        let answer = self.server.refresh(token).await;
        self.after("refresh", answer).await
    }

    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()> {
        self.before("sign_out").await?;
        let answer = self.server.sign_out(token).await;
        self.after("sign_out", answer).await
    }
}
