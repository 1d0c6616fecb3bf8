//! The connections that read, and one reading on them.
//!
//! They are connected when they are first needed, and kept. What came back last goes out first: its cache is warm. A query by
//! itself sees one state, so BEGIN and COMMIT, which are trips of their own, are for readings of several queries only.
//!
//! SQL by hand: the ends of a transaction.

use crate::{
    connect::reader,
    error::{Fault, Res},
    held::Held,
    options::SqliteOptions,
};
use fieldpost_storage::StorageErrorKind;
use sea_orm::{Value, sqlx::sqlite::SqliteRow};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The place of the reading connections.
#[derive(Debug, Clone)]
pub(crate) struct Readers(Arc<Place>);

#[derive(Debug)]
struct Place {
    options: SqliteOptions,
    /// Those that nobody uses.
    idle: Mutex<Vec<Held>>,
    /// One for each connection that there may be: whoever has none waits. Closed, it sends away who waits.
    door: Arc<Semaphore>,
    /// As many, taken once one is through the door: when all are there, nobody reads.
    inside: Arc<Semaphore>,
}

impl Readers {
    /// Connects the first of them.
    pub(crate) async fn connect(options: &SqliteOptions) -> Res<Self> {
        let idle = Mutex::new(vec![Held::new(reader(options).await?)]);
        let places = || Arc::new(Semaphore::new(options.most_readers() as usize));
        Ok(Self(Arc::new(Place { options: options.clone(), idle, door: places(), inside: places() })))
    }

    /// Whether they read on a disk that is full.
    pub(crate) fn are_frozen(&self) -> bool {
        self.0.options.is_frozen()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lend(&self) -> Res<Lent> {
        let closed = |_| Fault::kind(StorageErrorKind::Closed);
        let door = Arc::clone(&self.0.door).acquire_owned().await.map_err(closed)?;
        let inside = Arc::clone(&self.0.inside).acquire_owned().await.map_err(closed)?;
        let idle = self.idle().pop();
        let held = match idle {
            Some(held) => held,
            None => Held::new(reader(&self.0.options).await?),
        };
        Ok(Lent { held: Some(held), open: false, readers: self.clone(), _places: [inside, door] })
    }

    /// Sends away who waits and whoever asks from now on, waits for those that are in use, and closes all.
    pub(crate) async fn close(self) -> Res<()> {
        self.0.door.close();
        // Never closed: there is nobody who could fail to come out.
        let _all = self.0.inside.acquire_many(self.0.options.most_readers()).await;
        let idle = std::mem::take(&mut *self.idle());
        let mut closed = Ok(());
        for held in idle {
            closed = closed.and(held.close().await);
        }
        closed
    }
}

/// A connection that goes back when this is dropped.
#[derive(Debug)]
struct Lent {
    /// None once it went back.
    held: Option<Held>,
    /// Whether a transaction may be open.
    open: bool,
    readers: Readers,
    _places: [OwnedSemaphorePermit; 2],
}

impl Lent {
    fn held(&mut self) -> Res<&mut Held> {
        self.held.as_mut().ok_or_else(|| Fault::kind(StorageErrorKind::Closed))
    }

    async fn all(&mut self, sql: &str, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        let open = self.open;
        let held = self.held()?;
        if !open {
            held.free().await;
        }
        let answer = held.run(sql, 1, values).await;
        // One whose thread has died does not go back, and the next caller connects another.
        self.held.take_if(|held| held.is_dead());
        Ok(answer?.rows)
    }

    async fn run(&mut self, sql: &'static str) -> Res<()> {
        self.all(sql, Vec::new()).await.map(drop)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else { return };
        if self.open {
            held.leave();
        }
        self.readers.idle().push(held);
    }
}

/// Queries on one connection.
#[derive(Debug)]
pub(crate) struct Reading {
    readers: Readers,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Nothing was asked yet, and one query may be.
    Single,
    /// It was.
    Spent,
    Transaction(Lent),
}

impl Reading {
    /// For one query.
    pub(crate) const fn single(readers: Readers) -> Self {
        Self { readers, stage: Stage::Single }
    }

    /// Begins a transaction.
    pub(crate) async fn begin(readers: Readers) -> Res<Self> {
        let mut lent = readers.lend().await?;
        lent.held()?.free().await;
        lent.open = true;
        lent.run("BEGIN").await?;
        Ok(Self { readers, stage: Stage::Transaction(lent) })
    }

    /// All rows of a query.
    pub(crate) async fn all(&mut self, sql: &str, values: Vec<Value>) -> Res<Vec<SqliteRow>> {
        match &mut self.stage {
            Stage::Transaction(lent) => lent.all(sql, values).await,
            Stage::Single => {
                self.stage = Stage::Spent;
                let mut lent = self.readers.lend().await?;
                lent.all(sql, values).await
            }
            Stage::Spent => Err(spent()),
        }
    }

    pub(crate) async fn commit(self) -> Res<()> {
        if let Stage::Transaction(mut lent) = self.stage {
            lent.run("COMMIT").await?;
            lent.open = false;
        }
        Ok(())
    }
}

/// A second statement could see another state than the first.
fn spent() -> Fault {
    Fault::of(StorageErrorKind::Other, Some("two statements outside of a transaction".to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::{SqliteOptions, SqliteStore, deadly};
    use fieldpost_storage::{Conversations, Store};
    use std::{
        pin::pin,
        task::{Context, Waker},
    };
    use tracing::Instrument;

    #[tokio::test]
    async fn a_reading_thread_that_has_died_is_replaced() {
        // Given
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("fieldpost.db")).readers(1);
        let store = SqliteStore::open(options).await.unwrap();
        assert!(store.conversations(10).await.unwrap().is_empty());

        // When
        {
            let _deadly = deadly::threads();
            store.conversations(10).instrument(tracing::info_span!("deadly")).await.unwrap_err();
        }

        // Then
        assert!(store.conversations(10).await.unwrap().is_empty());
        let read = store.db.read("test").await.unwrap();
        read.finish(Ok(())).await.unwrap();
    }

    #[tokio::test]
    async fn a_pause_that_was_given_up_leaves_nobody_waiting_for_a_connection() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("fieldpost.db")).readers(1);
        let store = SqliteStore::open(options).await.unwrap();
        let read = store.db.read("test").await.unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = pin!(store.conversations(10));
        assert!(waiting.as_mut().poll(&mut context).is_pending());

        assert!(pin!(store.pause()).poll(&mut context).is_pending());
        waiting.await.unwrap_err();

        drop(read);
        store.resume().await.unwrap();
        assert!(store.conversations(10).await.unwrap().is_empty());
    }
}
