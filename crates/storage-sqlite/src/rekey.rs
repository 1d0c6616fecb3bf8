//! A conversation that was opened offline gets the id under which the server knows it.
//!
//! It happens on three ways: the answer to the open names another id, an answer to a message does, or a pull brings the
//! server's conversation for the same org and medic before any answer came. In one transaction everything that names the old
//! id moves (messages, markers, the lane of queued mutations; the stored payload of a mutation does not name its lane), and
//! the old id becomes an alias, because a screen may still hold it. Where both rows are here, the server's stays.
//!
//! Aliases never form a chain: those that led to the old id are turned to the new one.

use crate::{
    entity::{
        access, aliases, conversations, messages, outbox, reactions,
        read_markers::{self, Column as Marker},
        tombstones, unreadable_rows,
        value::Id,
    },
    error::Res,
    mutations::{park, settings},
    rows::draft,
    sql::Tx,
};
use fieldpost_domain::{ConversationId, RefusalCode};
use fieldpost_storage::ChangeSet;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Moves everything from one id to another.
pub(crate) async fn rekey(tx: &Tx, from: Uuid, to: Uuid, touched: &mut BTreeSet<Uuid>) -> Res<()> {
    let both = [from, to].map(ConversationId::from_uuid);
    tx.changed(ChangeSet::of(both).and_unread().and_outbox()).await;
    name_anew(tx, from, to).await?;
    // The server's row, if it is here, stays; else the local one becomes it.
    if tx.finds(&conversations::Entity::find_by_id(Id(to))).await? {
        tx.execute(&conversations::Entity::delete_by_id(Id(from))).await?;
    } else {
        move_rows(tx, conversations::Column::Id, from, to).await?;
    }
    move_rows(tx, messages::Column::ConversationId, from, to).await?;
    move_rows(tx, tombstones::Column::ConversationId, from, to).await?;
    move_rows(tx, outbox::Column::ConversationId, from, to).await?;
    move_rows(tx, reactions::Column::ConversationId, from, to).await?;
    move_rows(tx, unreadable_rows::Column::ConversationId, from, to).await?;
    join_markers(tx, from, to).await?;
    draft::join(tx, from, to).await?;
    settings::rebuild(tx, &BTreeSet::from([to])).await?;
    touched.remove(&from);
    touched.insert(to);
    let revoked = access::Entity::find_by_id(Id(to)).filter(access::Column::Revoked.eq(true));
    if tx.finds(&revoked).await? {
        park::purge(tx, to, &RefusalCode::AccessLost).await?;
    }
    Ok(())
}

/// Turns a column of all rows of a table from one id to another.
async fn move_rows<C: ColumnTrait>(tx: &Tx, column: C, from: Uuid, to: Uuid) -> Res<()>
where
    C::EntityName: EntityTrait<Column = C>,
{
    let moved = <C::EntityName as EntityTrait>::update_many().col_expr(column, Expr::value(Id(to)));
    tx.execute(&moved.filter(column.eq(Id(from)))).await.map(drop)
}

async fn name_anew(tx: &Tx, from: Uuid, to: Uuid) -> Res<()> {
    move_rows(tx, aliases::Column::CanonicalId, from, to).await?;
    let alias = aliases::ActiveModel { id: Set(Id(from)), canonical_id: Set(Id(to)) };
    let known = OnConflict::column(aliases::Column::Id).update_column(aliases::Column::CanonicalId).to_owned();
    tx.execute(&aliases::Entity::insert(alias).on_conflict(known)).await.map(drop)
}

/// Of each person the marker that is further stays. There are as many as people in a conversation.
async fn join_markers(tx: &Tx, from: Uuid, to: Uuid) -> Res<()> {
    let moving = Marker::ConversationId.eq(Id(from));
    for marker in tx.find::<read_markers::Model>(&read_markers::Entity::find().filter(moving.clone())).await? {
        let there = read_markers::Entity::find_by_id((Id(to), marker.person_id));
        let there = tx.find_one::<read_markers::Model>(&there).await?;
        let further =
            |here: i64, part: fn(&read_markers::Model) -> i64| Set(there.as_ref().map_or(here, part).max(here));
        let joined = read_markers::ActiveModel {
            conversation_id: Set(Id(to)),
            person_id: Set(marker.person_id),
            delivered_seq: further(marker.delivered_seq, |there| there.delivered_seq),
            read_seq: further(marker.read_seq, |there| there.read_seq),
            version: further(marker.version, |there| there.version),
            // Nobody else has read a conversation of which the server did not know.
            delivered_at: Set(there.as_ref().and_then(|there| there.delivered_at)),
            read_at: Set(there.as_ref().and_then(|there| there.read_at)),
        };
        let mut known = OnConflict::columns([Marker::ConversationId, Marker::PersonId]);
        known.update_columns([Marker::DeliveredSeq, Marker::ReadSeq, Marker::Version]);
        tx.execute(&read_markers::Entity::insert(joined).on_conflict(known)).await?;
    }
    tx.execute(&read_markers::Entity::delete_many().filter(moving)).await.map(drop)
}
