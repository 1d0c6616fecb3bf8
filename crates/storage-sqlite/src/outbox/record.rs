//! Recording a mutation.

use crate::{
    error::{Fault, Res},
    outbox::stored,
    row::Row,
    sql::{Bound, Tx, id, int, opt_id, opt_text, signed, text, time},
};
use fieldpost_domain::{Intent, Mutation, MutationId, RefusalCode, Time};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::Value;

/// Appends a mutation, as a dead letter at once if `failed` says why.
pub(crate) async fn record(tx: &Tx, mutation: &Mutation, failed: Option<&RefusalCode>, at: Time) -> Res<()> {
    tx.changed(ChangeSet::of_outbox()).await;
    recording(mutation, failed, at)?.run(tx).await.map(drop)
}

/// The statement that appends it.
pub(super) fn recording(mutation: &Mutation, failed: Option<&RefusalCode>, at: Time) -> Res<Bound> {
    Ok(Bound::new(RECORD, values(mutation, failed, at)?.into()))
}

/// The columns of an entry that is new.
pub(super) fn values(mutation: &Mutation, failed: Option<&RefusalCode>, at: Time) -> Res<[Value; 8]> {
    let Mutation { id: mutation_id, intent } = mutation;
    let message_id = match intent {
        Intent::SendMessage(message) => Some(message.id.as_uuid()),
        _ => None,
    };
    let payload = stored::encode(intent)
        .map_err(|_| Fault::Kind(StorageErrorKind::Other, Some("a mutation has no JSON form".to_owned())))?;
    Ok([
        id(mutation_id.as_uuid()),
        text(intent.kind().as_str()),
        id(intent.lane().as_uuid()),
        opt_id(message_id),
        text(payload),
        int(signed(intent.wire_size() as u64)),
        opt_text(failed.map(RefusalCode::as_str)),
        time(at),
    ])
}

const RECORD: &str =
    "INSERT INTO outbox (id, kind, conversation_id, message_id, payload, wire_size, failed_code, recorded_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/// The columns that [`mutation`] reads.
pub(crate) const MUTATION: &str = "id, kind, conversation_id, payload";

/// A mutation as it was recorded; none if this version cannot read it.
pub(crate) fn mutation(row: &Row) -> Res<Option<Mutation>> {
    let lane = fieldpost_domain::ConversationId::from_uuid(row.id(2)?);
    let intent = stored::decode(&row.text_if_any(1), lane, &row.text_if_any(3));
    let id = MutationId::from_uuid(row.id(0)?);
    Ok(intent.ok().map(|intent| Mutation { id, intent }))
}
