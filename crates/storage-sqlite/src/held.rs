//! A connection outside of any pool. A pool asks a connection after each use whether it is alive, which is another trip to
//! SQLite's thread.
//!
//! The caller may drop its future at any await, with a transaction open. [`Held::leave`] cannot wait: it hands ROLLBACK to
//! the thread, which runs it after what is running now. If no transaction is open, ROLLBACK fails and changes nothing. Before
//! the next use the connection is rolled back again, and that is awaited.
//!
//! SQLite runs on a thread of its own. If that thread dies in the middle of a query, it sends no more rows, and no error. So
//! an answer counts only if every statement of the text has ended ([`Held::run`]); otherwise the connection is dead. It is
//! closed at once, so that it holds no lock on the file, and its owner replaces it.
//!
//! SQL by hand: the end of a transaction.

use crate::{
    error::Res,
    values::{arguments, statement_of},
};
use futures::{Stream, TryStreamExt};
use sea_orm::{
    Value,
    sqlx::{
        Connection, Either, Error, Executor, SqliteConnection,
        sqlite::{SqliteQueryResult, SqliteRow},
    },
};
use std::{
    pin::pin,
    task::{Context, Waker},
};

#[derive(Debug)]
pub(crate) struct Held {
    /// None once its thread has died.
    connection: Option<SqliteConnection>,
    /// Whether a transaction may be open that nobody waits for.
    left_open: bool,
}

/// The answer to a text of statements.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The rows of all of them.
    pub(crate) rows: Vec<SqliteRow>,
    /// How many rows the last of them changed.
    pub(crate) changed: u64,
}

impl Held {
    pub(crate) const fn new(connection: SqliteConnection) -> Self {
        Self { connection: Some(connection), left_open: false }
    }

    /// Whether its thread has died. Nothing can be run on it any more.
    pub(crate) const fn is_dead(&self) -> bool {
        self.connection.is_none()
    }

    /// Rolls back what was left open.
    pub(crate) async fn free(&mut self) -> &mut Self {
        if self.left_open {
            self.roll_back().await;
            self.left_open = false;
        }
        self
    }

    /// Runs a text of exactly `count` statements.
    pub(crate) async fn run(&mut self, text: &str, count: usize, values: Vec<Value>) -> Res<Answer> {
        let statements = statement_of(text.to_owned(), arguments(values)?);
        let connection = self.connection.as_mut().ok_or(Error::WorkerCrashed)?;
        let answer = whole(connection.fetch_many(statements), count).await;
        if matches!(answer, Err(Error::WorkerCrashed)) {
            self.connection = None;
        }
        Ok(answer?)
    }

    pub(crate) async fn roll_back(&mut self) {
        // It fails where no transaction is open, and then there is nothing to do.
        let _ = self.run(ROLLBACK, 1, Vec::new()).await;
    }

    /// Goes away from a transaction that may be open.
    pub(crate) fn leave(&mut self) {
        self.left_open = true;
        let Some(connection) = &mut self.connection else { return };
        // Polling it once hands it over.
        let rollback = pin!(connection.execute(ROLLBACK));
        let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
    }

    pub(crate) async fn close(self) -> Res<()> {
        let Some(connection) = self.connection else { return Ok(()) };
        match connection.close().await {
            // Then it was closed by dropping it.
            Err(Error::WorkerCrashed) => Ok(()),
            closed => Ok(closed?),
        }
    }
}

/// The answer up to the end of the last of `count` statements.
async fn whole(
    answer: impl Stream<Item = Result<Either<SqliteQueryResult, SqliteRow>, Error>>,
    count: usize,
) -> Result<Answer, Error> {
    let mut answer = pin!(answer);
    let (mut whole, mut ended) = (Answer::default(), 0);
    while let Some(part) = answer.try_next().await? {
        match part {
            Either::Right(row) => whole.rows.push(row),
            Either::Left(end) => {
                whole.changed = end.rows_affected();
                ended += 1;
            }
        }
    }
    if ended == count { Ok(whole) } else { Err(Error::WorkerCrashed) }
}

const ROLLBACK: &str = "ROLLBACK";

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    #[tokio::test]
    async fn an_answer_in_which_a_statement_has_not_ended_is_none() {
        let ends = |count: usize| {
            stream::iter((0..count).map(|_| Ok::<_, Error>(Either::<_, SqliteRow>::Left(SqliteQueryResult::default()))))
        };
        whole(ends(3), 3).await.unwrap();
        for count in 0..3 {
            assert!(matches!(whole(ends(count), 3).await, Err(Error::WorkerCrashed)), "{count} of 3");
        }
    }
}
