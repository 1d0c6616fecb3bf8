//! The role that lists conversations.

use crate::{
    SqliteStore,
    error::Res,
    resolve,
    rows::conversation,
    sql::{Tx, id, int},
};
use async_trait::async_trait;
use fieldpost_domain::ConversationId;
use fieldpost_storage::{ConversationSummary, Conversations, StorageResult};
use uuid::Uuid;

/// Newest activity first; the index is on this expression.
pub(crate) const BY_ACTIVITY: &str = "ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id LIMIT ?";

#[async_trait]
impl Conversations for SqliteStore {
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>> {
        let read = self.db.read("conversations").await?;
        let sql = format!("{} {BY_ACTIVITY}", conversation::select());
        let rows = read.tx().all(&sql, vec![int(limit.into())]).await;
        let list = rows.and_then(|rows| rows.iter().map(conversation::summary).collect());
        read.finish(list).await
    }

    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>> {
        let read = self.db.read("conversation").await?;
        let found = find(read.tx(), id).await;
        read.finish(found).await
    }

    async fn total_unread(&self) -> StorageResult<u64> {
        let read = self.db.read("total_unread").await?;
        let row = read.tx().one(TOTAL_UNREAD, vec![]).await;
        let total = row.and_then(|row| row.map_or(Ok(0), |row| row.count(0)));
        read.finish(total).await
    }
}

pub(crate) const TOTAL_UNREAD: &str = "SELECT coalesce(sum(unread_count), 0) FROM conversations WHERE unread_count > 0";

async fn find(tx: &Tx, conversation: ConversationId) -> Res<Option<ConversationSummary>> {
    let canonical = resolve::canonical(tx, conversation).await?;
    by_id(tx, canonical).await
}

pub(crate) async fn by_id(tx: &Tx, canonical: Uuid) -> Res<Option<ConversationSummary>> {
    let sql = format!("{} WHERE c.id = ?", conversation::select());
    let row = tx.one(&sql, vec![id(canonical)]).await?;
    row.map(|row| conversation::summary(&row)).transpose()
}
