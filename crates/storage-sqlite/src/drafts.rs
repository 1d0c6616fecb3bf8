//! The role that keeps what a person has begun to write.

use crate::{
    SqliteStore,
    db::Durability,
    entity::{
        conversations,
        drafts::{Column, Entity, Model},
        value::{Id, Micros},
    },
    error::{Fault, Res},
    outbox::send,
    resolve,
    rows::json,
    sql::{Bound, Tx, id},
};
use async_trait::async_trait;
use fieldpost_domain::{ConversationId, MessageId, Metadata, MutationId, Time};
use fieldpost_storage::{Drafts, StorageErrorKind, StorageResult, StoredDraft, ThreadMessage};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryOrder, Value, sea_query::OnConflict};
use uuid::Uuid;

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

async fn of(tx: &Tx, conversation: Uuid) -> Res<Option<StoredDraft>> {
    tx.find_one::<Model>(&Entity::find_by_id(Id(conversation))).await?.map(draft).transpose()
}

async fn all(tx: &Tx) -> Res<Vec<StoredDraft>> {
    let newest_first = Entity::find().order_by_desc(Column::UpdatedAt).order_by_asc(Column::ConversationId);
    tx.find::<Model>(&newest_first).await?.into_iter().map(draft).collect()
}

fn draft(row: Model) -> Res<StoredDraft> {
    Ok(StoredDraft {
        conversation_id: ConversationId::from_uuid(row.conversation_id.0),
        text: row.content,
        reply_to: row.reply_to.map(|id| MessageId::from_uuid(id.0)),
        mentions: json::read_mentions(row.mentions)?,
        metadata: row.metadata.map(|text| json::read_extra(Some(text)).map(Metadata::from_stored)).transpose()?,
        updated_at: row.updated_at.0,
    })
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

async fn put(tx: &Tx, conversation: Uuid, draft: StoredDraft) -> Res<()> {
    let text = |value| if let Value::String(text) = value { text } else { None };
    let row = Model {
        conversation_id: Id(conversation),
        content: draft.text,
        reply_to: draft.reply_to.map(|id| Id(id.as_uuid())),
        mentions: text(json::mentions(&draft.mentions)),
        metadata: text(json::metadata(draft.metadata.as_ref())),
        updated_at: Micros(draft.updated_at),
    };
    let row = row.into_active_model().reset_all();
    let mut known = OnConflict::column(Column::ConversationId);
    known.update_columns([Column::Content, Column::ReplyTo, Column::Mentions, Column::Metadata, Column::UpdatedAt]);
    tx.execute(&Entity::insert(row).on_conflict(known)).await.map(drop)
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
    send::send_and(tx, mutation, draft.outgoing(message, at).map_err(Fault::kind)?, gone).await
}

/// If the message was written.
const SENT: &str =
    "DELETE FROM drafts WHERE conversation_id = ? AND EXISTS (SELECT 1 FROM messages AS m WHERE m.id = ?)";

/// A conversation has another id now. If both had a draft, they become one.
pub(crate) async fn join(tx: &Tx, from: Uuid, to: Uuid) -> Res<()> {
    let Some(moving) = of(tx, from).await? else { return Ok(()) };
    let joined = match of(tx, to).await? {
        Some(there) => there.joined_with(moving),
        None => moving,
    };
    tx.execute(&Entity::delete_by_id(Id(from))).await?;
    put(tx, to, joined).await
}
