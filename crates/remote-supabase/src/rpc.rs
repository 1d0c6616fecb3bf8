//! The calls of the contract for messages.

use crate::{
    SupabaseRemote,
    error::rpc,
    http::{Reply, Request},
    wire::{
        answer::{self, Read},
        page, report, request, result,
    },
};
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, FoundPage, HistoryPage, MessageReport, PullPage, ReportId, ReportPage,
};
use fieldpost_remote::{
    BootstrapRequest, HistoryRequest, MessagingApi, PullRequest, PushAnswer, PushRequest, RemoteResult, ReportsRequest,
    SearchRequest,
};
use url::Url;

/// The calls that change something.
const PUSH: &str = "push";
const RESOLVE_REPORT: &str = "resolve_report";

impl SupabaseRemote {
    /// Calls a function and reads the fields that every response has.
    async fn call(&self, operation: &'static str, url: &Url, token: &AccessToken, body: Vec<u8>) -> RemoteResult<Read> {
        let reads = ![PUSH, RESOLVE_REPORT].contains(&operation);
        answer::read(operation, &self.reply(Request { operation, reads, url, bearer: Some(token), body }).await?)
    }

    /// The response of a function, if it ran.
    pub(crate) async fn reply(&self, request: Request<'_>) -> RemoteResult<Reply> {
        let operation = request.operation;
        let reply = self.http.post(request).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(rpc::classify(operation, &reply)) }
    }
}

#[async_trait]
impl MessagingApi for SupabaseRemote {
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        const NAME: &str = "bootstrap";
        let body = request::bootstrap(NAME, &self.config.app, &request)?;
        page::bootstrap(NAME, self.call(NAME, &self.endpoints.bootstrap, token, body).await?)
    }

    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage> {
        const NAME: &str = "pull";
        let body = request::pull(NAME, &self.config.app, &request)?;
        page::pull(NAME, self.call(NAME, &self.endpoints.pull, token, body).await?)
    }

    async fn push(&self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer> {
        const NAME: &str = PUSH;
        let body = request::push(NAME, &self.config.app, request)?;
        let read = self.call(NAME, &self.endpoints.push, token, body).await?;
        let quiet = result::quiet(request, read.quiet);
        let results = result::match_up(NAME, &request.mutations, read.results)?;
        Ok(PushAnswer { results, quiet, limits: read.limits, took: read.transfer.took })
    }

    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage> {
        const NAME: &str = "history";
        let body = request::history(NAME, &self.config.app, request)?;
        let read = self.call(NAME, &self.endpoints.history, token, body).await?;
        page::history(NAME, request.conversation_id, read)
    }

    async fn search(&self, token: &AccessToken, request: SearchRequest) -> RemoteResult<FoundPage> {
        const NAME: &str = "search";
        let body = request::search(NAME, &self.config.app, &request)?;
        let mut page = page::found(self.call(NAME, &self.endpoints.search, token, body).await?);
        // The server cuts scripts without spaces, and emoji, into smaller words than a device, and finds more.
        page.changes.messages.retain(|message| request.fits(message));
        Ok(page)
    }

    async fn reports(&self, token: &AccessToken, request: ReportsRequest) -> RemoteResult<ReportPage> {
        const NAME: &str = "reports";
        let body = request::reports(NAME, &self.config.app, &request)?;
        Ok(report::page(self.call(NAME, &self.endpoints.reports, token, body).await?))
    }

    async fn resolve_report(&self, token: &AccessToken, report: ReportId) -> RemoteResult<MessageReport> {
        const NAME: &str = RESOLVE_REPORT;
        let body = request::resolve_report(NAME, &self.config.app, report)?;
        report::resolved(NAME, self.call(NAME, &self.endpoints.resolve_report, token, body).await?)
    }
}
