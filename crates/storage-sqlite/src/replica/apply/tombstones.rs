//! Hard deletes of a page.
//!
//! SQL by hand: sets of rows (`apply`).

use super::{applied::Applied, excluded::Excluded, reactions};
use crate::{
    entity::{
        conversations,
        tombstones::{ActiveModel, Column, Entity},
        value::Id,
    },
    error::Res,
    hot::{Plan, hot},
    mutations::park,
    replica::context::PageContext,
    sql::{IdSet, Insert, Tx, id, int, seq},
};
use fieldpost_domain::{RefusalCode, Seq, Tombstone, TombstoneOf};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use std::sync::LazyLock;
use uuid::Uuid;

/// A message that is gone.
#[derive(Debug)]
struct Gone {
    id: Uuid,
    conversation: Uuid,
    seq: Seq,
    version: i64,
}

pub(super) async fn of_messages(
    tx: &Tx,
    context: &PageContext,
    tombstones: &[Tombstone],
    applied: &mut Applied,
) -> Res<()> {
    if tombstones.is_empty() {
        return Ok(());
    }
    let gone = gone(context, tombstones);
    let changed = RECORD_TOMBSTONE.run(tx, &gone, &()).await?;
    applied.count(tombstones.len(), changed);
    let ids = IdSet::of(gone.iter().map(|gone| gone.id));
    tx.run(&REMOVE, vec![ids.bind()]).await?;
    reactions::drop_gone(tx, &ids).await?;
    applied.touched.extend(gone.iter().map(|gone| gone.conversation));
    Ok(())
}

fn gone(context: &PageContext, tombstones: &[Tombstone]) -> Vec<Gone> {
    let gone = tombstones.iter().filter_map(|tombstone| match tombstone.of {
        TombstoneOf::Message { id, seq } => {
            let conversation = context.aliases.canonical(tombstone.conversation_id.as_uuid());
            Some(Gone { id: id.as_uuid(), conversation, seq, version: context.epoch.stored(tombstone.version) })
        }
        TombstoneOf::Conversation => None,
    });
    gone.collect()
}

/// Unless the row here is newer, or the deletion is known. Of equals the deletion counts: what a policy of the project hides is
/// withdrawn by the version that was shown.
static RECORD_TOMBSTONE: LazyLock<Insert<Gone>> = LazyLock::new(|| {
    Insert::reading(
        &[
            ("id", |gone, ()| id(gone.id)),
            ("conversation_id", |gone, ()| id(gone.conversation)),
            ("seq", |gone, ()| seq(gone.seq)),
            ("version", |gone, ()| int(gone.version)),
        ],
        "INSERT INTO tombstones (id, conversation_id, seq, version)
        SELECT g.id, g.conversation_id, g.seq, g.version FROM rows AS g
        WHERE NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = g.id AND m.version > g.version)
        ON CONFLICT DO UPDATE SET version = excluded.version WHERE excluded.version > tombstones.version",
    )
});

hot! {
    REMOVE: "what was deleted for good", Plan::Bounded,
        "DELETE FROM messages WHERE id IN (SELECT unhex(value) FROM json_each(?))
        AND EXISTS (SELECT 1 FROM tombstones AS t WHERE t.id = messages.id AND t.version >= messages.version)";
}

pub(super) async fn of_conversations(
    tx: &Tx,
    context: &PageContext,
    tombstones: &[Tombstone],
    applied: &mut Applied,
) -> Res<()> {
    for tombstone in tombstones {
        // By the server's own id. Here it may be an alias by now, of the conversation that has taken the place of the deleted one.
        let conversation = tombstone.conversation_id.as_uuid();
        let version = context.epoch.stored(tombstone.version);
        let known = Excluded::among(tx, &IdSet::of([conversation])).await?.excludes(conversation, version);
        let newer = conversations::Entity::find_by_id(Id(conversation));
        if known || tx.finds(&newer.filter(conversations::Column::Version.gte(version))).await? {
            applied.count(1, 0);
            continue;
        }
        record_tombstone(tx, conversation, version).await?;
        applied.count(1, 1);
        if park::purge(tx, conversation, &RefusalCode::ConversationDeleted).await? {
            applied.purged(conversation);
        }
    }
    Ok(())
}

async fn record_tombstone(tx: &Tx, conversation: Uuid, version: i64) -> Res<()> {
    let (id, version) = (Set(Id(conversation)), Set(version));
    let tombstone = ActiveModel { id: id.clone(), conversation_id: id, seq: Set(None), version };
    let later = OnConflict::column(Column::Id).update_column(Column::Version).to_owned();
    tx.execute(&Entity::insert(tombstone).on_conflict(later)).await.map(drop)
}
