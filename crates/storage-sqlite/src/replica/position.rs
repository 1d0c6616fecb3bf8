//! How far this device has followed the server: one row, moved in the transaction that makes it true.

use crate::{
    error::{Fault, Res},
    row::Row,
    sql::{Tx, int, opt_id, opt_text, signed, text, unsigned},
    version::Epoch,
};
use fieldpost_domain::{Continuation, Cursor, ServerEpoch, ServerInfo};
use fieldpost_storage::{BootstrapReason, StorageErrorKind, SyncPosition};
use sea_orm::Value;
use uuid::Uuid;

/// Which of the server's histories rows belong to now, and which bootstrap confirms them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) epoch: Epoch,
    /// Counts bootstraps; what one has confirmed carries its number.
    pub(crate) generation: i64,
    pub(crate) bootstrapping: bool,
    /// The bootstrap under way follows a change of epoch.
    pub(crate) new_epoch: bool,
    /// The answer was asked for beside a pass, which may have applied a later one meanwhile.
    pub(crate) beside: bool,
}

impl Standing {
    pub(crate) async fn read(tx: &Tx) -> Res<Self> {
        Self::with(tx, "phase IN ('bootstrapping', 'first_screen')", false).await
    }

    /// For what the server tells beside a bootstrap. Before the first page has listed what there is, that confirms nothing: it
    /// may be of the old history, or of before a conversation left.
    pub(crate) async fn beside(tx: &Tx) -> Res<Self> {
        Self::with(tx, "phase = 'first_screen' OR (phase = 'bootstrapping' AND after IS NOT NULL)", true).await
    }

    async fn with(tx: &Tx, bootstrapping: &str, beside: bool) -> Res<Self> {
        let sql = format!("SELECT epoch, generation, {bootstrapping}, epoch_pending FROM sync_state WHERE only = 1");
        let row = tx.one(&sql, vec![]).await?.ok_or_else(missing)?;
        let bootstrapping = row.get::<i64>(2)? != 0;
        Ok(Self {
            epoch: Epoch::new(row.get(0)?),
            generation: row.get(1)?,
            bootstrapping,
            new_epoch: bootstrapping && row.get::<i64>(3)? != 0,
            beside,
        })
    }
}

/// The columns that [`from_row`] reads, of `sync_state AS s`.
pub(crate) const POSITION: &str = "s.phase, s.after, s.done, s.total, s.cursor";

pub(crate) async fn read(tx: &Tx) -> Res<SyncPosition> {
    let sql = format!("SELECT {POSITION} FROM sync_state AS s WHERE s.only = 1");
    from_row(&tx.one(&sql, vec![]).await?.ok_or_else(missing)?)
}

/// Its only row is made with the table.
pub(crate) fn missing() -> Fault {
    Fault::corrupt("the sync state is missing")
}

pub(crate) fn from_row(row: &Row) -> Res<SyncPosition> {
    match row.get::<String>(0)?.as_str() {
        "bootstrapping" => Ok(SyncPosition::Bootstrapping {
            after: row.get::<Option<String>>(1)?.map(Continuation::new),
            done: row.count(2)?,
            total: row.get::<Option<i64>>(3)?.map(unsigned),
        }),
        "first_screen" => Ok(SyncPosition::FirstScreen),
        "following" => {
            let cursor = row.get::<Option<String>>(4)?.and_then(|cursor| Cursor::new(cursor).ok());
            cursor.map(SyncPosition::Following).ok_or_else(|| Fault::corrupt("the cursor cannot be one"))
        }
        _ => Ok(SyncPosition::Fresh),
    }
}

/// Which generation of the copy this is: the number of bootstraps, and whether the last one has brought a page.
pub(crate) const GENERATION: &str = "2 * s.generation + (s.phase <> 'bootstrapping' OR s.after IS NOT NULL)";

pub(crate) async fn generation(tx: &Tx) -> Res<u64> {
    tx.value(&format!("SELECT {GENERATION} FROM sync_state AS s WHERE s.only = 1"), vec![]).await.map(unsigned)
}

/// The position belongs to somebody else by now.
pub(crate) const fn superseded() -> Fault {
    Fault::kind(StorageErrorKind::Superseded)
}

/// Everything stays readable; from here on rows are of the new epoch if it is one. A change of epoch that was not dealt with
/// to the end is not forgotten by starting over.
pub(crate) async fn begin_bootstrap(tx: &Tx, reason: BootstrapReason) -> Res<()> {
    let epoch = i64::from(reason == BootstrapReason::Epoch);
    tx.run(BEGIN, vec![int(epoch), int(epoch), int(epoch)]).await?;
    if Standing::read(tx).await?.new_epoch {
        forget_remembered(tx).await?;
    }
    Ok(())
}

/// What was remembered of the old history says nothing of the new one.
async fn forget_remembered(tx: &Tx) -> Res<()> {
    tx.run("DELETE FROM tombstones", vec![]).await?;
    tx.run("DELETE FROM access", vec![]).await.map(drop)
}

const BEGIN: &str = "
UPDATE sync_state SET
    epoch_pending = max(?, epoch_pending),
    epoch = epoch + max(?, epoch_pending),
    server_epoch = CASE WHEN max(?, epoch_pending) THEN NULL ELSE server_epoch END,
    phase = 'bootstrapping', after = NULL, done = 0, total = NULL, cursor = NULL, run_open = 0, generation = generation + 1
WHERE only = 1";

/// The first page of a bootstrap names the history that it is of. If it is not the one that the rows here are of, the
/// bootstrap under way follows a change of epoch, whatever it began for.
///
/// After a change of epoch nobody knows the history of what was acknowledged or told since the bootstrap began: the server may
/// have been restored again before it made this page. So that is older than the page as well.
pub(crate) async fn meet(tx: &Tx, named: Option<&ServerEpoch>) -> Res<()> {
    let named = opt_text(named.map(ServerEpoch::as_str));
    let another = "SELECT epoch_pending OR coalesce(server_epoch <> ?, 0) FROM sync_state WHERE only = 1";
    if tx.value::<i64>(another, vec![named.clone()]).await? != 0 {
        tx.run("UPDATE sync_state SET epoch_pending = 1, epoch = epoch + 1 WHERE only = 1", vec![]).await?;
        forget_remembered(tx).await?;
        tx.run(CONFIRMED_BY_NOBODY, vec![]).await?;
    }
    let sql = "UPDATE sync_state SET server_epoch = coalesce(?, server_epoch) WHERE only = 1";
    tx.run(sql, vec![named]).await.map(drop)
}

/// An answer that came before the first page has confirmed nothing either.
const CONFIRMED_BY_NOBODY: &str = "
UPDATE conversations SET confirmed = confirmed - 1
WHERE confirmed >= (SELECT s.generation FROM sync_state AS s WHERE s.only = 1)";

/// The next page of the bootstrap is the one after `after`.
pub(crate) async fn advance(tx: &Tx, after: &Continuation, loaded: u64, total: u64) -> Res<()> {
    let sql = "UPDATE sync_state SET after = ?, done = done + ?, total = ? WHERE only = 1";
    tx.run(sql, vec![text(after.as_str()), int(signed(loaded)), int(signed(total))]).await.map(drop)
}

/// The page of a first screen is applied, and the bootstrap begins anew.
pub(crate) async fn show_first_screen(tx: &Tx) -> Res<()> {
    tx.run("UPDATE sync_state SET phase = 'first_screen' WHERE only = 1", vec![]).await.map(drop)
}

/// Everything up to `cursor` is applied; with an open run of pages there is more. A page that leads nowhere leaves the row as it
/// was, which SQLite notices: it writes nothing.
pub(crate) async fn follow(tx: &Tx, cursor: &Cursor, run_open: bool) -> Res<()> {
    tx.run(FOLLOW, vec![text(cursor.as_str()), int(run_open.into())]).await.map(drop)
}

const FOLLOW: &str = "
UPDATE sync_state SET phase = 'following', cursor = ?, run_open = ?, after = NULL, done = 0, total = NULL, epoch_pending = 0
WHERE only = 1";

/// What the server says about itself, with every page; nearly always what it said before.
pub(crate) async fn note_server(tx: &Tx, server: &ServerInfo) -> Res<()> {
    let version = Value::BigInt(server.sql_version.map(i64::from));
    let capabilities = serde_json::to_string(&server.capabilities).unwrap_or_default();
    let values = vec![version.clone(), text(capabilities.as_str()), version, text(capabilities)];
    tx.run(NOTE_SERVER, values).await.map(drop)
}

const NOTE_SERVER: &str = "
UPDATE sync_state SET sql_version = ?, capabilities = ? WHERE only = 1 AND (sql_version, capabilities) IS NOT (?, ?)";

/// Who the caller is, by the server's word.
pub(crate) async fn set_me(tx: &Tx, me: Option<Uuid>) -> Res<()> {
    tx.run("UPDATE sync_state SET me_id = ? WHERE only = 1", vec![opt_id(me)]).await.map(drop)
}
