//! The role that keeps the audit log until it is uploaded.

use super::audit;
use crate::{SqliteStore, db::Durability};
use async_trait::async_trait;
use fieldpost_domain::{
    AuditId,
    records::{AuditEntry, NewAuditEntry},
};
use fieldpost_storage::{
    StorageResult,
    records::{AuditCounts, AuditLog},
};

/// A lost entry costs nobody their work, so none waits for the disk.
#[async_trait]
impl AuditLog for SqliteStore {
    async fn audit(&self, entries: Vec<NewAuditEntry>) -> StorageResult<()> {
        let write = self.db.write("audit", Durability::Process).await?;
        let added = audit::add(write.tx(), entries).await;
        write.finish(added).await
    }

    async fn next_audit(&self, limit: u32) -> StorageResult<Vec<AuditEntry>> {
        let read = self.db.read("next_audit").await?;
        let next = audit::next(read.tx(), limit).await;
        read.finish(next).await
    }

    async fn audited(&self, entries: &[AuditId]) -> StorageResult<()> {
        let write = self.db.write("audited", Durability::Process).await?;
        let uploaded = audit::uploaded(write.tx(), entries).await;
        write.finish(uploaded).await
    }

    async fn audit_counts(&self) -> StorageResult<AuditCounts> {
        let read = self.db.look("audit_counts")?;
        let counts = audit::counts(read.tx()).await;
        read.finish(counts).await
    }
}
