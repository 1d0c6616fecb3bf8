//! The calls for records.

use super::Network;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, records::RecordPage};
use fieldpost_remote::{
    AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer, RecordsApi, RemoteResult,
};
use std::sync::Arc;

#[async_trait]
impl<R: RecordsApi + 'static> RecordsApi for Network<R> {
    async fn push_records(&self, token: &AccessToken, changes: &[OutgoingRecord]) -> RemoteResult<RecordPushAnswer> {
        let (token, count, changes) = (token.clone(), changes.len(), Arc::<[OutgoingRecord]>::from(changes));
        let execute = move |server: Arc<R>| {
            let (token, changes) = (token.clone(), Arc::clone(&changes));
            async move { server.push_records(&token, &changes).await }
        };
        self.carry("push_records", count, execute).await
    }

    async fn pull_records(&self, token: &AccessToken, request: RecordPullRequest) -> RemoteResult<RecordPage> {
        let token = token.clone();
        let execute = move |server: Arc<R>| {
            let (token, request) = (token.clone(), request.clone());
            async move { server.pull_records(&token, request).await }
        };
        self.carry("pull_records", 0, execute).await
    }

    async fn push_audit(&self, token: &AccessToken, entries: &[OutgoingAudit]) -> RemoteResult<AuditAnswer> {
        let (token, entries) = (token.clone(), Arc::<[OutgoingAudit]>::from(entries));
        let execute = move |server: Arc<R>| {
            let (token, entries) = (token.clone(), Arc::clone(&entries));
            async move { server.push_audit(&token, &entries).await }
        };
        self.carry("push_audit", 0, execute).await
    }
}
