//! The contract, implemented by this server.

use super::{
    ReferenceServer, RefreshRefused, Submission, SubmissionResult,
    bootstrap::bootstrap,
    history::history,
    pull::pull,
    push,
    reports::{reports, resolve},
    search::search,
};
use crate::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushAnswer, PushRequest,
    RemoteError, RemoteErrorKind, RemoteResult, ReportsRequest, SearchRequest, client_capabilities,
};
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, Capabilities, Cursor, FoundPage, HistoryPage, MessageReport, Mutation, PullPage,
    PushResult, RefreshToken, ReportId, ReportPage, ServerLimits, Session,
};
use std::time::Duration;

#[async_trait]
impl MessagingApi for ReferenceServer {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        let state = self.lock();
        let caller = state.caller(token, "bootstrap")?;
        bootstrap(&state, caller, &request, &state.speaks(&client_capabilities()))
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        let state = self.lock();
        let caller = state.caller(token, "pull")?;
        pull(&state, caller, &request, &state.speaks(&client_capabilities()))
    }

    async fn push(&self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer> {
        let PushRequest { mutations, cursor } = request;
        let bytes = mutations.iter().map(|mutation| mutation.intent.wire_size()).sum();
        let batch = mutations.iter().map(Submission::from).collect();
        let (results, quiet) = self.submit_since(token, batch, bytes, cursor.as_ref().map(Cursor::as_str))?;
        Ok(PushAnswer { quiet, ..PushAnswer::of(mutations, results, self.limits()) })
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        let state = self.lock();
        let caller = state.caller(token, "history")?;
        history(&state, caller, request, &state.speaks(&client_capabilities()))
    }

    async fn search(&self, token: &AccessToken, request: SearchRequest) -> RemoteResult<FoundPage> {
        let state = self.lock();
        let caller = state.caller(token, "search")?;
        search(&state, caller, &request, &state.speaks(&client_capabilities()))
    }

    async fn reports(&self, token: &AccessToken, request: ReportsRequest) -> RemoteResult<ReportPage> {
        let state = self.lock();
        reports(&state, state.caller(token, "reports")?, &request)
    }

    async fn resolve_report(&self, token: &AccessToken, report: ReportId) -> RemoteResult<MessageReport> {
        let mut state = self.lock();
        let caller = state.caller(token, "resolve_report")?;
        resolve(&mut state, caller, report)
    }
}

impl PushAnswer {
    pub(super) fn of(mutations: &[Mutation], results: Vec<SubmissionResult>, limits: ServerLimits) -> Self {
        let answered = mutations.iter().zip(results);
        let result = |(mutation, result): (&Mutation, SubmissionResult)| PushResult {
            mutation_id: mutation.id,
            outcome: result.outcome,
        };
        Self { results: answered.map(result).collect(), quiet: None, limits, took: Duration::ZERO }
    }
}

/// The same for a client with fewer capabilities.
impl ReferenceServer {
    /// [`MessagingApi::bootstrap`] for a client with these capabilities.
    ///
    /// # Errors
    /// As [`MessagingApi::bootstrap`].
    pub fn bootstrap_for(
        &self,
        token: &AccessToken,
        request: &BootstrapRequest,
        client: &Capabilities,
    ) -> RemoteResult<BootstrapPage> {
        let state = self.lock();
        bootstrap(&state, state.caller(token, "bootstrap")?, request, &state.speaks(client))
    }

    /// [`MessagingApi::pull`] for a client with these capabilities.
    ///
    /// # Errors
    /// As [`MessagingApi::pull`].
    pub fn pull_for(
        &self,
        token: &AccessToken,
        request: &PullRequest,
        client: &Capabilities,
    ) -> RemoteResult<PullPage> {
        let state = self.lock();
        pull(&state, state.caller(token, "pull")?, request, &state.speaks(client))
    }
}

impl ReferenceServer {
    /// A push in its wire form, with elements that [`Mutation`] cannot express. `bytes` is the size of the batch as
    /// JSON.
    ///
    /// # Errors
    /// As [`MessagingApi::push`].
    pub fn submit(
        &self,
        token: &AccessToken,
        batch: Vec<Submission>,
        bytes: usize,
    ) -> RemoteResult<Vec<SubmissionResult>> {
        self.submit_since(token, batch, bytes, None).map(|(results, _)| results)
    }

    /// The same with the position of the caller's device. The second part of the answer is where that is now, if the
    /// answer is quiet ([`PushAnswer::quiet`]).
    ///
    /// # Errors
    /// As [`MessagingApi::push`].
    pub fn submit_since(
        &self,
        token: &AccessToken,
        batch: Vec<Submission>,
        bytes: usize,
        cursor: Option<&str>,
    ) -> RemoteResult<(Vec<SubmissionResult>, Option<Cursor>)> {
        let mut state = self.lock();
        let caller = state.caller(token, "push")?;
        let limits = state.options.limits;
        if batch.len() > limits.push_rows as usize || bytes > limits.push_bytes as usize {
            return Err(RemoteError::new(RemoteErrorKind::TooLarge, "push"));
        }
        let asked = cursor.map(|cursor| (cursor, batch.clone()));
        let results = push::push(&mut state, caller, batch);
        let quiet = asked.and_then(|(cursor, batch)| push::quiet(&state, caller, cursor, &batch, &results));
        Ok((results, quiet))
    }

    /// [`Auth::refresh`], with the reason why a token is refused.
    ///
    /// # Errors
    /// [`RefreshRefused`] when the token is not accepted.
    pub fn refresh_session(&self, token: &RefreshToken) -> Result<Session, RefreshRefused> {
        let mut state = self.lock();
        let (now, lifetime) = (state.now(), state.options.token_lifetime);
        let state = &mut *state;
        state.sessions.refresh(token, &mut state.random, now, lifetime)
    }
}

#[async_trait]
impl Auth for ReferenceServer {
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session> {
        let mut state = self.lock();
        let (now, lifetime) = (state.now(), state.options.token_lifetime);
        let state = &mut *state;
        state.sessions.sign_in(credentials, &mut state.random, now, lifetime)
    }

    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session> {
        Ok(self.refresh_session(token)?)
    }

    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()> {
        let mut state = self.lock();
        let now = state.now();
        if state.sessions.person_of(token, now).is_none() {
            return Err(RemoteError::new(RemoteErrorKind::Unauthorized, "sign_out"));
        }
        state.sessions.sign_out(token);
        Ok(())
    }
}
