//! What the person has set on any device.
//!
//! SQL by hand: sets of rows (`apply`).

use super::{applied::Applied, excluded::Excluded};
use crate::{
    entity::conversation_settings::{Column as S, Entity, Model},
    error::Res,
    mutations::settings,
    replica::context::PageContext,
    resolve,
    sql::{Field, IdSet, Insert, Tx, id, opt_time, seq, set_excluded},
};
use fieldpost_domain::{Archived, ConversationId, ConversationSettings};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};
use std::{collections::BTreeSet, sync::LazyLock};
use uuid::Uuid;

pub(super) async fn put(
    tx: &Tx,
    context: &PageContext,
    mut rows: Vec<ConversationSettings>,
    applied: &mut Applied,
) -> Res<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let all = rows.len();
    for row in &mut rows {
        let canonical = context.aliases.canonical(row.conversation_id.as_uuid());
        row.conversation_id = ConversationId::from_uuid(canonical);
    }
    let ids = IdSet::of(rows.iter().map(|row| row.conversation_id.as_uuid()));
    let absent = resolve::absent(tx, &ids).await?;
    if !absent.is_empty() {
        let excluded = Excluded::among(tx, &ids).await?;
        rows.retain(|row| {
            let conversation = row.conversation_id.as_uuid();
            !absent.contains(&conversation) || !excluded.has_left(conversation)
        });
    }
    let changed = UPSERT.run(tx, &rows, context).await?;
    applied.count(all, changed);
    let set: BTreeSet<Uuid> = rows.iter().map(|row| row.conversation_id.as_uuid()).collect();
    settings::rebuild(tx, &set).await?;
    applied.touched.extend(set);
    Ok(())
}

const COLUMNS: [Field<Entity, ConversationSettings, PageContext>; 7] = [
    (S::ConversationId, |row, _| id(row.conversation_id.as_uuid())),
    (S::MutedUntil, |row, _| opt_time(row.settings.muted_until)),
    (S::PinnedAt, |row, _| opt_time(row.settings.pinned_at)),
    (S::ArchivedAt, |row, _| opt_time(row.settings.archived.map(|Archived { at, .. }| at))),
    (S::ArchivedSeq, |row, _| row.settings.archived.map_or(NULL, |archived| seq(archived.seq))),
    (S::UnreadFrom, |row, _| row.settings.unread_from.map_or(NULL, seq)),
    (S::Version, |row, context| context.epoch.bind(row.version)),
];

const NULL: Value = Value::BigInt(None);

static UPSERT: LazyLock<Insert<ConversationSettings, PageContext>> = LazyLock::new(|| {
    let told: Vec<_> = COLUMNS.iter().map(|(column, _)| *column).collect();
    // The first is the key. A row of the same version that says something else is right.
    let told = told.get(1..).unwrap_or_default();
    let (new, old) = (crate::sql::excluded(told), crate::sql::names(told));
    let newer = format!(
        "ON CONFLICT DO UPDATE SET {} WHERE excluded.version >= version AND ({new}) IS NOT ({old})",
        set_excluded(told)
    );
    Insert::into::<Entity>(&COLUMNS, newer)
});

/// With the last page of a bootstrap after a change of epoch: what the server has not told of is not there any more.
pub(crate) async fn leave_unconfirmed(tx: &Tx, context: &PageContext) -> Res<BTreeSet<Uuid>> {
    let of_the_old = S::Version.lt(context.epoch.floor());
    let rows = tx.find::<Model>(&Entity::find().filter(of_the_old.clone())).await?;
    let gone: BTreeSet<Uuid> = rows.into_iter().map(|row| row.conversation_id.0).collect();
    tx.execute(&Entity::delete_many().filter(of_the_old)).await?;
    settings::rebuild(tx, &gone).await?;
    Ok(gone)
}
