//! Rows that this version cannot read.
//!
//! SQL by hand: what happens to a row that is kept already.

use super::{applied::Applied, excluded::Excluded};
use crate::{
    entity::unreadable_rows::{Column as U, Entity},
    error::Res,
    replica::context::PageContext,
    resolve,
    sql::{Field, IdSet, Insert, Tx, opt_id, text},
};
use fieldpost_domain::UnreadableRow;
use fieldpost_storage::unreadable;
use sea_orm::{
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Value,
    sea_query::{Expr, ExprTrait},
};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use uuid::Uuid;

/// Keeps rows for a version that can read them; each once, however often it comes, and the newest if there are many.
pub(super) async fn keep(tx: &Tx, context: &PageContext, rows: Vec<UnreadableRow>, applied: &mut Applied) -> Res<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let all = rows.len();
    let rows = without_left(tx, context, rows).await?;
    applied.report.unreadable += rows.len() as u64;
    applied.report.stale += (all - rows.len()) as u64;
    KEEP.run(tx, &rows, &()).await?;
    let oldest =
        Entity::find().select_only().column(U::Pk).order_by_desc(U::Pk).offset(u64::from(unreadable::KEPT)).limit(1);
    let many = Entity::delete_many().filter(Expr::col(U::Pk).lte(Expr::from(oldest.into_query())));
    tx.execute(&many).await.map(drop)
}

/// Each with the conversation that it names; without those whose conversation left for a known reason.
async fn without_left(
    tx: &Tx,
    context: &PageContext,
    rows: Vec<UnreadableRow>,
) -> Res<Vec<(Option<Uuid>, UnreadableRow)>> {
    let named =
        |row: &UnreadableRow| unreadable::conversation_of(row).map(|id| context.aliases.canonical(id.as_uuid()));
    let mut rows: Vec<_> = rows.into_iter().map(|row| (named(&row), row)).collect();
    let ids = IdSet::of(rows.iter().filter_map(|(conversation, _)| *conversation));
    let excluded = Excluded::among(tx, &ids).await?;
    let absent = resolve::absent(tx, &ids).await?;
    rows.retain(|(conversation, _)| conversation.is_none_or(|id| !absent.contains(&id) || !excluded.has_left(id)));
    Ok(rows)
}

/// A row, and the conversation that it names.
type Kept = (Option<Uuid>, UnreadableRow);

const COLUMNS: [Field<Entity, Kept>; 5] = [
    (U::Digest, |(_, row), ()| Value::Bytes(Some(digest(row)))),
    (U::ConversationId, |(conversation, _), ()| opt_id(*conversation)),
    (U::List, |(_, row), ()| text(row.list.as_str())),
    (U::Payload, |(_, row), ()| text(row.payload.as_str())),
    (U::Reason, |(_, row), ()| text(row.reason.as_str())),
];

static KEEP: LazyLock<Insert<Kept>> = LazyLock::new(|| Insert::into::<Entity>(&COLUMNS, "ON CONFLICT DO NOTHING"));

fn digest(row: &UnreadableRow) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(row.list.as_bytes());
    hash.update([0]);
    hash.update(row.payload.as_bytes());
    hash.finalize().to_vec()
}
