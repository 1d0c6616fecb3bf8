//! Dead letters that this device makes itself, and conversations that leave it.
//!
//! SQL by hand: what leaves of messages depends on the outbox, and the other way round.

use crate::{
    entity::{
        conversations,
        outbox::{Column, Entity},
        read_markers, unreadable_rows,
        value::Id,
    },
    error::Res,
    mutations::overlay,
    sql::{Tx, id},
};
use fieldpost_domain::{ConversationId, RefusalCode};
use fieldpost_storage::ChangeSet;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

/// What became of the mutations of a lane.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parked {
    pub(crate) failed: u64,
    pub(crate) left: u64,
}

/// What waits in a lane becomes dead letters. Read marks leave, and so do messages that have come back from the server: there
/// is nothing in them that a person could lose.
pub(crate) async fn park_lane(tx: &Tx, lane: Uuid, code: &RefusalCode) -> Res<Parked> {
    let left = tx.run(LEAVE, vec![id(lane)]).await?;
    let parked = Entity::update_many()
        .col_expr(Column::FailedCode, Expr::value(code.as_str()))
        .col_expr(Column::FailedDetail, Expr::value(None::<String>))
        .filter(Column::ConversationId.eq(Id(lane)))
        .filter(Column::FailedCode.is_null());
    let failed = tx.execute(&parked).await?;
    overlay::rebuild(tx, overlay::targets_of_lane(tx, lane).await?).await?;
    Ok(Parked { failed, left })
}

const LEAVE: &str = "
DELETE FROM outbox WHERE conversation_id = ? AND (NOT keeps
    OR EXISTS (SELECT 1 FROM messages AS m WHERE m.id = outbox.message_id AND m.seq IS NOT NULL))";

/// Removes a conversation with its messages and markers. Of what the person wrote, that which the server never had stays
/// until they have dealt with it. Returns whether the conversation was here.
pub(crate) async fn purge(tx: &Tx, conversation: Uuid, code: &RefusalCode) -> Res<bool> {
    let touched = ChangeSet::of([ConversationId::from_uuid(conversation)]);
    tx.changed(touched.and_unread().and_outbox()).await;
    park_lane(tx, conversation, code).await?;
    tx.run(DROP_MESSAGES, vec![id(conversation)]).await?;
    let gone = Id(conversation);
    let markers = read_markers::Entity::delete_many().filter(read_markers::Column::ConversationId.eq(gone));
    tx.execute(&markers).await?;
    let unread = unreadable_rows::Entity::delete_many().filter(unreadable_rows::Column::ConversationId.eq(gone));
    tx.execute(&unread).await?;
    Ok(tx.execute(&conversations::Entity::delete_by_id(gone)).await? > 0)
}

const DROP_MESSAGES: &str = "
DELETE FROM messages WHERE conversation_id = ? AND NOT (server_id IS NULL
    AND EXISTS (SELECT 1 FROM outbox AS o WHERE o.message_id = messages.id))";
