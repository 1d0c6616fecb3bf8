//! The feed: for each row, the transaction that last changed it.
//!
//! Every row has one place in the feed, that of the last transaction that changed it; a row that changes again moves to
//! the end. So the feed is as long as the tables, not as their history. Reading it from a position to the end brings
//! the current state of everything that changed since: a reader may miss intermediate states, but never a row.
//!
//! A pass over the feed fixes its end when it starts. A row that moves beyond that end during the pass is left to the
//! next pass, which starts where this one ended.
//!
//! A place starts with the transaction's number. A transaction gets its number when it begins, but its rows become
//! visible when it commits. So, as in a database, a place can appear below one that a reader has already passed. That
//! is why a position is a [`Snapshot`] and not a place: a row belongs to the first pass whose end sees its transaction.

use super::live::Listeners;
#[cfg(feature = "records")]
use super::records::RecordKey;
use super::{snapshot::Snapshot, tables::Deleted};
use fieldpost_domain::{ConversationId, MessageId, OrgId, PersonId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The key of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RowKey {
    Person(OrgId, PersonId),
    Conversation(ConversationId),
    Message(MessageId),
    ReadMarker(ConversationId, PersonId),
    /// The reactions to a message.
    Reactions(MessageId),
    Settings(ConversationId, PersonId),
    Tombstone(Deleted),
    Access(PersonId, ConversationId),
    #[cfg(feature = "records")]
    Record(RecordKey),
    /// What the members of an org are told of a record that is no longer theirs.
    #[cfg(feature = "records")]
    RecordTombstone(RecordKey, OrgId),
}

/// The place of a row: the transaction that last changed it, and its order within that transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) stamp: u64,
    pub(super) index: u32,
}

impl Place {
    /// The place before every row of a transaction.
    pub(super) const fn start_of(stamp: u64) -> Self {
        Self { stamp, index: 0 }
    }

    /// The place after this one.
    pub(super) const fn next(self) -> Self {
        Self { stamp: self.stamp, index: self.index.saturating_add(1) }
    }
}

/// All rows by the transaction that last changed them.
#[derive(Debug, Clone, Default)]
pub(super) struct Feed {
    /// The number of the last transaction that began.
    last: u64,
    running: BTreeSet<u64>,
    commits: u64,
    rows: BTreeMap<Place, RowKey>,
    places: HashMap<RowKey, Place>,
    /// Who is told of a commit.
    pub(super) listeners: Listeners,
}

impl Feed {
    /// The transactions that have ended by now.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot { next: self.last + 1, running: self.running.clone() }
    }

    /// How many transactions have changed something.
    pub(super) const fn commits(&self) -> u64 {
        self.commits
    }

    /// Gives a transaction its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.last += 1;
        self.running.insert(self.last);
        self.last
    }

    /// Ends a transaction; only its number remains.
    pub(super) fn roll_back(&mut self, stamp: u64) {
        self.running.remove(&stamp);
    }

    /// Rolls back all running transactions.
    pub(super) fn roll_back_all(&mut self) {
        self.running.clear();
    }

    /// Makes a transaction's rows visible, all at once. `gone` rows leave the feed.
    pub(super) fn commit(&mut self, stamp: u64, touched: Vec<RowKey>, gone: &HashSet<RowKey>) {
        self.running.remove(&stamp);
        if touched.is_empty() && gone.is_empty() {
            return;
        }
        self.commits += 1;
        for key in gone {
            self.remove(key);
        }
        for (index, key) in touched.into_iter().filter(|key| !gone.contains(key)).enumerate() {
            self.remove(&key);
            let place = Place { stamp, index: u32::try_from(index).unwrap_or(u32::MAX - 1) };
            self.rows.insert(place, key);
            self.places.insert(key, place);
        }
    }

    /// The rows, from a place on, that became visible between two snapshots.
    pub(super) fn between(&self, at: Place, from: &Snapshot, to: &Snapshot) -> impl Iterator<Item = (Place, RowKey)> {
        let rows = self.rows.range(at.max(Place::start_of(from.floor()))..);
        rows.filter(|(place, _)| !from.sees(place.stamp) && to.sees(place.stamp)).map(|(place, key)| (*place, *key))
    }

    fn remove(&mut self, key: &RowKey) {
        if let Some(place) = self.places.remove(key) {
            self.rows.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row(number: u128) -> RowKey {
        RowKey::Message(MessageId::from_uuid(Uuid::from_u128(number)))
    }

    fn commit(feed: &mut Feed, rows: Vec<RowKey>) {
        let stamp = feed.begin();
        feed.commit(stamp, rows, &HashSet::new());
    }

    fn between(feed: &Feed, from: &Snapshot, to: &Snapshot) -> Vec<RowKey> {
        feed.between(Place::start_of(0), from, to).map(|(_, key)| key).collect()
    }

    #[test]
    fn a_row_that_changes_again_moves_to_the_end() {
        let mut feed = Feed::default();
        let start = feed.snapshot();
        commit(&mut feed, vec![row(1), row(2)]);
        let middle = feed.snapshot();
        commit(&mut feed, vec![row(1)]);
        assert_eq!(between(&feed, &start, &feed.snapshot()), vec![row(2), row(1)]);
        assert_eq!(between(&feed, &middle, &feed.snapshot()), vec![row(1)]);
    }

    #[test]
    fn a_row_that_moves_beyond_the_end_of_a_pass_is_left_to_the_next() {
        let mut feed = Feed::default();
        let start = feed.snapshot();
        commit(&mut feed, vec![row(1)]);
        let to = feed.snapshot();
        commit(&mut feed, vec![row(1)]);
        assert_eq!(between(&feed, &start, &to), vec![]);
        assert_eq!(between(&feed, &to, &feed.snapshot()), vec![row(1)]);
    }

    #[test]
    fn what_began_earlier_and_commits_later_is_in_the_pass_after_its_commit() {
        let mut feed = Feed::default();
        let start = feed.snapshot();
        let slow = feed.begin();
        commit(&mut feed, vec![row(2)]);
        let first = feed.snapshot();
        assert_eq!(between(&feed, &start, &first), vec![row(2)]);
        feed.commit(slow, vec![row(1)], &HashSet::new());
        assert_eq!(between(&feed, &first, &feed.snapshot()), vec![row(1)]);
    }

    #[test]
    fn a_transaction_without_rows_is_no_commit() {
        let mut feed = Feed::default();
        commit(&mut feed, vec![]);
        assert_eq!(feed.commits(), 0);
    }
}
