//! Queued changes of messages, shown before the server has them.
//!
//! A message row holds what its reader sees, so lists, windows, search and counts need not know of changes. The column `base`
//! keeps the server's values of the changed fields; null means that no change is queued. Code that writes a server's row to
//! `messages` first removes the changes ([`lift`]) and then applies them again ([`lay`]). Code that adds changes to the outbox,
//! removes them or makes them dead letters does the same ([`rebuild`]), in the same transaction.
//!
//! What must stay true: `base` is not null if and only if the outbox has a readable entry that is no dead letter and has the
//! message as its target and rewrites it ([`fieldpost_domain::Intent::rewrites`]). A reaction does not; see `rows::reaction`.
//!
//! SQL by hand: sets of messages, for each page that meets changes (`apply`).

use crate::{
    entity::{
        messages::{Column as M, Entity},
        outbox::{self, Column as O},
        value::{Id, Micros},
    },
    error::Res,
    hot::{Plan, hot},
    mutations::record::Recorded,
    row::Row,
    rows::json,
    sql::{IdSet, Tx, id, of, opt_text, opt_time},
};
use fieldpost_domain::{Changeable, Mutation};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, IdenStatic, QueryFilter, QuerySelect, Select};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Whether any change is in the outbox. Nearly always there is none, and then nothing else here is asked.
pub(crate) const ANY: &str = "(SELECT min(target_id) FROM outbox WHERE target_id IS NOT NULL) IS NOT NULL";

/// Removes the changes from these messages: their rows hold the server's values again.
pub(crate) async fn lift(tx: &Tx, messages: &IdSet) -> Res<()> {
    tx.run(&LIFT, vec![messages.bind()]).await.map(drop)
}

/// Applies the queued changes to these messages.
pub(crate) async fn lay(tx: &Tx, messages: &IdSet) -> Res<()> {
    let mut waiting: BTreeMap<Uuid, (Changeable, Vec<Mutation>)> = BTreeMap::new();
    for row in tx.all(&WAITING, vec![messages.bind()]).await? {
        let recorded = row.model::<Recorded>()?;
        if let (Some(target), Ok(change)) = (recorded.target_id, recorded.mutation())
            && change.intent.rewrites()
        {
            let (_, changes) = waiting.entry(target.0).or_insert((changeable(&row)?, Vec::new()));
            changes.push(change);
        }
    }
    for (message, (base, changes)) in waiting {
        let mut shown = base.clone();
        changes.iter().for_each(|change| change.intent.change(&mut shown));
        let values =
            |of: &Changeable| [opt_text(of.content.as_deref()), json::mentions(&of.mentions), opt_time(of.deleted_at)];
        let (base, shown) = (values(&base), values(&shown));
        tx.run(&LAY, base.into_iter().chain(shown).chain([id(message)]).collect()).await?;
    }
    Ok(())
}

hot! {
    LIFT: "changes taken off messages", Plan::Bounded,
        "UPDATE messages SET content = base ->> 'content', mentions = base -> 'mentions', deleted_at = base ->> 'deleted_at', base = NULL
        WHERE base IS NOT NULL AND id IN (SELECT unhex(value) FROM json_each(?))";
    WAITING: "the changes of messages", Plan::Bounded, format!(
        "SELECT {}, {}, {}, {} FROM json_each(?) AS j
        CROSS JOIN outbox AS o ON o.target_id = unhex(j.value) JOIN messages AS m ON m.id = o.target_id
        WHERE o.failed_code IS NULL AND o.target_id IS NOT NULL ORDER BY o.position",
        Recorded::of("o"),
        of("m", M::Content),
        of("m", M::Mentions),
        of("m", M::DeletedAt),
    );
    LAY: "changes put on messages", Plan::Bounded,
        "UPDATE messages SET base = json_patch('{}', json_object('content', ?, 'mentions', json(?), 'deleted_at', ?)),
            content = ?, mentions = ?, deleted_at = ? WHERE id = ?";
}

/// To be called when the queued changes of these messages have changed.
pub(crate) async fn rebuild(tx: &Tx, messages: BTreeSet<Uuid>) -> Res<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let messages = IdSet::of(messages);
    lift(tx, &messages).await?;
    lay(tx, &messages).await
}

/// The same of all messages that have changes, or had some.
pub(crate) async fn rebuild_all(tx: &Tx) -> Res<()> {
    let changing = targets(outbox::Entity::find().select_only());
    let changed = Entity::find().select_only().column(M::Id).filter(M::Base.is_not_null());
    let mut messages: BTreeSet<_> =
        tx.find::<Target>(&changing).await?.into_iter().map(|row| row.target_id.0).collect();
    messages.extend(tx.find::<Changed>(&changed).await?.into_iter().map(|row| row.id.0));
    rebuild(tx, messages).await
}

/// The messages that a lane's mutations change.
pub(crate) async fn targets_of_lane(tx: &Tx, lane: Uuid) -> Res<BTreeSet<Uuid>> {
    let of_lane = outbox::Entity::find().select_only().filter(O::ConversationId.eq(Id(lane)));
    Ok(tx.find::<Target>(&targets(of_lane)).await?.into_iter().map(|row| row.target_id.0).collect())
}

fn targets(entries: Select<outbox::Entity>) -> Select<outbox::Entity> {
    entries.column(O::TargetId).filter(O::TargetId.is_not_null())
}

#[derive(Debug, FromQueryResult)]
struct Target {
    target_id: Id,
}

#[derive(Debug, FromQueryResult)]
struct Changed {
    id: Id,
}

/// What changes may replace.
pub(crate) fn changeable(row: &Row) -> Res<Changeable> {
    Ok(Changeable {
        content: row.get(M::Content.as_str())?,
        mentions: json::read_mentions(row.get(M::Mentions.as_str())?)?,
        deleted_at: row.get::<Option<Micros>>(M::DeletedAt.as_str())?.map(|at| at.0),
        reactions: BTreeSet::new(),
    })
}
