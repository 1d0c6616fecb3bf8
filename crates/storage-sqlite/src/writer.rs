//! The connection that writes, and one transaction on it.
//!
//! SQLite runs on a thread of its own, and the way there and back wakes two threads: it costs more than most statements. So a
//! transaction goes there as rarely as it can. BEGIN travels with the first query, and COMMIT, where the last statements are
//! known to be the last, with those ([`Writing::last`]). A send is one trip.
//!
//! A text of several statements stops at the first that fails, or after the one that is running when its caller goes away. The
//! transaction is then open and half done, so from the moment that BEGIN may have been sent until COMMIT has returned, whatever
//! ends a transaction rolls it back: a failure waits for that, and [`Drop`] leaves it to the connection ([`Held::leave`]).
//!
//! SQL by hand: the ends of a transaction, and pragmas.

use crate::{
    connections::Connections,
    error::{Fault, Res},
    held::Held,
    values::{arguments, statement_of},
};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{
    Value,
    sqlx::{Executor, Row as _, SqliteConnection, sqlite::SqliteRow},
};
use std::{fmt, pin::Pin};
use tokio::sync::OwnedMutexGuard;

/// What a transaction must survive once it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The end of this process.
    Process,
    /// A power cut.
    PowerCut,
}

/// The place of the connections.
pub(crate) struct Writer {
    /// None while the file is let go of.
    connections: Option<Connections>,
    /// What the writing one is switched to; none when that is not known for sure.
    durability: Option<Durability>,
    /// Letting go of the file, until that is through.
    closing: Option<BoxFuture<Res<()>>>,
    /// What others have committed, by the name that SQLite has for it; none when that was not looked at.
    version: Option<i64>,
    /// Something may have been committed that was not reported.
    unreported: bool,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Writer {
    pub(crate) const fn new(connections: Connections) -> Self {
        Self { connections: Some(connections), durability: None, closing: None, version: None, unreported: false }
    }

    /// The writing connection, on which nothing is open.
    pub(crate) async fn free(&mut self) -> Res<&mut SqliteConnection> {
        Ok(self.held()?.free().await)
    }

    fn held(&mut self) -> Res<&mut Held> {
        let connections = self.connections.as_mut().ok_or_else(|| Fault::kind(StorageErrorKind::Paused))?;
        Ok(&mut connections.writer)
    }

    /// Gets the connection ready for a transaction.
    pub(crate) async fn prepare(&mut self, durability: Durability) -> Res<()> {
        if self.durability != Some(durability) {
            // This call may be dropped meanwhile; then nobody knows, and the next writer sets it again.
            self.durability = None;
            self.free().await?.execute(pragma(durability)).await?;
            self.durability = Some(durability);
        }
        self.free().await.map(drop)
    }

    /// Whether others have committed since somebody looked last.
    pub(crate) async fn look_for_others(&mut self) -> Res<bool> {
        let row = self.free().await?.fetch_one("PRAGMA data_version").await?;
        self.saw(row.try_get(0)?);
        Ok(std::mem::take(&mut self.unreported))
    }

    fn saw(&mut self, version: i64) {
        self.unreported |= self.version.replace(version) != Some(version);
    }

    /// Closes what is open. Given up half way, it goes on from there when it is called again.
    pub(crate) async fn close(&mut self) -> Res<()> {
        self.durability = None;
        if let Some(connections) = self.connections.take() {
            self.closing = Some(Box::pin(connections.close()));
        }
        let Some(closing) = &mut self.closing else { return Ok(()) };
        let closed = closing.await;
        self.closing = None;
        closed
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("connections", &self.connections).finish_non_exhaustive()
    }
}

const fn pragma(durability: Durability) -> &'static str {
    match durability {
        Durability::Process => "PRAGMA synchronous = NORMAL",
        Durability::PowerCut => "PRAGMA synchronous = FULL",
    }
}

/// The version changes when somebody else has committed, and only then.
const BEGIN: &str = "BEGIN IMMEDIATE;PRAGMA data_version";
const COMMIT: &str = "COMMIT";

/// A transaction that writes, on the connection whose turn it has.
#[derive(Debug)]
pub(crate) struct Writing {
    turn: OwnedMutexGuard<Writer>,
    stage: Stage,
    /// What will look different once this is committed.
    changes: ChangeSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// BEGIN was not sent yet.
    Before,
    /// BEGIN may have been sent, and COMMIT has not returned.
    Open,
    Ended,
}

impl Writing {
    /// On a connection that is prepared.
    pub(crate) fn new(turn: OwnedMutexGuard<Writer>) -> Self {
        Self { turn, stage: Stage::Before, changes: ChangeSet::default() }
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn run(&mut self, sql: &str, values: Vec<Value>) -> Res<u64> {
        // By itself: SQLite says of a BEGIN that it changed as many rows as the statement before it.
        self.begin().await?;
        let statement = statement_of(sql.to_owned(), arguments(values)?);
        Ok(self.turn.held()?.open().execute(statement).await?.rows_affected())
    }

    /// The first row of a query.
    pub(crate) async fn one(&mut self, sql: &str, values: Vec<Value>) -> Res<Option<SqliteRow>> {
        if self.stage == Stage::Before {
            return Ok(self.all(sql, values).await?.into_iter().next());
        }
        let statement = statement_of(self.entered(sql)?, arguments(values)?);
        Ok(self.turn.held()?.open().fetch_optional(statement).await?)
    }

    /// All rows of a query.
    pub(crate) async fn all(&mut self, sql: &str, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        let begins = self.stage == Stage::Before;
        let statement = statement_of(self.entered(sql)?, arguments(values)?);
        let mut rows = self.turn.held()?.open().fetch_all(statement).await?;
        if begins && !rows.is_empty() {
            let version = rows.remove(0).try_get(0)?;
            self.turn.saw(version);
        }
        Ok(rows)
    }

    /// As [`Writing::all`], and commits in the same trip. The rows are returned once that is done.
    pub(crate) async fn last(&mut self, sql: &str, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        let rows = self.all(&format!("{sql};{COMMIT}"), values).await?;
        self.stage = Stage::Ended;
        Ok(rows)
    }

    /// Notes what will look different once this is committed.
    pub(crate) fn changed(&mut self, changes: ChangeSet) {
        self.changes.merge(changes);
    }

    /// Commits, and answers what looks different.
    pub(crate) async fn commit(&mut self) -> Res<ChangeSet> {
        if self.stage == Stage::Open {
            let statement = statement_of(COMMIT.to_owned(), arguments(Vec::new())?);
            self.turn.held()?.open().execute(statement).await?;
        }
        self.stage = Stage::Ended;
        let own = std::mem::take(&mut self.changes);
        Ok(if std::mem::take(&mut self.turn.unreported) { ChangeSet::everything() } else { own })
    }

    /// Rolls back, and answers what looks different because others have committed.
    pub(crate) async fn rollback(&mut self) -> ChangeSet {
        if let (Stage::Open, Ok(held)) = (self.stage, self.turn.held()) {
            held.roll_back().await;
        }
        self.stage = Stage::Ended;
        if std::mem::take(&mut self.turn.unreported) { ChangeSet::everything() } else { ChangeSet::nothing() }
    }

    async fn begin(&mut self) -> Res<()> {
        match self.stage {
            Stage::Before => self.all("", Vec::new()).await.map(drop),
            Stage::Open => Ok(()),
            Stage::Ended => Err(ended()),
        }
    }

    /// What to send for a query: with BEGIN in front of the first one.
    fn entered(&mut self, sql: &str) -> Res<String> {
        let sent = match self.stage {
            Stage::Before => format!("{BEGIN};{sql}"),
            Stage::Open => sql.to_owned(),
            Stage::Ended => return Err(ended()),
        };
        self.stage = Stage::Open;
        Ok(sent)
    }
}

/// It would be a transaction of its own.
fn ended() -> Fault {
    Fault::Kind(StorageErrorKind::Other, Some("a statement after the end of its transaction".to_owned()))
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let (Stage::Open, Ok(held)) = (self.stage, self.turn.held()) {
            held.leave();
            // It may have been committed all the same.
            self.turn.unreported = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Durability;
    use crate::{
        SqliteStore,
        db::Write,
        error::Res,
        row::Row,
        sql::{Bound, id},
    };
    use fieldpost_storage::{Sessions, conformance::build};

    async fn fails_in_the_middle(write: &Write<'_>) -> Res<Row> {
        let claim = "INSERT INTO account (only, person_id) VALUES (1, ?)";
        write
            .tx()
            .last_row([
                Bound::new(claim, vec![id(build::iris().id.as_uuid())]),
                Bound::new("INSERT INTO account (only) VALUES (2)", vec![]),
                Bound::new("SELECT 1", vec![]),
            ])
            .await
    }

    async fn stores() -> (tempfile::TempDir, SqliteStore, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fieldpost.db");
        let here = SqliteStore::open(path.clone()).await.unwrap();
        let other = SqliteStore::open(path).await.unwrap();
        (folder, here, other)
    }

    /// Nothing was written, and both can write.
    async fn assert_untouched(here: &SqliteStore, other: &SqliteStore) {
        assert_eq!(other.account().await.unwrap(), None);
        other.claim(build::ada().id).await.unwrap();
        here.save_session(&build::session(&build::ada(), 1)).await.unwrap();
        assert_eq!(other.account().await.unwrap(), Some(build::ada().id));
    }

    #[tokio::test]
    async fn what_fails_in_the_middle_of_the_last_trip_leaves_nothing() {
        let (_folder, here, other) = stores().await;
        let write = here.db.write("test", Durability::PowerCut).await.unwrap();
        let failed = fails_in_the_middle(&write).await;
        write.finish(failed.map(drop)).await.unwrap_err();
        assert_untouched(&here, &other).await;
    }

    #[tokio::test]
    async fn what_is_dropped_after_a_failure_leaves_nothing() {
        let (_folder, here, other) = stores().await;
        let write = here.db.write("test", Durability::PowerCut).await.unwrap();
        assert!(fails_in_the_middle(&write).await.is_err());
        drop(write);
        assert_untouched(&here, &other).await;
    }

    #[tokio::test]
    async fn what_is_dropped_before_its_end_leaves_nothing() {
        let (_folder, here, other) = stores().await;
        let write = here.db.write("test", Durability::PowerCut).await.unwrap();
        let claim = "INSERT INTO account (only, person_id) VALUES (1, ?)";
        assert_eq!(write.tx().run(claim, vec![id(build::iris().id.as_uuid())]).await.unwrap(), 1);
        drop(write);
        assert_untouched(&here, &other).await;
    }

    #[tokio::test]
    async fn a_transaction_ends_with_its_last_trip() {
        let (_folder, here, other) = stores().await;
        let write = here.db.write("test", Durability::PowerCut).await.unwrap();
        let claim = "INSERT INTO account (only, person_id) VALUES (1, ?)";
        let last = [Bound::new(claim, vec![id(build::iris().id.as_uuid())]), Bound::new("SELECT 1", vec![])];
        assert_eq!(write.tx().last_row(last).await.unwrap().only::<i64>().unwrap(), 1);
        assert_eq!(other.account().await.unwrap(), Some(build::iris().id));
        assert!(write.tx().run("DELETE FROM account", vec![]).await.is_err());
        write.finish(Ok(())).await.unwrap();
        assert_eq!(other.account().await.unwrap(), Some(build::iris().id));
    }
}
