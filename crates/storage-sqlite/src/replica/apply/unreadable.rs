//! Rows that this version cannot read.

use super::{applied::Applied, barred::Barred};
use crate::{
    error::Res,
    resolve,
    sql::{IdSet, Insert, Tx, int, opt_id, text},
};
use fieldpost_domain::UnreadableRow;
use fieldpost_storage::unreadable;
use sea_orm::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Keeps rows for a version that can read them; each once, however often it comes, and the newest if there are many.
pub(super) async fn keep(tx: &Tx, rows: Vec<UnreadableRow>, applied: &mut Applied) -> Res<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let all = rows.len();
    let rows = without_left(tx, rows).await?;
    applied.report.unreadable += rows.len() as u64;
    applied.report.stale += (all - rows.len()) as u64;
    let kept = KEEP.run(tx, &rows, |(conversation, row), values| {
        values.extend([
            Value::Bytes(Some(digest(row))),
            opt_id(*conversation),
            text(row.list.as_str()),
            text(row.payload.as_str()),
            text(row.reason.as_str()),
        ]);
    });
    kept.await?;
    tx.run(TRIM, vec![int(unreadable::KEPT.into())]).await.map(drop)
}

/// Each with the conversation that it names; without those whose conversation left for a known reason.
async fn without_left(tx: &Tx, rows: Vec<UnreadableRow>) -> Res<Vec<(Option<Uuid>, UnreadableRow)>> {
    let aliases = resolve::aliases(tx).await?;
    let canonical = |id: Uuid| aliases.get(&id).copied().unwrap_or(id);
    let named = |row: &UnreadableRow| unreadable::conversation_of(row).map(|id| canonical(id.as_uuid()));
    let mut rows: Vec<_> = rows.into_iter().map(|row| (named(&row), row)).collect();
    let ids = IdSet::of(rows.iter().filter_map(|(conversation, _)| *conversation));
    let barred = Barred::among(tx, &ids).await?;
    let absent = resolve::absent(tx, &ids).await?;
    rows.retain(|(conversation, _)| conversation.is_none_or(|id| !absent.contains(&id) || !barred.has_left(id)));
    Ok(rows)
}

const KEEP: Insert = Insert {
    head: "INSERT INTO unreadable_rows (digest, conversation_id, list, payload, reason) VALUES",
    columns: 5,
    tail: "ON CONFLICT DO NOTHING",
};

const TRIM: &str = "
DELETE FROM unreadable_rows WHERE pk <= (SELECT pk FROM unreadable_rows ORDER BY pk DESC LIMIT 1 OFFSET 0 + ?)";

fn digest(row: &UnreadableRow) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(row.list.as_bytes());
    hash.update([0]);
    hash.update(row.payload.as_bytes());
    hash.finalize().to_vec()
}
