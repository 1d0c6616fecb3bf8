//! How far this device has followed the server's records: one row.

use crate::{
    entity::{
        record_sync::{Column as S, Entity, Model},
        value::Micros,
    },
    error::{Fault, Res},
    sql::Tx,
};
use fieldpost_domain::{Cursor, Time};
use fieldpost_storage::records::{RecordMemory, RecordSyncState};
use sea_orm::{
    EntityTrait,
    sea_query::{Expr, ExprTrait},
};

pub(super) async fn read(tx: &Tx) -> Res<Model> {
    let state = tx.find_one::<Model>(&Entity::find()).await?;
    state.ok_or_else(|| Fault::corrupt("the state of the records is missing"))
}

pub(super) fn cursor(state: &Model) -> Option<Cursor> {
    // What is no cursor leads to a load.
    state.cursor.clone().and_then(|cursor| Cursor::new(cursor).ok())
}

pub(super) async fn view(tx: &Tx) -> Res<RecordSyncState> {
    let state = read(tx).await?;
    Ok(RecordSyncState {
        cursor: cursor(&state),
        last_success_at: state.last_success_at.map(|at| at.0),
        memory: state.memory.as_deref().map(decode).unwrap_or_default(),
    })
}

/// Nothing in it is worth more than a few calls. What cannot be read is learned again.
fn decode(memory: &str) -> RecordMemory {
    serde_json::from_str(memory).unwrap_or_else(|_| {
        tracing::warn!("what earlier passes had learned of records cannot be read, and is dropped");
        RecordMemory::default()
    })
}

/// The rows stay until the load has ended.
pub(super) async fn begin_load(tx: &Tx) -> Res<()> {
    let begun = Entity::update_many()
        .col_expr(S::Cursor, Expr::value(None::<String>))
        .col_expr(S::Generation, Expr::col(S::Generation).add(1))
        .col_expr(S::Loading, Expr::value(true));
    tx.execute(&begun).await.map(drop)
}

pub(super) async fn end_load(tx: &Tx) -> Res<()> {
    tx.execute(&Entity::update_many().col_expr(S::Loading, Expr::value(false))).await.map(drop)
}

pub(super) async fn advance(tx: &Tx, cursor: &Cursor) -> Res<()> {
    tx.execute(&Entity::update_many().col_expr(S::Cursor, Expr::value(cursor.as_str()))).await.map(drop)
}

pub(super) async fn enter(tx: &Tx, epoch: &str) -> Res<()> {
    tx.execute(&Entity::update_many().col_expr(S::ServerEpoch, Expr::value(epoch))).await.map(drop)
}

pub(super) async fn remember(tx: &Tx, memory: &RecordMemory, success_at: Option<Time>) -> Res<()> {
    let memory = serde_json::to_string(memory).unwrap_or_default();
    let mut remembered = Entity::update_many().col_expr(S::Memory, Expr::value(memory));
    if let Some(at) = success_at {
        remembered = remembered.col_expr(S::LastSuccessAt, Expr::value(Micros(at)));
    }
    tx.execute(&remembered).await.map(drop)
}
