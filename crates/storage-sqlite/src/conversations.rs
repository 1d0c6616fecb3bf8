//! The role that lists conversations.
//!
//! SQL by hand: the list and a conversation of it, packed (`list`).

use crate::{
    SqliteStore,
    entity::unread_total,
    error::Res,
    filtered::{self, ARCHIVED, MUTED},
    hot::{Plan, hot},
    line::packed,
    resolve,
    rows::conversation::{Listed, PLACE, source, summary},
    sql::{Tx, id, int, time, unsigned},
    values::moment,
};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, Time};
use fieldpost_storage::{ConversationFilter, ConversationSummary, Conversations, StorageResult};
use sea_orm::{EntityTrait, Value};
use uuid::Uuid;

hot! {
    /// Pinned ones first, then the newest activity; the index is on these expressions.
    LIST: "the list of conversations", Plan::Ordered("conversations_by_place"),
        select(&format!("{PLACE} LIMIT 0 + ?"));
    /// By the id that the caller holds, or by the canonical one.
    ONE: "one conversation", Plan::Bounded, select(&format!("WHERE c.id = {}", resolve::CANONICAL));
    /// The unread messages that do not call for attention. Few conversations with any are muted or archived.
    HUSHED: "unread messages that do not count for a badge", Plan::Bounded, format!(
        "SELECT coalesce(sum(c.unread_count), 0) FROM conversations AS c INDEXED BY conversations_hushed
        WHERE c.unread_count > 0 AND (c.muted_until IS NOT NULL OR c.archived_at IS NOT NULL) AND ({MUTED} OR {ARCHIVED})");
    UNMUTE: "when the next mute ends", Plan::Bounded,
        "SELECT min(c.muted_until) FROM conversations AS c WHERE c.muted_until > ?";
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

    async fn conversations_matching(&self, filter: &ConversationFilter) -> StorageResult<Vec<ConversationSummary>> {
        // A text may take several statements, which must see the same.
        let read = match filter.text {
            Some(_) => self.db.read("conversations_matching").await?,
            None => self.db.look("conversations_matching")?,
        };
        let list = filtered::list(read.tx(), filter).await;
        read.finish(list).await
    }

    async fn unread_for_badge(&self, now: Time) -> StorageResult<u64> {
        let read = self.db.read("unread_for_badge").await?;
        let calling = calling(read.tx(), now).await;
        read.finish(calling).await
    }

    async fn next_unmute(&self, now: Time) -> StorageResult<Option<Time>> {
        let read = self.db.look("next_unmute")?;
        let next = read.tx().value::<Option<i64>>(&UNMUTE, vec![time(now)]).await;
        read.finish(next.and_then(|next| next.map(moment).transpose())).await
    }
}

impl SqliteStore {
    async fn total(&self, operation: &'static str, of: fn(unread_total::Model) -> i64) -> StorageResult<u64> {
        let read = self.db.look(operation)?;
        let total = read.tx().find_one::<unread_total::Model>(&unread_total::Entity::find()).await;
        read.finish(total.map(|total| total.map_or(0, |total| unsigned(of(total))))).await
    }
}

async fn calling(tx: &Tx, now: Time) -> Res<u64> {
    let total = tx.find_one::<unread_total::Model>(&unread_total::Entity::find()).await?;
    let total = total.map_or(0, |total| unsigned(total.messages));
    let hushed: i64 = tx.value(&HUSHED, vec![time(now)]).await?;
    Ok(total.saturating_sub(unsigned(hushed)))
}

pub(crate) async fn by_id(tx: &Tx, conversation: Uuid) -> Res<Option<ConversationSummary>> {
    Ok(summaries(tx, &ONE, id(conversation)).await?.pop())
}

async fn summaries(tx: &Tx, sql: &str, value: Value) -> Res<Vec<ConversationSummary>> {
    tx.only(sql, vec![value]).await?.lines("list")?.iter().map(summary).collect()
}
