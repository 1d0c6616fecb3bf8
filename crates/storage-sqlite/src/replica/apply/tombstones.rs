//! Hard deletes of a page.

use super::{applied::Applied, barred::Barred};
use crate::{
    error::Res,
    mutations::park,
    replica::position::Standing,
    resolve,
    sql::{IdSet, Insert, Tx, id, int, opt_id, seq},
};
use fieldpost_domain::{RefusalCode, Seq, Tombstone, TombstoneOf};
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
    standing: &Standing,
    tombstones: &[Tombstone],
    applied: &mut Applied,
) -> Res<()> {
    if tombstones.is_empty() {
        return Ok(());
    }
    let gone = gone(tx, standing, tombstones).await?;
    let changed = BURY
        .run(tx, &gone, |gone, values| {
            values.extend([id(gone.id), id(gone.conversation), seq(gone.seq), int(gone.version)]);
        })
        .await?;
    applied.count(tombstones.len(), changed);
    tx.run(REMOVE, vec![IdSet::of(gone.iter().map(|gone| gone.id)).bind()]).await?;
    applied.touched.extend(gone.iter().map(|gone| gone.conversation));
    Ok(())
}

async fn gone(tx: &Tx, standing: &Standing, tombstones: &[Tombstone]) -> Res<Vec<Gone>> {
    let aliases = resolve::aliases(tx).await?;
    let gone = tombstones.iter().filter_map(|tombstone| match tombstone.of {
        TombstoneOf::Message { id, seq } => {
            let told = tombstone.conversation_id.as_uuid();
            let conversation = aliases.get(&told).copied().unwrap_or(told);
            Some(Gone { id: id.as_uuid(), conversation, seq, version: standing.epoch.stored(tombstone.version) })
        }
        TombstoneOf::Conversation => None,
    });
    Ok(gone.collect())
}

/// Unless the row here is newer, or the deletion is known. Of equals the deletion counts: what a policy of the project hides is
/// withdrawn by the version that was shown.
const BURY: Insert = Insert {
    head: "WITH gone (id, conversation_id, seq, version) AS (VALUES",
    columns: 4,
    tail: ") INSERT INTO tombstones (id, conversation_id, seq, version)
        SELECT g.id, g.conversation_id, g.seq, g.version FROM gone AS g
        WHERE NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = g.id AND m.version > g.version)
        ON CONFLICT DO UPDATE SET version = excluded.version WHERE excluded.version > tombstones.version",
};

const REMOVE: &str = "
DELETE FROM messages WHERE id IN (SELECT unhex(value) FROM json_each(?))
    AND EXISTS (SELECT 1 FROM tombstones AS t WHERE t.id = messages.id AND t.version >= messages.version)";

pub(super) async fn of_conversations(
    tx: &Tx,
    standing: &Standing,
    tombstones: &[Tombstone],
    applied: &mut Applied,
) -> Res<()> {
    for tombstone in tombstones {
        // By the server's own id. Here it may be an alias by now, of the conversation that has taken the place of the deleted one.
        let conversation = tombstone.conversation_id.as_uuid();
        let version = standing.epoch.stored(tombstone.version);
        let known = Barred::among(tx, &IdSet::of([conversation])).await?.bars(conversation, version);
        let sql = "SELECT 1 FROM conversations WHERE id = ? AND version >= ?";
        if known || tx.one(sql, vec![id(conversation), int(version)]).await?.is_some() {
            applied.count(1, 0);
            continue;
        }
        let values = vec![id(conversation), id(conversation), opt_id(None), int(version)];
        tx.run(BURY_CONVERSATION, values).await?;
        applied.count(1, 1);
        if park::purge(tx, conversation, &RefusalCode::ConversationDeleted).await? {
            applied.purged(conversation);
        }
    }
    Ok(())
}

const BURY_CONVERSATION: &str = "
INSERT INTO tombstones (id, conversation_id, seq, version) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET version = excluded.version";
