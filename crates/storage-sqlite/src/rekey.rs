//! A conversation that was opened offline gets the id under which the server knows it.
//!
//! It happens on three ways: the answer to the open names another id, an answer to a message does, or a pull brings the
//! server's conversation for the same org and medic before any answer came. In one transaction everything that names the old
//! id moves (messages, markers, the lane of queued mutations; the stored payload of a mutation does not name its lane), and
//! the old id becomes an alias, because a screen may still hold it. Where both rows are here, the server's stays.
//!
//! SQL by hand: what moves of a table is the same statement for each, and marks are joined in one.
//!
//! Aliases never form a chain: those that led to the old id are turned to the new one.

use crate::{
    entity::{access, conversations, read_markers, value::Id},
    error::Res,
    mutations::park,
    sql::{Tx, id},
};
use fieldpost_domain::{ConversationId, RefusalCode};
use fieldpost_storage::ChangeSet;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Moves everything from one id to another.
pub(crate) async fn rekey(tx: &Tx, from: Uuid, to: Uuid, touched: &mut BTreeSet<Uuid>) -> Res<()> {
    let both = [from, to].map(ConversationId::from_uuid);
    tx.changed(ChangeSet::of(both).and_unread().and_outbox()).await;
    for sql in ALIAS {
        tx.run(sql, vec![id(to), id(from)]).await?;
    }
    // The server's row, if it is here, stays; else the local one becomes it.
    tx.run("UPDATE OR IGNORE conversations SET id = ? WHERE id = ?", vec![id(to), id(from)]).await?;
    tx.execute(&conversations::Entity::delete_by_id(Id(from))).await?;
    for sql in MOVE {
        tx.run(sql, vec![id(to), id(from)]).await?;
    }
    let moved = read_markers::Column::ConversationId.eq(Id(from));
    tx.execute(&read_markers::Entity::delete_many().filter(moved)).await?;
    touched.remove(&from);
    touched.insert(to);
    let revoked = access::Entity::find_by_id(Id(to)).filter(access::Column::Revoked.eq(true));
    if tx.finds(&revoked).await? {
        park::purge(tx, to, &RefusalCode::AccessLost).await?;
    }
    Ok(())
}

const ALIAS: [&str; 2] = [
    "UPDATE aliases SET canonical_id = ? WHERE canonical_id = ?",
    "INSERT INTO aliases (canonical_id, id) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET canonical_id = excluded.canonical_id",
];

const MOVE: [&str; 5] = [
    "UPDATE messages SET conversation_id = ? WHERE conversation_id = ?",
    "UPDATE tombstones SET conversation_id = ? WHERE conversation_id = ?",
    "UPDATE outbox SET conversation_id = ? WHERE conversation_id = ?",
    "UPDATE unreadable_rows SET conversation_id = ? WHERE conversation_id = ?",
    "INSERT INTO read_markers (conversation_id, person_id, delivered_seq, read_seq, version)
        SELECT ?, person_id, delivered_seq, read_seq, version FROM read_markers WHERE conversation_id = ?
        ON CONFLICT DO UPDATE SET delivered_seq = max(delivered_seq, excluded.delivered_seq),
            read_seq = max(read_seq, excluded.read_seq), version = max(version, excluded.version)",
];
