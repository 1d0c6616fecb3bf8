//! Drafts as rows: read, written, and joined when two conversations become one.

use crate::{
    entity::{
        drafts::{Column, Entity, Model},
        value::{Id, Micros},
    },
    error::Res,
    rows::json,
    sql::Tx,
};
use fieldpost_domain::{ConversationId, MessageId, Metadata};
use fieldpost_storage::StoredDraft;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Value, sea_query::OnConflict};
use uuid::Uuid;

/// The draft of a conversation.
pub(crate) async fn of(tx: &Tx, conversation: Uuid) -> Res<Option<StoredDraft>> {
    tx.find_one::<Model>(&Entity::find_by_id(Id(conversation))).await?.map(draft).transpose()
}

pub(crate) fn draft(row: Model) -> Res<StoredDraft> {
    Ok(StoredDraft {
        conversation_id: ConversationId::from_uuid(row.conversation_id.0),
        text: row.content,
        reply_to: row.reply_to.map(|id| MessageId::from_uuid(id.0)),
        mentions: json::read_mentions(row.mentions)?,
        metadata: row.metadata.map(|text| json::read_extra(Some(text)).map(Metadata::from_stored)).transpose()?,
        updated_at: row.updated_at.0,
    })
}

pub(crate) async fn put(tx: &Tx, conversation: Uuid, draft: StoredDraft) -> Res<()> {
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
