//! What the person has set for conversations, shown before the server has it.
//!
//! `conversation_settings` has the server's rows. The columns of `conversations` have what shows: the same, and over it the
//! changes in the outbox, in their order. Code that writes the server's rows, adds changes to the outbox, removes them or makes
//! them dead letters calls [`rebuild`] in the same transaction, and refreshes what derives from it (`derived`).
//!
//! SQL by hand: sets of conversations, for each page that has settings (`apply`).

use crate::{
    entity::{
        conversation_settings::{Entity as Base, Model},
        conversations::{Column as C, Entity as Conversations},
        outbox::{Column as O, Entity as Outbox},
        value::{Id, Micros},
    },
    error::Res,
    hot::{Plan, hot},
    mutations::record::Recorded,
    sql::{IdSet, Tx, signed, unsigned},
};
use fieldpost_domain::{Archived, Intent, MutationId, MutationKind, Seq, SetConversation, Settings, SettingsChange};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Writes what shows of these conversations.
pub(crate) async fn rebuild(tx: &Tx, conversations: &BTreeSet<Uuid>) -> Res<()> {
    if conversations.is_empty() {
        return Ok(());
    }
    let ids = IdSet::of(conversations.iter().copied());
    tx.run(&LAY_BASE, vec![ids.bind()]).await?;
    tx.touched(conversations.iter().copied()).await;
    let mut changes: BTreeMap<Uuid, Vec<SettingsChange>> = BTreeMap::new();
    for row in tx.all(&WAITING, vec![ids.bind()]).await? {
        let waiting = row.model::<Recorded>()?;
        changes.entry(waiting.conversation_id.0).or_default().extend(change(&waiting));
    }
    for (conversation, changes) in changes {
        let mut shown = base(tx, conversation).await?;
        changes.iter().for_each(|change| change.apply(&mut shown));
        show(tx, conversation, &shown).await?;
    }
    Ok(())
}

hot! {
    LAY_BASE: "settings as the server has them", Plan::Bounded, "
UPDATE conversations AS c SET (muted_until, pinned_at, archived_at, archived_seq, unread_from) = (
    SELECT s.muted_until, s.pinned_at, s.archived_at, s.archived_seq, s.unread_from
    FROM (SELECT 1) LEFT JOIN conversation_settings AS s ON s.conversation_id = c.id)
WHERE c.id IN (SELECT unhex(value) FROM json_each(?))";
    WAITING: "settings that wait", Plan::Bounded, format!(
        "SELECT {} FROM json_each(?) AS j CROSS JOIN outbox AS o ON o.conversation_id = unhex(j.value)
        WHERE o.kind = 'set_conversation' AND o.failed_code IS NULL ORDER BY o.position",
        Recorded::of("o"),
    );
}

fn change(waiting: &Recorded) -> Option<SettingsChange> {
    match waiting.mutation().ok()?.intent {
        Intent::SetConversation(SetConversation { change, .. }) => Some(change),
        _ => None,
    }
}

/// What the server has.
async fn base(tx: &Tx, conversation: Uuid) -> Res<Settings> {
    let row = tx.find_one::<Model>(&Base::find_by_id(Id(conversation))).await?;
    Ok(row.map(|row| settings_of(&row)).unwrap_or_default())
}

fn settings_of(row: &Model) -> Settings {
    let seq = |seq: i64| Seq::new(unsigned(seq));
    let archived = row.archived_at.zip(row.archived_seq);
    Settings {
        muted_until: row.muted_until.map(|at| at.0),
        pinned_at: row.pinned_at.map(|at| at.0),
        archived: archived.map(|(at, last)| Archived { at: at.0, seq: seq(last) }),
        unread_from: row.unread_from.map(seq),
    }
}

async fn show(tx: &Tx, conversation: Uuid, shown: &Settings) -> Res<()> {
    let seq = |seq: Seq| signed(seq.get());
    let shown = Conversations::update_many()
        .col_expr(C::MutedUntil, Expr::value(shown.muted_until.map(Micros)))
        .col_expr(C::PinnedAt, Expr::value(shown.pinned_at.map(Micros)))
        .col_expr(C::ArchivedAt, Expr::value(shown.archived.map(|archived| Micros(archived.at))))
        .col_expr(C::ArchivedSeq, Expr::value(shown.archived.map(|archived| seq(archived.seq))))
        .col_expr(C::UnreadFrom, Expr::value(shown.unread_from.map(seq)))
        .filter(C::Id.eq(Id(conversation)));
    tx.execute(&shown).await.map(drop)
}

/// A change in the outbox.
pub(crate) struct Waiting {
    pub(crate) mutation: MutationId,
    pub(crate) change: SettingsChange,
    /// It was never attempted.
    pub(crate) unattempted: bool,
}

/// What the server has of a conversation, and the changes over it, in their order.
pub(crate) async fn layers(tx: &Tx, conversation: Uuid) -> Res<(Settings, Vec<Waiting>)> {
    let of_lane = Outbox::find()
        .filter(O::ConversationId.eq(Id(conversation)))
        .filter(O::Kind.eq(MutationKind::SetConversation.as_str()))
        .filter(O::FailedCode.is_null())
        .order_by_asc(O::Position);
    let mut waiting = Vec::new();
    for entry in tx.find::<crate::entity::outbox::Model>(&of_lane).await? {
        let unattempted = entry.in_flight == 0;
        let mutation = MutationId::from_uuid(entry.id.0);
        waiting.extend(change(&Recorded::from(&entry)).map(|change| Waiting { mutation, change, unattempted }));
    }
    Ok((base(tx, conversation).await?, waiting))
}
