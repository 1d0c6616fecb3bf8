//! The role that lists conversations.
//!
//! SQL by hand: the list and a conversation of it, packed (`list`).

use crate::{
    SqliteStore,
    entity::unread_total,
    error::Res,
    hot::{Plan, hot},
    line::packed,
    resolve,
    rows::conversation::{Listed, source, summary},
    sql::{Tx, id, int, unsigned},
};
use async_trait::async_trait;
use fieldpost_domain::ConversationId;
use fieldpost_storage::{ConversationSummary, Conversations, StorageResult};
use sea_orm::{EntityTrait, Value};
use uuid::Uuid;

hot! {
    /// Newest activity first; the index is on this expression.
    LIST: "the list of conversations", Plan::Ordered("conversations_by_activity"),
        select("ORDER BY coalesce(c.last_message_at, c.created_at) DESC, c.id LIMIT 0 + ?");
    /// By the id that the caller holds, or by the canonical one.
    ONE: "one conversation", Plan::Bounded, select(&format!("WHERE c.id = {}", resolve::CANONICAL));
}

fn select(which: &str) -> String {
    format!("SELECT {} AS list", packed(&Listed::row(), &format!("{} {which}", source())))
}

#[async_trait]
impl Conversations for SqliteStore {
    async fn conversations(&self, limit: u32) -> StorageResult<Vec<ConversationSummary>> {
        let read = self.db.look("conversations")?;
        let list = summaries(read.tx(), &LIST, int(limit.into())).await;
        read.finish(list).await
    }

    async fn conversation(&self, id: ConversationId) -> StorageResult<Option<ConversationSummary>> {
        let read = self.db.look("conversation")?;
        let found = by_id(read.tx(), id.as_uuid()).await;
        read.finish(found).await
    }

    async fn total_unread(&self) -> StorageResult<u64> {
        self.total("total_unread", |total| total.messages).await
    }

    async fn total_unread_mentions(&self) -> StorageResult<u64> {
        self.total("total_unread_mentions", |total| total.mentions).await
    }
}

impl SqliteStore {
    async fn total(&self, operation: &'static str, of: fn(unread_total::Model) -> i64) -> StorageResult<u64> {
        let read = self.db.look(operation)?;
        let total = read.tx().find_one::<unread_total::Model>(&unread_total::Entity::find()).await;
        read.finish(total.map(|total| total.map_or(0, |total| unsigned(of(total))))).await
    }
}

pub(crate) async fn by_id(tx: &Tx, conversation: Uuid) -> Res<Option<ConversationSummary>> {
    Ok(summaries(tx, &ONE, id(conversation)).await?.pop())
}

async fn summaries(tx: &Tx, sql: &str, value: Value) -> Res<Vec<ConversationSummary>> {
    tx.only(sql, vec![value]).await?.lines("list")?.iter().map(summary).collect()
}
