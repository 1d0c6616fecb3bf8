//! Changing a message that is here.

use super::{
    decide,
    record::{self, MUTATION_OF_O, mutation},
};
use crate::{
    derived,
    error::{Fault, Res},
    messages, overlay,
    resolve::OWNER,
    sql::{Tx, id, opt_id, opt_text, text},
};
use fieldpost_domain::{Changeable, ConversationId, Intent, MessageId, Mutation, MutationId, NewMessage, Target, Time};
use fieldpost_storage::{StorageErrorKind, ThreadMessage};
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
    if !fold(tx, &message, &intent, at).await? && changes(&message.shown, &intent) {
        replace(tx, &intent).await?;
        record::record(tx, &Mutation { id: mutation_id, intent }, None, at).await?;
        overlay::rebuild(tx, BTreeSet::from([message.id])).await?;
        derived::refresh_newest(tx, &BTreeSet::from([message.lane])).await?;
    }
    messages::by_id(tx, message.id).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))
}

fn changes(shown: &Changeable, intent: &Intent) -> bool {
    let mut changed = shown.clone();
    intent.change(&mut changed);
    changed != *shown
}

async fn find(tx: &Tx, intent: &Intent) -> Res<Changing> {
    let target = opt_id(intent.target().map(|id| id.as_uuid()));
    let row = tx.one(&find_sql(), vec![target]).await?.ok_or_else(|| Fault::kind(StorageErrorKind::NotFound))?;
    let owner = row.opt_id(5)?.ok_or_else(|| Fault::kind(StorageErrorKind::NoAccount))?;
    if intent.policy().changes == Target::Own && row.id(6)? != owner {
        return Err(decide::not_applicable("another person wrote it"));
    }
    if row.get::<Option<i64>>(8)?.is_some() {
        return Err(decide::not_applicable("it is deleted"));
    }
    if row.get::<Option<String>>(9)?.is_some() {
        return Err(decide::not_applicable("it is not here as a whole"));
    }
    let sends = row.opt_id(0)?.is_some();
    Ok(Changing {
        id: row.id(12)?,
        lane: row.id(7)?,
        shown: overlay::changeable(&row, 10)?,
        unsent: sends.then(|| mutation(&row)).transpose()?.flatten(),
    })
}

/// A message with its send, if that was never attempted.
pub(crate) fn find_sql() -> String {
    format!(
        "SELECT {MUTATION_OF_O}, {OWNER}, m.sender_id, m.conversation_id, m.deleted_at, m.omitted, m.content, m.mentions, \
            m.id FROM messages AS m \
         LEFT JOIN outbox AS o ON o.message_id = m.id AND o.unanswered = 0 AND m.server_id IS NULL WHERE m.id = ?"
    )
}

/// Whether a send that was never attempted has taken the change with it.
async fn fold(tx: &Tx, message: &Changing, intent: &Intent, at: Time) -> Res<bool> {
    let Some(Mutation { id: send, intent: Intent::SendMessage(unsent) }) = &message.unsent else { return Ok(false) };
    let mut unsent: NewMessage = unsent.clone();
    if !intent.fold_into(&mut unsent) {
        return Ok(false);
    }
    let shown =
        [opt_text(Some(unsent.content.as_str())), crate::rows::json::mentions(&unsent.mentions), id(message.id)];
    rewrite(tx, *send, &Intent::SendMessage(unsent)).await?;
    tx.run("UPDATE messages SET content = ?, mentions = ? WHERE id = ?", shown.into()).await?;
    derived::refresh_newest(tx, &BTreeSet::from([message.lane])).await?;
    decide::retry(tx, *send, at).await.map(|_| true)
}

/// Writes what a mutation in the outbox says anew.
pub(super) async fn rewrite(tx: &Tx, mutation: MutationId, intent: &Intent) -> Res<()> {
    let values = vec![text(record::payload(intent)?), record::size(intent), id(mutation.as_uuid())];
    tx.run("UPDATE outbox SET payload = ?, wire_size = ? WHERE id = ?", values).await.map(drop)
}

/// Takes out what the change replaces.
async fn replace(tx: &Tx, intent: &Intent) -> Res<()> {
    let target = opt_id(intent.target().map(|id| id.as_uuid()));
    tx.run(REPLACE, vec![target, text(intent.kind().as_str())]).await.map(drop)
}

pub(crate) const REPLACE: &str = "DELETE FROM outbox WHERE target_id = ? AND slot = ? AND unanswered = 0";
