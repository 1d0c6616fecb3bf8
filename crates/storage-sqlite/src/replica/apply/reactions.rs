//! Reactions of a page.
//!
//! A reaction may come before its message: a message below the recent range comes with history, and the pull that brought the
//! reaction does not bring it again. So rows are kept by their conversation, and only those of a message that was deleted for
//! good are not.
//!
//! SQL by hand: sets of rows (`apply`).

use super::applied::Applied;
use crate::{
    error::Res,
    hot::{Plan, hot},
    replica::context::PageContext,
    resolve,
    sql::{IdSet, Insert, Tx, id, int, signed, text, time},
};
use fieldpost_domain::{ConversationId, PersonId, Reaction};
use std::{collections::BTreeSet, sync::LazyLock};
use uuid::Uuid;

pub(super) async fn put(tx: &Tx, context: &PageContext, mut rows: Vec<Reaction>, applied: &mut Applied) -> Res<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let all = rows.len();
    for row in &mut rows {
        row.conversation_id = ConversationId::from_uuid(context.aliases.canonical(row.conversation_id.as_uuid()));
    }
    let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.conversation_id.as_uuid()).collect();
    let absent = resolve::absent(tx, &IdSet::of(ids.iter().copied())).await?;
    rows.retain(|row| !absent.contains(&row.conversation_id.as_uuid()));
    let changed = PUT.run(tx, &rows, context).await?;
    applied.count(all, changed);
    tx.touched(ids).await;
    Ok(())
}

/// Whose a row is. Nobody stands for everybody.
fn person(row: &Reaction) -> Uuid {
    row.by.person().unwrap_or(PersonId::NOBODY).as_uuid()
}

static PUT: LazyLock<Insert<Reaction, PageContext>> = LazyLock::new(|| {
    Insert::reading(
        &[
            ("message_id", |row, _| id(row.message_id.as_uuid())),
            ("emoji", |row, _| text(row.emoji.as_str())),
            ("person_id", |row, _| id(person(row))),
            ("conversation_id", |row, _| id(row.conversation_id.as_uuid())),
            ("count", |row, _| int(signed(row.by.count()))),
            ("created_at", |row, _| time(row.created_at)),
            ("version", |row, context: &PageContext| context.epoch.bind(row.version)),
        ],
        "INSERT INTO reactions (message_id, emoji, person_id, conversation_id, count, created_at, version)
        SELECT g.message_id, g.emoji, g.person_id, g.conversation_id, g.count, g.created_at, g.version FROM rows AS g
        WHERE NOT EXISTS (SELECT 1 FROM tombstones AS t WHERE t.id = g.message_id)
            OR EXISTS (SELECT 1 FROM messages AS m WHERE m.id = g.message_id)
        ON CONFLICT DO UPDATE SET conversation_id = excluded.conversation_id, count = excluded.count,
            created_at = excluded.created_at, version = excluded.version
        WHERE excluded.version > reactions.version",
    )
});

/// The reactions to messages that are deleted.
pub(super) async fn drop_of(tx: &Tx, messages: &IdSet) -> Res<()> {
    tx.run(&DROP_OF, vec![messages.bind()]).await.map(drop)
}

/// The reactions to messages that are not here any more.
pub(super) async fn drop_gone(tx: &Tx, messages: &IdSet) -> Res<()> {
    tx.run(&DROP_GONE, vec![messages.bind()]).await.map(drop)
}

/// The reactions of a page of a bootstrap.
pub(crate) struct Told(Vec<String>);

impl Told {
    pub(crate) fn by(rows: &[Reaction]) -> Self {
        let key = |row: &Reaction| {
            let (message, emoji, person) = (row.message_id.as_uuid(), row.emoji.as_str(), person(row));
            format!("{:X}{emoji}{:X}", message.simple(), person.simple())
        };
        Self(rows.iter().map(key).collect())
    }
}

/// A page of a bootstrap has all reactions to the messages of its conversations: others leave. Those of messages below what it
/// tells come back with history.
pub(crate) async fn sweep(tx: &Tx, conversations: &IdSet, told: &Told) -> Res<()> {
    let told = serde_json::to_string(&told.0).unwrap_or_default();
    tx.run(&SWEEP, vec![conversations.bind(), text(told)]).await.map(drop)
}

hot! {
    DROP_OF: "reactions to deleted messages", Plan::Bounded,
        "DELETE FROM reactions WHERE message_id IN (SELECT unhex(value) FROM json_each(?))";
    DROP_GONE: "reactions to messages that are gone", Plan::Bounded,
        "DELETE FROM reactions WHERE message_id IN (SELECT unhex(value) FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = reactions.message_id)";
    SWEEP: "reactions that a page does not tell", Plan::Bounded,
        "DELETE FROM reactions WHERE conversation_id IN (SELECT unhex(value) FROM json_each(?))
        AND hex(message_id) || emoji || hex(person_id) NOT IN (SELECT value FROM json_each(?))";
}
