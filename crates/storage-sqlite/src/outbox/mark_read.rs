//! Moving the signed-in person's read marker: one look, and one script that writes.

use crate::{
    derived,
    error::{Fault, Res},
    outbox::record,
    resolve::{CANONICAL, VIEWER},
    row::Row,
    sql::{Bound, Tx, id, seq},
};
use fieldpost_domain::{ConversationId, Intent, MarkRead, Mutation, MutationId, Seq, Time};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use uuid::Uuid;

pub(super) async fn mark_read(
    tx: &Tx,
    mutation: MutationId,
    conversation: ConversationId,
    up_to: Seq,
    at: Time,
) -> Res<Seq> {
    let row = tx.one(&stand_sql(), vec![id(conversation.as_uuid())]).await?;
    let Stand { conversation, viewer, read, known } = Stand::from_row(row)?;
    // Before anybody has signed in there is nobody who could have read anything.
    let Some(viewer) = viewer else { return Ok(Seq::ZERO) };
    let read_seq = known.min(up_to);
    if read_seq <= read {
        return Ok(read);
    }
    let intent = Intent::MarkRead(MarkRead { conversation_id: ConversationId::from_uuid(conversation), read_seq });
    let [count, show] = derived::marked(conversation, viewer);
    tx.last([
        Bound::new(MARK, vec![id(conversation), id(viewer), seq(read_seq), seq(read_seq)]),
        Bound::new(REPLACED, vec![id(conversation)]),
        record::recording(&Mutation { id: mutation, intent }, None, at)?,
        count,
        show,
    ])
    .await?;
    tx.changed(ChangeSet::of([ConversationId::from_uuid(conversation)]).and_unread().and_outbox()).await;
    Ok(read_seq)
}

const MARK: &str = "
INSERT INTO read_markers (conversation_id, person_id, delivered_seq, read_seq, version) VALUES (?, ?, ?, ?, 0)
ON CONFLICT DO UPDATE SET read_seq = excluded.read_seq, delivered_seq = max(delivered_seq, excluded.delivered_seq)";

const REPLACED: &str = "DELETE FROM outbox WHERE conversation_id = ? AND slot = 'mark_read'";

/// How a thread stands.
struct Stand {
    conversation: Uuid,
    viewer: Option<Uuid>,
    /// Where the marker is.
    read: Seq,
    /// Up to where nothing is missing.
    known: Seq,
}

pub(crate) fn stand_sql() -> String {
    format!(
        "SELECT c.id, a.viewer, coalesce(r.read_seq, 0), c.range_to
        FROM conversations AS c CROSS JOIN (SELECT {VIEWER} AS viewer) AS a
        LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = a.viewer WHERE c.id = {CANONICAL}"
    )
}

impl Stand {
    fn from_row(row: Option<Row>) -> Res<Self> {
        let row = row.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
        Ok(Self { conversation: row.id(0)?, viewer: row.opt_id(1)?, read: row.seq(2)?, known: row.seq(3)? })
    }
}
