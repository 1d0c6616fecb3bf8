//! Dead letters that this device makes itself, and conversations that leave it.

use crate::{
    error::Res,
    overlay,
    sql::{Tx, id, text},
};
use fieldpost_domain::RefusalCode;
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
    let failed = tx.run(PARK, vec![text(code.as_str()), id(lane)]).await?;
    overlay::rebuild(tx, overlay::targets_of_lane(tx, lane).await?).await?;
    Ok(Parked { failed, left })
}

const LEAVE: &str = "
DELETE FROM outbox WHERE conversation_id = ? AND (NOT keeps
    OR EXISTS (SELECT 1 FROM messages AS m WHERE m.id = outbox.message_id AND m.seq IS NOT NULL))";

const PARK: &str = "
UPDATE outbox SET failed_code = ?, failed_detail = NULL WHERE conversation_id = ? AND failed_code IS NULL";

/// Removes a conversation with its messages and markers. Of what the person wrote, that which the server never had stays
/// until they have dealt with it. Returns whether the conversation was here.
pub(crate) async fn purge(tx: &Tx, conversation: Uuid, code: &RefusalCode) -> Res<bool> {
    park_lane(tx, conversation, code).await?;
    for sql in PURGE {
        tx.run(sql, vec![id(conversation)]).await?;
    }
    Ok(tx.run("DELETE FROM conversations WHERE id = ?", vec![id(conversation)]).await? > 0)
}

const PURGE: [&str; 3] = [
    "DELETE FROM messages WHERE conversation_id = ? AND NOT (server_id IS NULL
        AND EXISTS (SELECT 1 FROM outbox AS o WHERE o.message_id = messages.id))",
    "DELETE FROM read_markers WHERE conversation_id = ?",
    "DELETE FROM unreadable_rows WHERE conversation_id = ?",
];
