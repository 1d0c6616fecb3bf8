//! The role that keeps what a person has begun to write.
//!
//! SQL by hand: a draft that is sent leaves in the one trip of the send (`send`).

use crate::{
    SqliteStore,
    db::Durability,
    entity::{
        conversations,
        drafts::{Column, Entity, Model},
        value::Id,
    },
    error::{Fault, Res},
    outbox::send,
    resolve,
    rows::draft::{draft, of, put},
    sql::{Bound, Tx, id},
};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, MessageId, MutationId, Time};
use fieldpost_storage::{Drafts, StorageErrorKind, StorageResult, StoredDraft, ThreadMessage};
use sea_orm::{EntityTrait, QueryOrder};

#[async_trait]
impl Drafts for SqliteStore {
    async fn draft(&self, conversation: ConversationId) -> StorageResult<Option<StoredDraft>> {
        let read = self.db.read("draft").await?;
        let draft = here(read.tx(), conversation).await;
        read.finish(draft).await
    }

    async fn drafts(&self) -> StorageResult<Vec<StoredDraft>> {
        let read = self.db.look("drafts")?;
        let drafts = all(read.tx()).await;
        read.finish(drafts).await
    }

    async fn set_draft(&self, draft: StoredDraft) -> StorageResult<()> {
        let write = self.db.write("set_draft", Durability::PowerCut).await?;
        let kept = set(write.tx(), draft).await;
        write.finish(kept).await
    }

    async fn clear_draft(&self, conversation: ConversationId) -> StorageResult<()> {
        let write = self.db.write("clear_draft", Durability::PowerCut).await?;
        let cleared = clear(write.tx(), conversation).await;
        write.finish(cleared).await
    }

    async fn send_draft(
        &self,
        mutation: MutationId,
        message: MessageId,
        conversation: ConversationId,
        at: Time,
    ) -> StorageResult<ThreadMessage> {
        let write = self.db.write("send_draft", Durability::PowerCut).await?;
        let sent = send_it(write.tx(), mutation, message, conversation, at).await;
        write.finish(sent).await
    }
}

async fn here(tx: &Tx, conversation: ConversationId) -> Res<Option<StoredDraft>> {
    of(tx, resolve::canonical(tx, conversation).await?).await
}

async fn all(tx: &Tx) -> Res<Vec<StoredDraft>> {
    let newest_first = Entity::find().order_by_desc(Column::UpdatedAt).order_by_asc(Column::ConversationId);
    tx.find::<Model>(&newest_first).await?.into_iter().map(draft).collect()
}

async fn set(tx: &Tx, draft: StoredDraft) -> Res<()> {
    let conversation = resolve::canonical(tx, draft.conversation_id).await?;
    let known = tx.finds(&conversations::Entity::find_by_id(Id(conversation))).await?;
    if !known && of(tx, conversation).await?.is_none() {
        return Err(Fault::kind(StorageErrorKind::NotFound));
    }
    tx.touched([conversation]).await;
    if draft.is_empty() {
        return tx.execute(&Entity::delete_by_id(Id(conversation))).await.map(drop);
    }
    put(tx, conversation, draft).await
}

async fn clear(tx: &Tx, conversation: ConversationId) -> Res<()> {
    let conversation = resolve::canonical(tx, conversation).await?;
    tx.touched([conversation]).await;
    tx.execute(&Entity::delete_by_id(Id(conversation))).await.map(drop)
}

async fn send_it(
    tx: &Tx,
    mutation: MutationId,
    message: MessageId,
    conversation: ConversationId,
    at: Time,
) -> Res<ThreadMessage> {
    let draft = here(tx, conversation).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    let gone = Bound::new(SENT, vec![id(draft.conversation_id.as_uuid()), id(message.as_uuid())]);
    send::send_and(tx, mutation, draft.outgoing(message, at).map_err(Fault::kind)?, Some(gone)).await
}

/// If the message was written.
const SENT: &str =
    "DELETE FROM drafts WHERE conversation_id = ? AND EXISTS (SELECT 1 FROM messages AS m WHERE m.id = ?)";
