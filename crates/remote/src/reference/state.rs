//! The whole state of the server, behind one lock.

use super::{
    SeededRandom, feed::Feed, ids::to_micros, open::OpenTransactions, options::Options, project::OfProject,
    push::Injections, sessions::Sessions, snapshot::Snapshot, tables::Tables, transaction::Transaction, viewer::Viewer,
};
use crate::{PROTOCOL, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{AccessToken, Capabilities, Capability, ConversationDigest, PersonId, Time};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) tables: Tables,
    pub(super) feed: Feed,
    pub(super) epoch: u64,
    pub(super) sessions: Sessions,
    pub(super) random: SeededRandom,
    pub(super) injections: Injections,
    #[cfg(feature = "records")]
    pub(super) record_retries: super::records::Retries,
    pub(super) min_protocol: u32,
    /// Tombstones of the transactions in this snapshot were removed.
    pub(super) compacted: Snapshot,
    /// Transactions that a test holds open.
    pub(super) open: OpenTransactions,
    /// How far tests have moved the clock.
    pub(super) clock_offset: Duration,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        let mut random = SeededRandom::new(options.seed);
        let project = options.project.clone().map_or_else(OfProject::default, OfProject);
        let tables = Tables { project, ..Tables::default() };
        Self {
            epoch: random.next(),
            random,
            options,
            tables,
            feed: Feed::default(),
            sessions: Sessions::default(),
            injections: Injections::default(),
            #[cfg(feature = "records")]
            record_retries: super::records::Retries::default(),
            min_protocol: PROTOCOL,
            compacted: Snapshot::default(),
            open: OpenTransactions::default(),
            clock_offset: Duration::ZERO,
        }
    }

    pub(super) fn now(&self) -> Time {
        to_micros(self.options.clock.now() + self.clock_offset)
    }

    /// Writes in a new transaction and commits.
    pub(super) fn write<T>(&mut self, change: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let (stamp, now) = (self.feed.begin(), self.now());
        self.write_as(stamp, now, change)
    }

    /// Writes in a transaction that began earlier, and commits.
    pub(super) fn write_as<T>(&mut self, stamp: u64, now: Time, change: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let mut transaction = self.transaction(stamp, now);
        let answer = change(&mut transaction);
        transaction.commit();
        answer
    }

    /// A transaction that began earlier, ready to apply its writes.
    pub(super) fn transaction(&mut self, stamp: u64, now: Time) -> Transaction<'_> {
        Transaction::begin(&mut self.tables, &mut self.feed, &mut self.random, stamp, now)
    }

    /// Rolls back all open transactions.
    pub(super) fn roll_back_all(&mut self) {
        self.open = self.open.none_left();
        self.feed.roll_back_all();
    }

    /// The caller, or a refusal of the whole call.
    pub(super) fn caller(&self, token: &AccessToken, operation: &'static str) -> RemoteResult<PersonId> {
        let caller = self.sessions.person_of(token, self.now());
        let caller = caller.ok_or(RemoteError::new(RemoteErrorKind::Unauthorized, operation))?;
        if PROTOCOL < self.min_protocol {
            return Err(RemoteError::new(RemoteErrorKind::ClientTooOld, operation));
        }
        Ok(caller)
    }

    /// The capabilities that the server uses with a client that has these.
    pub(super) fn speaks(&self, client: &Capabilities) -> Capabilities {
        client & &self.options.info.capabilities
    }

    pub(super) fn digest(&self, viewer: &Viewer, speaks: &Capabilities) -> ConversationDigest {
        let ids = viewer.conversations(&self.tables).map(|row| row.id);
        if speaks.contains(&Capability::SetDigest) {
            ConversationDigest::of(ids)
        } else {
            ConversationDigest::sorted(ids)
        }
    }
}
