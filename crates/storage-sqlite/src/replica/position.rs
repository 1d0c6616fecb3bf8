//! How far this device has followed the server: one row, moved in the transaction that makes it true.
//!
//! SQL by hand: where a page has led is written only if that is news (`apply`).

use crate::{
    entity::{
        access,
        conversations::{self, Column::Confirmed},
        sync_state::{Column, Entity, Model},
        tombstones,
        value::Id,
    },
    error::{Fault, Res},
    hot::{Plan, hot},
    sql::{Tx, int, signed, text, unsigned},
};
use fieldpost_domain::{Continuation, Cursor, ServerEpoch, ServerInfo};
use fieldpost_storage::{BootstrapReason, ChangeSet, StorageErrorKind, SyncPosition};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany, sea_query::Expr};
use uuid::Uuid;

/// The phases, as they are stored.
pub(crate) const BOOTSTRAPPING: &str = "bootstrapping";
pub(crate) const FIRST_SCREEN: &str = "first_screen";
const FOLLOWING: &str = "following";

pub(crate) fn of(state: &Model) -> Res<SyncPosition> {
    match state.phase.as_str() {
        BOOTSTRAPPING => Ok(SyncPosition::Bootstrapping {
            after: state.after.clone().map(Continuation::new),
            done: unsigned(state.done),
            total: state.total.map(unsigned),
        }),
        FIRST_SCREEN => Ok(SyncPosition::FirstScreen),
        FOLLOWING => {
            let cursor = state.cursor.clone().and_then(|cursor| Cursor::new(cursor).ok());
            cursor.map(SyncPosition::Following).ok_or_else(|| Fault::corrupt("the cursor cannot be one"))
        }
        _ => Ok(SyncPosition::Fresh),
    }
}

/// Which generation of the copy this is: the number of bootstraps, and whether the last one has brought a page.
pub(crate) fn generation(state: &Model) -> u64 {
    unsigned(2 * state.generation + i64::from(state.phase != BOOTSTRAPPING || state.after.is_some()))
}

/// The position belongs to somebody else by now.
pub(crate) fn superseded() -> Fault {
    Fault::kind(StorageErrorKind::Superseded)
}

/// Everything stays readable; from here on rows are of the new epoch if it is one. A change of epoch that was not dealt with
/// to the end is not forgotten by starting over.
pub(crate) async fn begin_bootstrap(tx: &Tx, reason: BootstrapReason) -> Res<()> {
    let state = tx.find_one::<Model>(&Entity::find()).await?;
    let another = reason == BootstrapReason::Epoch || state.is_some_and(|state| state.epoch_pending);
    let begun = change()
        .col_expr(Column::Phase, Expr::value(BOOTSTRAPPING))
        .col_expr(Column::After, Expr::value(None::<String>))
        .col_expr(Column::Done, Expr::value(0_i64))
        .col_expr(Column::Total, Expr::value(None::<i64>))
        .col_expr(Column::Cursor, Expr::value(None::<String>))
        .col_expr(Column::RunOpen, Expr::value(false))
        .col_expr(Column::Generation, Expr::col(Column::Generation).add(1));
    if !another {
        return tx.execute(&begun).await.map(drop);
    }
    let begun = begun
        .col_expr(Column::EpochPending, Expr::value(true))
        .col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1))
        .col_expr(Column::ServerEpoch, Expr::value(None::<String>));
    tx.execute(&begun).await?;
    forget_remembered(tx).await
}

/// What was remembered of the old history says nothing of the new one. A thread in which a tombstone had filled a gap
/// shows less.
async fn forget_remembered(tx: &Tx) -> Res<()> {
    tx.changed(ChangeSet::everything()).await;
    tx.execute(&tombstones::Entity::delete_many()).await?;
    tx.execute(&access::Entity::delete_many()).await.map(drop)
}

/// The first page of a bootstrap names the history that it is of. If it is not the one that the rows here are of, the
/// bootstrap under way follows a change of epoch, whatever it began for.
///
/// After a change of epoch nobody knows the history of what was acknowledged or told since the bootstrap began: the server may
/// have been restored again before it made this page. So that is older than the page as well.
///
/// Answers whether it does, and changed what was read of the state.
pub(crate) async fn meet(tx: &Tx, state: &Model, named: Option<&ServerEpoch>) -> Res<bool> {
    let named = named.map(ServerEpoch::as_str);
    let known = state.server_epoch.as_deref();
    let another = state.epoch_pending || (known.is_some() && named.is_some() && known != named);
    if another {
        let later = change()
            .col_expr(Column::EpochPending, Expr::value(true))
            .col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1));
        tx.execute(&later).await?;
        forget_remembered(tx).await?;
        // An answer that came before the first page has confirmed nothing either.
        let confirmed_by_nobody = conversations::Entity::update_many()
            .col_expr(Confirmed, Expr::col(Confirmed).sub(1))
            .filter(Confirmed.gte(state.generation));
        tx.execute(&confirmed_by_nobody).await?;
    }
    if let Some(named) = named.filter(|named| known != Some(*named)) {
        tx.execute(&change().col_expr(Column::ServerEpoch, Expr::value(named))).await?;
    }
    Ok(another)
}

/// Of the only row.
fn change() -> UpdateMany<Entity> {
    Entity::update_many()
}

/// The next page of the bootstrap is the one after `after`.
pub(crate) async fn advance(tx: &Tx, after: &Continuation, loaded: u64, total: u64) -> Res<()> {
    let next = change()
        .col_expr(Column::After, Expr::value(after.as_str()))
        .col_expr(Column::Done, Expr::col(Column::Done).add(signed(loaded)))
        .col_expr(Column::Total, Expr::value(signed(total)));
    tx.execute(&next).await.map(drop)
}

/// The page of a first screen is applied, and the bootstrap begins anew.
pub(crate) async fn show_first_screen(tx: &Tx) -> Res<()> {
    tx.execute(&change().col_expr(Column::Phase, Expr::value(FIRST_SCREEN))).await.map(drop)
}

/// Everything up to `cursor` is applied; with an open run of pages there is more. A page that leads nowhere writes nothing.
pub(crate) async fn follow(tx: &Tx, cursor: &Cursor, run_open: bool) -> Res<()> {
    let cursor = text(cursor.as_str());
    let run_open = int(run_open.into());
    tx.run(&FOLLOW, vec![cursor.clone(), run_open.clone(), cursor, run_open]).await.map(drop)
}

/// Everything up to `to` is here, if everything up to `from` is and no run of pages is open. Whether that was so.
pub(crate) async fn go_on(tx: &Tx, from: &Cursor, to: &Cursor) -> Res<bool> {
    let there = change()
        .col_expr(Column::Cursor, Expr::value(to.as_str()))
        .filter(Column::Phase.eq(FOLLOWING))
        .filter(Column::Cursor.eq(from.as_str()))
        .filter(Column::RunOpen.eq(false));
    Ok(tx.execute(&there).await? > 0)
}

hot! {
    FOLLOW: "where a pull has led", Plan::Bounded,
        "UPDATE sync_state SET phase = 'following', cursor = ?, run_open = ?, after = NULL, done = 0, total = NULL,
            epoch_pending = 0
        WHERE only = 1 AND (phase, cursor, run_open) IS NOT ('following', ?, ?)";
}

/// What the server says about itself, with every page; nearly always what it said before.
pub(crate) async fn note_server(tx: &Tx, state: &Model, server: &ServerInfo) -> Res<()> {
    let version = server.sql_version.map(i64::from);
    let capabilities = serde_json::to_string(&server.capabilities).unwrap_or_default();
    if state.sql_version == version && state.capabilities.as_deref() == Some(capabilities.as_str()) {
        return Ok(());
    }
    // What waited for the server to be able to do it waits for that no more.
    tx.changed(ChangeSet::of_outbox()).await;
    let noted = change()
        .col_expr(Column::SqlVersion, Expr::value(version))
        .col_expr(Column::Capabilities, Expr::value(capabilities));
    tx.execute(&noted).await.map(drop)
}

/// Who the caller is, by the server's word.
pub(crate) async fn set_me(tx: &Tx, me: Option<Uuid>) -> Res<()> {
    tx.execute(&change().col_expr(Column::MeId, Expr::value(me.map(Id)))).await.map(drop)
}
