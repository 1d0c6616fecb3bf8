//! Moving the signed-in person's read marker.

use crate::{
    derived,
    error::Res,
    outbox::record,
    resolve,
    row::Row,
    sql::{Tx, id, seq},
};
use fieldpost_domain::{ConversationId, Intent, Mutation, MutationId, Seq, Time};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) async fn mark_read(
    tx: &Tx,
    mutation: MutationId,
    conversation: ConversationId,
    up_to: Seq,
    at: Time,
) -> Res<Seq> {
    let conversation = resolve::existing(tx, conversation).await?;
    let viewer = resolve::viewer(tx).await?;
    // Before anybody has signed in there is nobody who could have read anything.
    let Some(viewer) = viewer else { return Ok(Seq::ZERO) };
    let (before, known) = stand(tx, conversation, viewer).await?;
    let read_seq = known.min(up_to);
    if read_seq <= before {
        return Ok(before);
    }
    tx.run(MARK, vec![id(conversation), id(viewer), seq(read_seq), seq(read_seq)]).await?;
    tx.run("DELETE FROM outbox WHERE conversation_id = ? AND kind = 'mark_read'", vec![id(conversation)]).await?;
    let intent = Intent::MarkRead { conversation_id: ConversationId::from_uuid(conversation), read_seq };
    record::record(tx, &Mutation { id: mutation, intent }, None, at).await?;
    derived::refresh(tx, &BTreeSet::from([conversation])).await?;
    Ok(read_seq)
}

const MARK: &str = "
INSERT INTO read_markers (conversation_id, person_id, delivered_seq, read_seq, version) VALUES (?, ?, ?, ?, 0)
ON CONFLICT DO UPDATE SET read_seq = excluded.read_seq, delivered_seq = max(delivered_seq, excluded.delivered_seq)";

/// Where the marker stands, and up to where nothing is missing.
async fn stand(tx: &Tx, conversation: Uuid, viewer: Uuid) -> Res<(Seq, Seq)> {
    let sql = "SELECT coalesce(r.read_seq, 0), c.range_to FROM conversations AS c
        LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = ? WHERE c.id = ?";
    let row = tx.one(sql, vec![id(viewer), id(conversation)]).await?;
    let read = |row: Row| Ok((row.seq(0)?, row.seq(1)?));
    row.map_or(Ok((Seq::ZERO, Seq::ZERO)), read)
}
