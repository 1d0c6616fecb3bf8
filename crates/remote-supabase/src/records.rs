//! The three calls for records.

use crate::{
    SupabaseRemote,
    http::{Reply, Request},
    wire::records::{answer, audit, page, request, result},
};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, records::RecordPage};
use fieldpost_remote::{
    AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer, RecordsApi, RemoteResult,
};
use url::Url;

impl SupabaseRemote {
    async fn record_call(
        &self,
        (operation, reads): (&'static str, bool),
        url: &Url,
        token: &AccessToken,
        body: Vec<u8>,
    ) -> RemoteResult<Reply> {
        self.reply(Request { operation, reads, url, bearer: Some(token), body }).await
    }
}

#[async_trait]
impl RecordsApi for SupabaseRemote {
    async fn push_records(&self, token: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        const NAME: &str = "push_records";
        let body = request::push(NAME, &self.config.app, changes)?;
        let reply = self.record_call((NAME, false), &self.endpoints.records_push, token, body).await?;
        result::push(NAME, changes, answer::read(NAME, &reply)?)
    }

    async fn pull_records(&self, token: &AccessToken, request: RecordPullRequest) -> RemoteResult<RecordPage> {
        const NAME: &str = "pull_records";
        let body = request::pull(NAME, &self.config.app, &request)?;
        let reply = self.record_call((NAME, true), &self.endpoints.records_pull, token, body).await?;
        page::pull(NAME, answer::read(NAME, &reply)?)
    }

    async fn push_audit(&self, token: &AccessToken, entries: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
        const NAME: &str = "push_audit";
        let body = request::audit(NAME, &self.config.app, entries)?;
        let reply = self.record_call((NAME, false), &self.endpoints.audit_push, token, body).await?;
        Ok(audit::push(entries, answer::read(NAME, &reply)?))
    }
}
