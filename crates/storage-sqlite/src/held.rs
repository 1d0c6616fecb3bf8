//! A connection that is held by itself, outside of any pool: a pool asks it after each use whether it still lives, which is
//! another trip to SQLite's thread.
//!
//! Whoever uses it may go away at any await, with a transaction open. [`Held::leave`], which cannot wait, hands ROLLBACK over to
//! the thread, where it runs after what is running there. Where the transaction had ended already, ROLLBACK fails and changes
//! nothing. Before the connection is used again it is rolled back once more, and that is waited for.
//!
//! SQL by hand: the end of a transaction.

use crate::error::Res;
use sea_orm::sqlx::{Connection, Executor, SqliteConnection};
use std::{
    pin::pin,
    task::{Context, Waker},
};

#[derive(Debug)]
pub(crate) struct Held {
    connection: SqliteConnection,
    /// Whether a transaction may be open that nobody waits for.
    left_open: bool,
}

impl Held {
    pub(crate) const fn new(connection: SqliteConnection) -> Self {
        Self { connection, left_open: false }
    }

    /// It, with nothing open on it.
    pub(crate) async fn free(&mut self) -> &mut SqliteConnection {
        if self.left_open {
            self.roll_back().await;
            self.left_open = false;
        }
        &mut self.connection
    }

    /// It, in the middle of a transaction.
    pub(crate) const fn open(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(crate) async fn roll_back(&mut self) {
        // It fails where no transaction is open, and then there is nothing to do.
        let _ = self.connection.execute(ROLLBACK).await;
    }

    /// Goes away from a transaction that may be open.
    pub(crate) fn leave(&mut self) {
        self.left_open = true;
        // Polling it once hands it over.
        let rollback = pin!(self.connection.execute(ROLLBACK));
        let _ = rollback.poll(&mut Context::from_waker(Waker::noop()));
    }

    pub(crate) async fn close(self) -> Res<()> {
        Ok(self.connection.close().await?)
    }
}

const ROLLBACK: &str = "ROLLBACK";
