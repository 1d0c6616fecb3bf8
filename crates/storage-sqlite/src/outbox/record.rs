//! Recording a mutation.

use crate::{
    error::{Fault, Res},
    row::Row,
    sql::{Bound, Tx, id, int, opt_id, opt_text, signed, text, time},
};
use fieldpost_domain::{
    Capability, ConversationId, Intent, MessageId, Mutation, MutationId, MutationKind, RefusalCode, Replaces, Time,
    Undecodable,
};
use fieldpost_storage::StorageErrorKind;
use sea_orm::Value;

/// Appends a mutation, as a dead letter at once if `failed` says why.
pub(crate) async fn record(tx: &Tx, mutation: &Mutation, failed: Option<&RefusalCode>, at: Time) -> Res<()> {
    recording(mutation, failed, at)?.run(tx).await.map(drop)
}

/// The statement that appends it.
pub(super) fn recording(mutation: &Mutation, failed: Option<&RefusalCode>, at: Time) -> Res<Bound> {
    Ok(Bound::new(RECORD, values(mutation, failed, at)?.into()))
}

/// The columns that [`values`] gives. The conversation is the last: a send finds it itself.
macro_rules! columns {
    () => {
        "id, kind, message_id, target_id, payload, wire_size, failed_code, recorded_at, opens, expires, keeps, slot, needs, conversation_id"
    };
}
pub(super) use columns;

/// The columns of an entry that is new: what it is, and what its kind means.
pub(super) fn values(mutation: &Mutation, failed: Option<&RefusalCode>, at: Time) -> Res<[Value; 14]> {
    let Mutation { id: mutation_id, intent } = mutation;
    let (kind, policy) = (intent.kind(), intent.policy());
    Ok([
        id(mutation_id.as_uuid()),
        text(kind.as_str()),
        opt_id(intent.creates().map(|id| id.as_uuid())),
        opt_id(intent.target().map(|id| id.as_uuid())),
        text(payload(intent)?),
        size(intent),
        opt_text(failed.map(RefusalCode::as_str)),
        time(at),
        int(policy.opens.into()),
        int(policy.expires.into()),
        int(policy.becomes_dead_letter().into()),
        opt_text((policy.replaces != Replaces::Nothing).then(|| kind.as_str())),
        opt_text(policy.needs.as_ref().map(Capability::as_str)),
        id(intent.lane().as_uuid()),
    ])
}

pub(super) fn payload(intent: &Intent) -> Res<String> {
    let unwritable = |_| Fault::Kind(StorageErrorKind::Other, Some("a mutation has no JSON form".to_owned()));
    intent.payload().map_err(unwritable)
}

pub(super) fn size(intent: &Intent) -> Value {
    int(signed(intent.wire_size() as u64))
}

const RECORD: &str = concat!("INSERT INTO outbox (", columns!(), ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

/// The columns that [`mutation`] reads.
pub(crate) const MUTATION: &str = "id, kind, conversation_id, target_id, payload";

/// The same of `outbox AS o`.
pub(crate) const MUTATION_OF_O: &str = "o.id, o.kind, o.conversation_id, o.target_id, o.payload";

/// A mutation as it was recorded; none if this version cannot read it.
pub(crate) fn mutation(row: &Row) -> Res<Option<Mutation>> {
    let id = MutationId::from_uuid(row.id(0)?);
    Ok(intent(row)?.ok().map(|intent| Mutation { id, intent }))
}

/// What a row of [`MUTATION`] is to change, or why this version cannot read it.
pub(crate) fn intent(row: &Row) -> Res<Result<Intent, Undecodable>> {
    let lane = ConversationId::from_uuid(row.id(2)?);
    let target = row.opt_id(3)?.map(MessageId::from_uuid);
    Ok(Intent::from_payload(&MutationKind::from(row.text_if_any(1)), lane, target, &row.text_if_any(4)))
}
