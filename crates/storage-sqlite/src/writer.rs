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
    encryption::CHECKPOINT,
    error::{Fault, Res},
    held::Held,
    options::SqliteOptions,
};
use fieldpost_storage::{ChangeSet, StorageErrorKind};
use sea_orm::{
    Value,
    sqlx::{Row as _, sqlite::SqliteRow},
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
    options: SqliteOptions,
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
    /// How much was committed since the last checkpoint, by [`Durability::weight`].
    since_checkpoint: u32,
}

/// After how much the writer makes one where SQLite does not: about as often.
const MUCH: u32 = 500;

impl Durability {
    /// A page of a sync is about so many times a write of a person.
    const fn weight(self) -> u32 {
        match self {
            Self::Process => 16,
            Self::PowerCut => 1,
        }
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Writer {
    pub(crate) const fn new(options: SqliteOptions, connections: Connections) -> Self {
        let connections = Some(connections);
        Self {
            options,
            connections,
            durability: None,
            closing: None,
            version: None,
            unreported: false,
            since_checkpoint: 0,
        }
    }

    /// The writing connection, on which nothing is open. One whose thread has died is replaced.
    pub(crate) async fn free(&mut self) -> Res<&mut Held> {
        let connections = self.connections.as_mut().ok_or_else(paused)?;
        if connections.writer.is_dead() {
            // Nobody knows whether its last transaction was committed. Without a version the next one reports everything.
            (self.durability, self.version) = (None, None);
            connections.replace_writer(&self.options).await?;
        }
        Ok(self.held()?.free().await)
    }

    fn held(&mut self) -> Res<&mut Held> {
        self.connections.as_mut().map(|connections| &mut connections.writer).ok_or_else(paused)
    }

    /// Gets the connection ready for a transaction.
    pub(crate) async fn prepare(&mut self, durability: Durability) -> Res<()> {
        self.free().await?;
        self.since_checkpoint += durability.weight();
        if cfg!(feature = "encryption") && self.since_checkpoint > MUCH {
            self.checkpoint().await?;
        }
        if self.durability != Some(durability) {
            // This call may be dropped meanwhile; then nobody knows, and the next writer sets it again.
            self.durability = None;
            self.held()?.run(pragma(durability), 1, Vec::new()).await?;
            self.durability = Some(durability);
        }
        Ok(())
    }

    /// Moves the log into the file, as far as that can be done now.
    pub(crate) async fn checkpoint(&mut self) -> Res<()> {
        self.since_checkpoint = 0;
        self.free().await?.run(CHECKPOINT, 1, Vec::new()).await.map(drop)
    }

    /// Moves the whole log into the file and empties it; busy if somebody reads what is in it.
    pub(crate) async fn empty_log(&mut self) -> Res<()> {
        let answer = self.free().await?.run("PRAGMA wal_checkpoint(TRUNCATE)", 1, Vec::new()).await?;
        let blocked = answer.rows.first().map(|row| row.try_get::<i64, _>(0)).transpose()?;
        if blocked == Some(0) { Ok(()) } else { Err(Fault::kind(StorageErrorKind::Busy)) }
    }

    /// Whether others have committed since somebody looked last.
    pub(crate) async fn look_for_others(&mut self) -> Res<bool> {
        let answer = self.free().await?.run("PRAGMA data_version", 1, Vec::new()).await?;
        for row in answer.rows {
            self.saw(row.try_get(0)?);
        }
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

fn paused() -> Fault {
    Fault::kind(StorageErrorKind::Paused)
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
        Ok(self.turn.held()?.run(sql, 1, values).await?.changed)
    }

    /// All rows of a query.
    pub(crate) async fn all(&mut self, sql: &str, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        self.rows(sql, 1, values).await
    }

    /// The rows of the last `count` statements; commits in the same trip. The rows are returned once that is done.
    pub(crate) async fn last(&mut self, sql: &str, count: usize, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        let rows = self.rows(&format!("{sql};{COMMIT}"), count + 1, values).await?;
        self.stage = Stage::Ended;
        Ok(rows)
    }

    /// With BEGIN in front of the first statements.
    async fn rows(&mut self, sql: &str, count: usize, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        let stage = std::mem::replace(&mut self.stage, Stage::Open);
        let held = self.turn.held()?;
        match stage {
            Stage::Open => Ok(held.run(sql, count, values).await?.rows),
            Stage::Before => {
                let answer = held.run(&format!("{BEGIN};{sql}"), 2 + count, values).await?;
                let mut rows = answer.rows.into_iter();
                if let Some(version) = rows.next() {
                    self.turn.saw(version.try_get(0)?);
                }
                Ok(rows.collect())
            }
            Stage::Ended => {
                self.stage = stage;
                Err(ended())
            }
        }
    }

    /// Notes what will look different once this is committed.
    pub(crate) fn changed(&mut self, changes: ChangeSet) {
        self.changes.merge(changes);
    }

    /// Commits, and answers what looks different.
    pub(crate) async fn commit(&mut self) -> Res<ChangeSet> {
        if self.stage == Stage::Open {
            self.turn.held()?.run(COMMIT, 1, Vec::new()).await?;
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
            Stage::Before => self.rows("", 0, Vec::new()).await.map(drop),
            Stage::Open => Ok(()),
            Stage::Ended => Err(ended()),
        }
    }
}

/// It would be a transaction of its own.
fn ended() -> Fault {
    Fault::of(StorageErrorKind::Other, Some("a statement after the end of its transaction".to_owned()))
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
        deadly,
        error::Res,
        row::Row,
        sql::{Bound, id},
    };
    use fieldpost_storage::{ChangeSet, Sessions, Store, conformance::build};
    use tracing::Instrument;

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
    async fn a_writing_thread_that_has_died_is_replaced() {
        // Given
        let (_folder, here, other) = stores().await;
        here.save_session(&build::session(&build::iris(), 1)).await.unwrap();
        let mut heard = here.changes();

        // When
        let write = here.db.write("test", Durability::PowerCut).await.unwrap();
        write.tx().run("DELETE FROM session", vec![]).await.unwrap();
        let died = {
            let _deadly = deadly::threads();
            write.tx().run("DELETE FROM account", vec![]).instrument(tracing::info_span!("deadly")).await
        };
        assert!(died.is_err());
        write.finish(died).await.unwrap_err();

        // Then
        assert_eq!(other.session().await.unwrap(), Some(build::session(&build::iris(), 1)), "nothing was written");
        other.save_session(&build::session(&build::iris(), 2)).await.unwrap();
        here.save_session(&build::session(&build::iris(), 3)).await.unwrap();
        assert_eq!(other.session().await.unwrap(), Some(build::session(&build::iris(), 3)));
        assert_eq!(heard.take(), ChangeSet::everything(), "what others committed meanwhile is reported");
    }

    #[tokio::test]
    async fn a_file_is_let_go_of_whose_writing_thread_has_died() {
        let (_folder, here, _other) = stores().await;
        {
            let _deadly = deadly::threads();
            let session = build::session(&build::iris(), 1);
            here.save_session(&session).instrument(tracing::info_span!("deadly")).await.unwrap_err();
        }
        here.pause().await.unwrap();
        here.resume().await.unwrap();
        here.save_session(&build::session(&build::iris(), 1)).await.unwrap();
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
