//! Moving the signed-in person's read marker: one look, and one script that writes.
//!
//! SQL by hand: the look and the script are one trip each (`watchers`).

use crate::{
    derived,
    entity::outbox::{Column as O, Entity},
    error::{Fault, Res},
    hot::{Plan, hot},
    mutations::{covering::covered, record::Recording},
    outbox::set_conversation::take_back_unread,
    resolve::{CANONICAL, VIEWER},
    row::Row,
    sql::{Bound, Tx, id, is_given, seq, written},
};
use fieldpost_domain::{ConversationId, Intent, MarkRead, Mutation, MutationId, Seq, Time};
use fieldpost_storage::{ChangeSet, MutationIds, StorageErrorKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait};
use uuid::Uuid;

pub(super) async fn mark_read(
    tx: &Tx,
    ids: &dyn MutationIds,
    mutation: MutationId,
    conversation: ConversationId,
    up_to: Seq,
    at: Time,
) -> Res<Seq> {
    let row = tx.one(&STAND, vec![id(conversation.as_uuid())]).await?;
    let Stand { conversation, viewer, read, known, marked_unread } = Stand::from_row(row)?;
    // Before anybody has signed in there is nobody who could have read anything.
    let Some(viewer) = viewer else { return Ok(Seq::ZERO) };
    if marked_unread {
        take_back_unread(tx, ids, conversation, at).await?;
    }
    let read_seq = known.min(up_to);
    if read_seq <= read {
        return Ok(read);
    }
    let intent = Intent::MarkRead(MarkRead { conversation_id: ConversationId::from_uuid(conversation), read_seq });
    let [count, show] = derived::marked(conversation, viewer);
    tx.last([
        Bound::new(&MARK, vec![id(conversation), id(viewer), seq(read_seq), seq(read_seq)]),
        Bound::new(&REPLACED, vec![id(conversation)]),
        covered(conversation, read_seq),
        Recording::of(Mutation { id: mutation, intent }, None, at)?.bound(),
        count,
        show,
    ])
    .await?;
    tx.changed(ChangeSet::of([ConversationId::from_uuid(conversation)]).and_unread().and_outbox()).await;
    Ok(read_seq)
}

hot! {
    MARK: "a mark that moves", Plan::Bounded,
        "INSERT INTO read_markers (conversation_id, person_id, delivered_seq, read_seq, version) VALUES (?, ?, ?, ?, 0)
        ON CONFLICT DO UPDATE SET read_seq = excluded.read_seq, delivered_seq = max(delivered_seq, excluded.delivered_seq),
            read_at = NULL, delivered_at = CASE WHEN excluded.delivered_seq > delivered_seq THEN NULL ELSE delivered_at END";
    REPLACED: "a mark that another one replaces", Plan::Bounded,
        written(Entity::delete_many().filter(is_given(O::ConversationId)).filter(O::Slot.eq("mark_read")).as_query());
    STAND: "how far a thread is read", Plan::Bounded, format!(
        "SELECT c.id, a.viewer, coalesce(r.read_seq, 0) AS read, c.range_to AS known, c.unread_from IS NOT NULL AS marked_unread
        FROM conversations AS c CROSS JOIN (SELECT {VIEWER} AS viewer) AS a
        LEFT JOIN read_markers AS r ON r.conversation_id = c.id AND r.person_id = a.viewer WHERE c.id = {CANONICAL}"
    );
}

/// How a thread stands.
struct Stand {
    conversation: Uuid,
    viewer: Option<Uuid>,
    /// Where the marker is.
    read: Seq,
    /// Up to where nothing is missing.
    known: Seq,
    /// Whether it was marked unread.
    marked_unread: bool,
}

impl Stand {
    fn from_row(row: Option<Row>) -> Res<Self> {
        let row = row.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
        Ok(Self {
            conversation: row.id("id")?,
            viewer: row.opt_id("viewer")?,
            read: row.seq("read")?,
            known: row.seq("known")?,
            marked_unread: row.is("marked_unread")?,
        })
    }
}
