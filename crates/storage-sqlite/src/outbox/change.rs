//! Changing a message that is here.
//!
//! SQL by hand: the message and its send are one look.

use super::decide;
use crate::{
    derived,
    entity::{
        messages,
        outbox::{self, Column as O},
        value::{AnyText, Id},
    },
    error::{Fault, Res},
    hot::{Plan, hot},
    messages::by_id,
    mutations::{
        addressed, overlay,
        record::{self, Recorded},
    },
    resolve::OWNER,
    rows::json,
    sql::{Tx, is_given, opt_id, text, written},
};
use fieldpost_domain::{
    Changeable, ConversationId, Intent, MessageId, Mutation, MutationKind, NewMessage, REACTIONS_MAX, Replaces, Target,
    Time,
};
use fieldpost_storage::{ChangeSet, NotPossible, StorageErrorKind, ThreadMessage};
use sea_orm::{
    ColumnTrait, DeleteMany, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A message, as much of it as changing needs.
struct Changing {
    id: Uuid,
    lane: Uuid,
    shown: Changeable,
    /// Its send, if that was never attempted.
    unsent: Option<Mutation>,
}

pub(super) async fn change(tx: &Tx, mutation: Mutation, at: Time) -> Res<ThreadMessage> {
    let Mutation { id: mutation_id, mut intent } = mutation;
    let message = find(tx, &intent).await?;
    let (lane, target) = (ConversationId::from_uuid(message.lane), MessageId::from_uuid(message.id));
    intent.address(lane, Some(target));
    let mut changed = message.shown.clone();
    intent.change(&mut changed);
    addressed::check_mentions(tx, message.lane, changed.mentions.difference(&message.shown.mentions)).await?;
    if intent.withdraws()
        && let Some(send) = &message.unsent
    {
        let shown = by_id(tx, message.id).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
        decide::cancel(tx, send.id).await?;
        return Ok(ThreadMessage { failure: None, ..shown.without_content() });
    }
    if !fold(tx, &message, &intent, at).await? && is_worth_it(&message.shown, &intent) {
        let mut shown = message.shown;
        if replace(tx, &intent).await? > 0 {
            overlay::rebuild(tx, BTreeSet::from([message.id])).await?;
            shown = shown_now(tx, message.id).await?;
        }
        // It may only take back what it replaces.
        if is_worth_it(&shown, &intent) {
            record::record(tx, Mutation { id: mutation_id, intent }, None, at).await?;
        }
        overlay::rebuild(tx, BTreeSet::from([message.id])).await?;
        derived::refresh(tx, &BTreeSet::from([message.lane])).await?;
    }
    by_id(tx, message.id).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))
}

/// What a thread shows of it, as much of that as changes may replace.
async fn shown_now(tx: &Tx, message: Uuid) -> Res<Changeable> {
    let now = by_id(tx, message).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    Ok(Changeable {
        content: now.content,
        mentions: now.mentions,
        deleted_at: now.deleted.then_some(now.created_at),
        reactions: now.reactions.into_iter().filter(|one| one.mine).map(|one| one.emoji).collect(),
    })
}

/// Whether it changes what shows, or is meant to change nothing.
fn is_worth_it(shown: &Changeable, intent: &Intent) -> bool {
    let mut changed = shown.clone();
    intent.change(&mut changed);
    changed != *shown || intent.policy().leaves_as_is()
}

async fn find(tx: &Tx, intent: &Intent) -> Res<Changing> {
    let target = opt_id(intent.target().map(|id| id.as_uuid()));
    let row = tx.one(&CHANGING, vec![target]).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    let owner = row.opt_id("owner")?.ok_or_else(|| Fault::kind(StorageErrorKind::NoAccount))?;
    let as_admin = intent.policy().changes == Target::OwnOrAsAdmin && row.is("is_admin")?;
    let own = row.id("sender")? == owner;
    match intent.policy().changes {
        Target::Others if own => return Err(decide::not_possible(NotPossible::Own)),
        Target::Anybodys | Target::Others => {}
        _ if own || as_admin => {}
        _ => return Err(decide::not_possible(NotPossible::AnotherPersons)),
    }
    // A message can also be deleted again, and if its content is not here.
    if !intent.withdraws() && row.get::<Option<i64>>("deleted_at")?.is_some() {
        return Err(decide::not_possible(NotPossible::Deleted));
    }
    if !intent.withdraws() && intent.rewrites() && row.get::<Option<String>>("omitted")?.is_some() {
        return Err(decide::not_possible(NotPossible::Incomplete));
    }
    let id = row.id("message")?;
    let shown = if intent.rewrites() { overlay::changeable(&row)? } else { shown_now(tx, id).await? };
    let mut changed = shown.clone();
    intent.change(&mut changed);
    if changed.reactions.len() > REACTIONS_MAX {
        return Err(decide::not_possible(NotPossible::TooManyReactions));
    }
    let unsent = row.is("unsent")?.then(|| row.model::<Recorded>()).transpose()?;
    Ok(Changing { id, lane: row.id("lane")?, shown, unsent: unsent.and_then(|send| send.mutation().ok()) })
}

hot! {
    /// A message with its send, if that was never attempted.
    CHANGING: "a message to be changed", Plan::Bounded, format!(
        "SELECT {}, {OWNER} AS owner, o.id IS NOT NULL AS unsent, m.sender_id AS sender, m.conversation_id AS lane, m.deleted_at,
            m.omitted, m.content, m.mentions, m.id AS message,
            EXISTS (SELECT 1 FROM people AS p JOIN conversations AS c ON c.org_id = p.org_id
                WHERE c.id = m.conversation_id AND p.id = {OWNER} AND p.role = 'org_admin' AND NOT p.removed) AS is_admin
        FROM messages AS m
        LEFT JOIN outbox AS o ON o.message_id = m.id AND o.in_flight = 0 AND m.server_id IS NULL WHERE m.id = ?",
        Recorded::of("o"),
    );
    REPLACE: "what a change replaces", Plan::Bounded,
        written(of_target().filter(is_given(O::Slot)).as_query());
}

fn of_target() -> DeleteMany<outbox::Entity> {
    outbox::Entity::delete_many().filter(is_given(O::TargetId)).filter(O::InFlight.eq(0_i64))
}

/// Whether a send that was never attempted has taken the change with it.
async fn fold(tx: &Tx, message: &Changing, intent: &Intent, at: Time) -> Res<bool> {
    let Some(Mutation { id: send, intent: Intent::SendMessage(unsent) }) = &message.unsent else { return Ok(false) };
    let mut unsent: NewMessage = unsent.clone();
    if !intent.fold_into(&mut unsent) {
        return Ok(false);
    }
    let shown = messages::Entity::update_many()
        .col_expr(messages::Column::Content, Expr::value(unsent.content.as_str().to_owned()))
        .col_expr(messages::Column::Mentions, Expr::value(json::mentions(&unsent.mentions)))
        .filter(messages::Column::Id.eq(Id(message.id)));
    record::rewrite(tx, *send, &Intent::SendMessage(unsent)).await?;
    tx.execute(&shown).await?;
    derived::refresh_newest(tx, &BTreeSet::from([message.lane])).await?;
    decide::retry(tx, *send, at).await.map(|_| true)
}

/// Takes out what the change replaces.
async fn replace(tx: &Tx, intent: &Intent) -> Res<u64> {
    let target = intent.target().map(|id| id.as_uuid());
    tx.changed(ChangeSet::of_outbox()).await;
    match intent.policy().replaces {
        Replaces::ChangesOfTarget => replace_all(tx, target).await,
        _ => tx.run(&REPLACE, vec![opt_id(target), text(intent.slot())]).await,
    }
}

/// Takes out all changes of a message but those that leave it as it is.
async fn replace_all(tx: &Tx, target: Option<Uuid>) -> Res<u64> {
    let waiting = outbox::Entity::find().select_only().columns([O::Id, O::Kind]);
    let waiting = waiting.filter(O::TargetId.eq(target.map(Id))).filter(O::InFlight.eq(0_i64));
    let waiting = tx.find::<Waiting>(&waiting).await?.into_iter();
    let replaced = waiting.filter(|entry| !MutationKind::from(entry.kind.0.as_str()).policy().leaves_as_is());
    let replaced: Vec<Id> = replaced.map(|entry| entry.id).collect();
    tx.execute(&outbox::Entity::delete_many().filter(O::Id.is_in(replaced))).await
}

#[derive(Debug, FromQueryResult)]
struct Waiting {
    id: Id,
    kind: AnyText,
}
