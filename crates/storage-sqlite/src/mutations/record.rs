//! Recording a mutation, and reading it again.
//!
//! SQL by hand: the marks of a page are recorded as one set (`apply`).

use crate::{
    entity::{
        outbox::{Column as O, Entity, Model},
        value::{AnyText, Id},
    },
    error::{Fault, Res},
    sql::{self, Bound, Insert, Tx, id, int, opt_id, opt_text, signed, text, time},
};
use fieldpost_domain::{
    Capability, ConversationId, Intent, MessageId, Mutation, MutationId, MutationKind, Policy, RefusalCode, Replaces,
    Time, Undecodable,
};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{ColumnTrait, DerivePartialModel, EntityTrait, QueryFilter, Value, sea_query::Expr};
use std::sync::LazyLock;

/// A mutation that is to be recorded: what it is, and what its kind means.
pub(crate) struct Recording {
    id: MutationId,
    intent: Intent,
    payload: String,
    policy: Policy,
    /// Why it is a dead letter from the beginning, if it is.
    failed: Option<RefusalCode>,
    at: Time,
}

/// A column of the outbox, and what a new entry has there.
type Column = (O, fn(&Recording, &()) -> Value);

/// The columns of a new entry.
pub(crate) const COLUMNS: [Column; 15] = [
    (O::Id, |new, ()| id(new.id.as_uuid())),
    (O::Kind, |new, ()| text(new.intent.kind().as_str())),
    (O::ConversationId, |new, ()| id(new.intent.lane().as_uuid())),
    (O::MessageId, |new, ()| opt_id(new.intent.creates().map(|id| id.as_uuid()))),
    (O::TargetId, |new, ()| opt_id(new.intent.target().map(|id| id.as_uuid()))),
    (O::Payload, |new, ()| text(new.payload.as_str())),
    (O::WireSize, |new, ()| size(&new.intent)),
    (O::FailedCode, |new, ()| opt_text(new.failed.as_ref().map(RefusalCode::as_str))),
    (O::RecordedAt, |new, ()| time(new.at)),
    (O::Opens, |new, ()| int(new.policy.opens.into())),
    (O::Expires, |new, ()| int(new.policy.expires.into())),
    (O::Keeps, |new, ()| int(new.policy.becomes_dead_letter().into())),
    (O::Slot, |new, ()| opt_text((new.policy.replaces != Replaces::Nothing).then(|| new.intent.slot()))),
    (O::Needs, |new, ()| opt_text(new.policy.needs.as_ref().map(Capability::as_str))),
    (O::Counts, |new, ()| int(new.policy.counts.into())),
];

impl Recording {
    pub(crate) fn of(mutation: Mutation, failed: Option<RefusalCode>, at: Time) -> Res<Self> {
        let Mutation { id, intent } = mutation;
        Ok(Self { id, payload: payload(&intent)?, policy: intent.policy(), intent, failed, at })
    }

    /// The statement that appends it.
    pub(crate) fn bound(&self) -> Bound {
        RECORD.one(self, &())
    }
}

/// Appends a mutation, as a dead letter at once if `failed` says why.
pub(crate) async fn record(tx: &Tx, mutation: Mutation, failed: Option<RefusalCode>, at: Time) -> Res<()> {
    tx.changed(ChangeSet::of_outbox()).await;
    Recording::of(mutation, failed, at)?.bound().run(tx).await.map(drop)
}

/// Appends mutations that nobody waits for.
pub(crate) async fn record_uncounted(tx: &Tx, mutations: Vec<Mutation>, at: Time) -> Res<()> {
    let recordings = mutations.into_iter().map(|mutation| Recording::of(mutation, None, at));
    let recordings = recordings.collect::<Res<Vec<_>>>()?;
    RECORD_MANY.run(tx, &recordings, &()).await.map(drop)
}

/// Writes what a mutation in the outbox says anew.
pub(crate) async fn rewrite(tx: &Tx, mutation: MutationId, intent: &Intent) -> Res<()> {
    tx.changed(ChangeSet::of_outbox()).await;
    let rewritten = Entity::update_many()
        .col_expr(O::Payload, Expr::value(payload(intent)?))
        .col_expr(O::WireSize, Expr::value(wire_size(intent)))
        .filter(O::Id.eq(Id(mutation.as_uuid())));
    tx.execute(&rewritten).await.map(drop)
}

static RECORD: LazyLock<Insert<Recording>> = LazyLock::new(|| Insert::into::<Entity>(&COLUMNS, ""));

/// A last row may come twice.
static RECORD_MANY: LazyLock<Insert<Recording>> =
    LazyLock::new(|| Insert::into::<Entity>(&COLUMNS, "ON CONFLICT DO NOTHING"));

pub(crate) fn payload(intent: &Intent) -> Res<String> {
    let unwritable = |_| Fault::of(StorageErrorKind::Other, Some("a mutation has no JSON form".to_owned()));
    intent.payload().map_err(unwritable)
}

pub(crate) fn size(intent: &Intent) -> Value {
    int(wire_size(intent))
}

pub(crate) fn wire_size(intent: &Intent) -> i64 {
    signed(intent.wire_size() as u64)
}

/// What an entry is to change.
#[derive(Debug, Clone, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub(crate) struct Recorded {
    pub(crate) id: Id,
    pub(crate) kind: AnyText,
    pub(crate) conversation_id: Id,
    pub(crate) target_id: Option<Id>,
    pub(crate) payload: AnyText,
    pub(crate) wire_size: i64,
    pub(crate) position: i64,
}

impl Recorded {
    /// The columns of it, of `outbox` by this name.
    pub(crate) fn of(outbox: &str) -> String {
        let columns = [O::Id, O::Kind, O::ConversationId, O::TargetId, O::Payload, O::WireSize, O::Position];
        columns.map(|column| sql::of(outbox, column)).join(", ")
    }

    /// The mutation as it was recorded, or why this version cannot read it.
    pub(crate) fn mutation(&self) -> Result<Mutation, Undecodable> {
        let lane = ConversationId::from_uuid(self.conversation_id.0);
        let target = self.target_id.map(|id| MessageId::from_uuid(id.0));
        let kind = MutationKind::from(self.kind.0.as_str());
        let intent = Intent::from_payload(&kind, lane, target, &self.payload.0)?;
        Ok(Mutation { id: MutationId::from_uuid(self.id.0), intent })
    }
}

impl From<&Model> for Recorded {
    fn from(entry: &Model) -> Self {
        Self {
            id: entry.id,
            kind: entry.kind.clone(),
            conversation_id: entry.conversation_id,
            target_id: entry.target_id,
            payload: entry.payload.clone(),
            wire_size: entry.wire_size,
            position: entry.position,
        }
    }
}
