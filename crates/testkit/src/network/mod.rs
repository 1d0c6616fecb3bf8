//! A network that fails on command: the one that plain tests use, and the parts that the simulator's is made of.

mod conditions;
mod courier;
mod fault;
mod live;
mod records;
#[cfg(test)]
mod tests;
mod uplink;

pub(crate) use courier::{Arrival, Call as CallInFlight, Courier};
pub use fault::Fault;
pub use live::{LiveCall, LiveNetwork};
pub(crate) use uplink::Uplink;

use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, FoundPage, HistoryPage, MessageReport, PullPage, RefreshToken, ReportId, ReportPage,
    Session,
};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushAnswer, PushRequest,
    RemoteErrorKind, RemoteResult, ReportsRequest, SearchRequest,
};
use futures::FutureExt;
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

/// The method name of a call that reached the network.
pub type Call = &'static str;

/// Stands between a device and a server and forwards every call, unless told to fail.
///
/// A call that has left continues even if its caller is gone. Ordered faults are used up one after the other.
#[derive(Debug)]
pub struct Network<R> {
    server: Arc<R>,
    courier: Courier,
    calls: Mutex<Vec<Call>>,
}

impl<R> Network<R> {
    /// A network that works.
    #[must_use]
    pub fn new(server: R) -> Self {
        Self { server: Arc::new(server), courier: Courier::instant(), calls: Mutex::default() }
    }

    /// The server behind the network.
    #[must_use]
    pub fn server(&self) -> &R {
        &self.server
    }

    /// From now on no call reaches the server.
    pub fn go_offline(&self) {
        self.courier.set_offline(true);
    }

    /// From now on every call reaches the server.
    pub fn go_online(&self) {
        self.courier.set_offline(false);
    }

    /// `passing` calls pass, and the next one gets this fault. If that one has a fault already, the call after it does.
    pub fn order(&self, passing: u32, fault: Fault) {
        self.courier.order(passing, fault);
    }

    /// The server carries out the next call, and the response is lost.
    pub fn lose_next_answer(&self) {
        self.lose_next_answers(1);
    }

    /// The server carries out the next `count` calls, and the responses are lost.
    pub fn lose_next_answers(&self, count: u32) {
        for _ in 0..count {
            self.order(0, Fault::LoseAnswer);
        }
    }

    /// The next call fails with `kind`, without reaching the server.
    pub fn fail_next(&self, kind: RemoteErrorKind) {
        self.fail_after(0, kind);
    }

    /// `passing` calls pass, and the next one fails with `kind`, without reaching the server.
    pub fn fail_after(&self, passing: u32, kind: RemoteErrorKind) {
        self.order(passing, Fault::Error(kind));
    }

    /// From now on a batch of more than `mutations` times out.
    pub fn carries_at_most(&self, mutations: usize) {
        self.courier.carries_at_most(mutations);
    }

    /// Everything works from now on; ordered faults are cancelled.
    pub fn heal(&self) {
        self.courier.heal();
    }

    /// The calls made since this was last called, including failed ones.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Carries a call with this many mutations.
    async fn carry<T, F>(
        &self,
        name: Call,
        mutations: usize,
        execute: impl Fn(Arc<R>) -> F + Send + Sync + 'static,
    ) -> RemoteResult<T>
    where
        R: Send + Sync + 'static,
        T: Send + 'static,
        F: Future<Output = RemoteResult<T>> + Send + 'static,
    {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        let server = Arc::clone(&self.server);
        let execute = Box::new(move |_| execute(Arc::clone(&server)).boxed());
        self.courier.carry(self.courier.next(mutations), CallInFlight { name, execute, is_done: |_| true }).await
    }
}

#[async_trait]
impl<R: MessagingApi + 'static> MessagingApi for Network<R> {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let (token, request) = (token.clone(), request.clone());
            async move { server.bootstrap(&token, request).await }
        };
        self.carry("bootstrap", 0, execute).await
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let (token, request) = (token.clone(), request.clone());
            async move { server.pull(&token, request).await }
        };
        self.carry("pull", 0, execute).await
    }

    async fn push(&self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer> {
        let (token, count, request) = (token.clone(), request.mutations.len(), Arc::new(request.clone()));
        let execute = move |server: Arc<R>| {
            let (token, request) = (token.clone(), Arc::clone(&request));
            async move { server.push(&token, &request).await }
        };
        self.carry("push", count, execute).await
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let token = token.clone();
            async move { server.history(&token, request).await }
        };
        self.carry("history", 0, execute).await
    }

    async fn search(&self, token: &AccessToken, request: SearchRequest) -> RemoteResult<FoundPage> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let (token, request) = (token.clone(), request.clone());
            async move { server.search(&token, request).await }
        };
        self.carry("search", 0, execute).await
    }

    async fn reports(&self, token: &AccessToken, request: ReportsRequest) -> RemoteResult<ReportPage> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let (token, request) = (token.clone(), request.clone());
            async move { server.reports(&token, request).await }
        };
        self.carry("reports", 0, execute).await
    }

    async fn resolve_report(&self, token: &AccessToken, report: ReportId) -> RemoteResult<MessageReport> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let token = token.clone();
            async move { server.resolve_report(&token, report).await }
        };
        self.carry("resolve_report", 0, execute).await
    }
}

#[async_trait]
impl<R: Auth + 'static> Auth for Network<R> {
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session> {
        let credentials = credentials.clone();
        let execute = move |server: Arc<R>| {
            let credentials = credentials.clone();
            async move { server.sign_in(&credentials).await }
        };
        self.carry("sign_in", 0, execute).await
    }

    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let token = token.clone();
            async move { server.refresh(&token).await }
        };
        self.carry("refresh", 0, execute).await
    }

    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let token = token.clone();
            async move { server.sign_out(&token).await }
        };
        self.carry("sign_out", 0, execute).await
    }
}
