//! The role that lists conversations.

use crate::{
    SqliteStore,
    error::Res,
    resolve,
    row::packed_rows,
    rows::conversation,
    sql::{Tx, id, int, unsigned},
};
use async_trait::async_trait;
use fieldpost_domain::ConversationId;
use fieldpost_storage::{ConversationSummary, Conversations, StorageResult};
use sea_orm::Value;
use uuid::Uuid;

/// Newest activity first; the index is on this expression.
pub(crate) fn list_sql() -> String {
    let newest_first = "ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id LIMIT 0 + ?";
    format!("SELECT {}", packed_rows(conversation::LINE, &format!("{} {newest_first}", conversation::source())))
}

/// By the id that the caller holds, or by the canonical one.
pub(crate) fn one_sql() -> String {
    let given = format!("{} WHERE c.id = {}", conversation::source(), resolve::CANONICAL);
    format!("SELECT {}", packed_rows(conversation::LINE, &given))
}

#[async_trait]
impl Conversations for SqliteStore {
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>> {
        let read = self.db.look("conversations")?;
        let list = summaries(read.tx(), &list_sql(), int(limit.into())).await;
        read.finish(list).await
    }

    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>> {
        let read = self.db.look("conversation")?;
        let found = by_id(read.tx(), id.as_uuid()).await;
        read.finish(found).await
    }

    async fn total_unread(&self) -> StorageResult<u64> {
        let read = self.db.look("total_unread")?;
        let total = read.tx().value(TOTAL_UNREAD, vec![]).await;
        read.finish(total.map(unsigned)).await
    }
}

pub(crate) const TOTAL_UNREAD: &str = "SELECT coalesce(sum(unread_count), 0) FROM conversations WHERE unread_count > 0";

pub(crate) async fn by_id(tx: &Tx, conversation: Uuid) -> Res<Option<ConversationSummary>> {
    Ok(summaries(tx, &one_sql(), id(conversation)).await?.pop())
}

async fn summaries(tx: &Tx, sql: &str, value: Value) -> Res<Vec<ConversationSummary>> {
    let Some(row) = tx.one(sql, vec![value]).await? else { return Ok(Vec::new()) };
    row.rows(0)?.iter().map(conversation::summary).collect()
}
