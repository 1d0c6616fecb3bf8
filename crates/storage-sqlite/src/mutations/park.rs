//! Dead letters that this device makes itself, and conversations that leave it.

use crate::{
    entity::{
        conversation_settings, conversations,
        messages::{self, Column as M},
        outbox::{Column, Entity},
        reactions, read_markers, unreadable_rows,
        value::Id,
    },
    error::Res,
    mutations::{overlay, settings},
    sql::Tx,
};
use fieldpost_domain::{ConversationId, RefusalCode};
use fieldpost_storage::ChangeSet;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use std::collections::BTreeSet;
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
    let arrived = messages::Entity::find().select_only().column(M::Id).filter(M::Seq.is_not_null());
    let arrived = arrived.filter(Expr::col((messages::Entity, M::Id)).equals((Entity, Column::MessageId)));
    let leaving = Column::Keeps.eq(false).or(Expr::exists(arrived.into_query()));
    let left = Entity::delete_many().filter(Column::ConversationId.eq(Id(lane))).filter(leaving);
    let left = tx.execute(&left).await?;
    let parked = Entity::update_many()
        .col_expr(Column::FailedCode, Expr::value(code.as_str()))
        .col_expr(Column::FailedDetail, Expr::value(None::<String>))
        .filter(Column::ConversationId.eq(Id(lane)))
        .filter(Column::FailedCode.is_null());
    let failed = tx.execute(&parked).await?;
    overlay::rebuild(tx, overlay::targets_of_lane(tx, lane).await?).await?;
    settings::rebuild(tx, &BTreeSet::from([lane])).await?;
    Ok(Parked { failed, left })
}

/// The person has lost access to a conversation. The server may have accepted a message after it made the page that did not have
/// it, and this device can no longer find out.
pub(crate) async fn doubt_losses(tx: &Tx, lane: Uuid) -> Res<()> {
    let doubted = Entity::update_many()
        .col_expr(Column::FailedCode, Expr::value(RefusalCode::AccessLost.as_str()))
        .filter(Column::ConversationId.eq(Id(lane)))
        .filter(Column::FailedCode.eq(RefusalCode::LostByServer.as_str()));
    tx.execute(&doubted).await.map(drop)
}

/// Removes a conversation with its messages and markers. Of what the person wrote, that which the server never had stays
/// until they have dealt with it. Returns whether the conversation was here.
pub(crate) async fn purge(tx: &Tx, conversation: Uuid, code: &RefusalCode) -> Res<bool> {
    let touched = ChangeSet::of([ConversationId::from_uuid(conversation)]);
    tx.changed(touched.and_unread().and_outbox()).await;
    park_lane(tx, conversation, code).await?;
    let gone = Id(conversation);
    let sends = Entity::find().select_only().column(Column::Id);
    let sends = sends.filter(Expr::col((Entity, Column::MessageId)).equals((messages::Entity, M::Id)));
    let unsent = M::ServerId.is_null().and(Expr::exists(sends.into_query()));
    let leaving = messages::Entity::delete_many().filter(M::ConversationId.eq(gone)).filter(unsent.not());
    tx.execute(&leaving).await?;
    let markers = read_markers::Entity::delete_many().filter(read_markers::Column::ConversationId.eq(gone));
    tx.execute(&markers).await?;
    let reactions = reactions::Entity::delete_many().filter(reactions::Column::ConversationId.eq(gone));
    tx.execute(&reactions).await?;
    tx.execute(&conversation_settings::Entity::delete_by_id(gone)).await?;
    let unread = unreadable_rows::Entity::delete_many().filter(unreadable_rows::Column::ConversationId.eq(gone));
    tx.execute(&unread).await?;
    Ok(tx.execute(&conversations::Entity::delete_by_id(gone)).await? > 0)
}
