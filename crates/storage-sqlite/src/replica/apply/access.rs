//! What came into sight, and what left it.

use super::{applied::Applied, unreadable};
use crate::{
    entity::{
        access::{ActiveModel, Column, Entity},
        value::Id,
    },
    error::Res,
    mutations::park,
    replica::context::PageContext,
    sql::Tx,
};
use fieldpost_domain::{Access, AccessChange, RefusalCode, UnreadableRow};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait, ExprTrait,
    sea_query::{Expr, OnConflict},
};

pub(super) async fn grant(tx: &Tx, context: &PageContext, grants: &[AccessChange], applied: &mut Applied) -> Res<()> {
    for change in grants {
        let newer = note(tx, context, change, false).await?;
        applied.count(1, newer);
    }
    Ok(())
}

pub(super) async fn revoke(
    tx: &Tx,
    context: &PageContext,
    others: Vec<AccessChange>,
    applied: &mut Applied,
) -> Res<()> {
    for change in others {
        if matches!(change.access, Access::Unknown(_)) {
            unreadable::keep(tx, context, vec![unknown(&change)], applied).await?;
            continue;
        }
        let newer = note(tx, context, &change, true).await?;
        applied.count(1, newer);
        let conversation = change.conversation_id.as_uuid();
        if newer > 0 {
            park::doubt_losses(tx, conversation).await?;
        }
        if newer > 0 && park::purge(tx, conversation, &RefusalCode::AccessLost).await? {
            applied.purged(conversation);
        }
    }
    Ok(())
}

fn unknown(change: &AccessChange) -> UnreadableRow {
    UnreadableRow {
        list: "access".to_owned(),
        payload: serde_json::to_string(change).unwrap_or_default(),
        reason: "an unknown kind of access".to_owned(),
    }
}

/// Remembers a state of access; 0 when a newer one is known.
async fn note(tx: &Tx, context: &PageContext, change: &AccessChange, revoked: bool) -> Res<u64> {
    let noted = ActiveModel {
        conversation_id: Set(Id(change.conversation_id.as_uuid())),
        revoked: Set(revoked),
        version: Set(context.epoch.stored(change.version)),
    };
    let newer = OnConflict::column(Column::ConversationId)
        .update_columns([Column::Revoked, Column::Version])
        .action_and_where(Expr::col(("excluded", Column::Version)).gt(Expr::col((Entity, Column::Version))))
        .to_owned();
    tx.execute(&Entity::insert(noted).on_conflict(newer)).await
}
