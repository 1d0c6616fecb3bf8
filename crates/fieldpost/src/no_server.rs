//! The remote of a client without a server.

use fieldpost_domain::{
    AccessToken, BootstrapPage, FoundPage, HistoryPage, MessageReport, PullPage, RefreshToken, ReportId, ReportPage,
    Session,
};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushAnswer, PushRequest,
    RemoteError, RemoteErrorKind, RemoteResult, ReportsRequest, SearchRequest,
};

/// A server that is never reachable.
#[derive(Debug)]
pub(crate) struct NoServer;

fn unreachable<T>(operation: &'static str) -> RemoteResult<T> {
    Err(RemoteError::new(RemoteErrorKind::Unreachable, operation)
        .with_detail("this client was opened without a server"))
}

#[async_trait::async_trait]
impl MessagingApi for NoServer {
    async fn bootstrap(&self, _: &AccessToken, _: BootstrapRequest) -> RemoteResult<BootstrapPage> {
        unreachable("bootstrap")
    }

    async fn pull(&self, _: &AccessToken, _: PullRequest) -> RemoteResult<PullPage> {
        unreachable("pull")
    }

    async fn push(&self, _: &AccessToken, _: &PushRequest) -> RemoteResult<PushAnswer> {
        unreachable("push")
    }

    async fn history(&self, _: &AccessToken, _: HistoryRequest) -> RemoteResult<HistoryPage> {
        unreachable("history")
    }

    async fn search(&self, _: &AccessToken, _: SearchRequest) -> RemoteResult<FoundPage> {
        unreachable("search")
    }

    async fn reports(&self, _: &AccessToken, _: ReportsRequest) -> RemoteResult<ReportPage> {
        unreachable("reports")
    }

    async fn resolve_report(&self, _: &AccessToken, _: ReportId) -> RemoteResult<MessageReport> {
        unreachable("resolve_report")
    }
}

#[async_trait::async_trait]
impl Auth for NoServer {
    async fn sign_in(&self, _: &Credentials) -> RemoteResult<Session> {
        unreachable("sign_in")
    }

    async fn refresh(&self, _: &RefreshToken) -> RemoteResult<Session> {
        unreachable("refresh")
    }

    async fn sign_out(&self, _: &AccessToken) -> RemoteResult<()> {
        unreachable("sign_out")
    }
}

#[cfg(feature = "records")]
mod records {
    use super::{NoServer, unreachable};
    use fieldpost_domain::{AccessToken, records::RecordPage};
    use fieldpost_remote::{
        AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer, RecordsApi, RemoteResult,
    };

    #[async_trait::async_trait]
    impl RecordsApi for NoServer {
        async fn push_records(&self, _: &AccessToken, _: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
            unreachable("push_records")
        }

        async fn pull_records(&self, _: &AccessToken, _: RecordPullRequest) -> RemoteResult<RecordPage> {
            unreachable("pull_records")
        }

        async fn push_audit(&self, _: &AccessToken, _: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
            unreachable("push_audit")
        }
    }
}
