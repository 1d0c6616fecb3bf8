//! The feed: in which order rows were committed.
//!
//! Every row has one place in the feed, that of the last transaction that changed it; a row that changes again moves to
//! the end. So the feed is as long as the tables, not as their history, and reading it from a position to the end brings
//! the present state of everything that changed since: some states in between are never seen, no row is missed.
//!
//! A pass over the feed fixes its end when it begins. A row that moves beyond that end while the pass is under way is left
//! out of it and belongs to the next one, which begins where this one ended.
//!
//! Places are given at commit, all rows of a transaction at once, so a place can never appear below one that a reader has
//! passed. A database has no such luxury: there a stamp is taken when a row is written and becomes visible at commit,
//! which is why docs/protocol.md leaves the cursor opaque. Everything that knows about places is in this file and in
//! `cursor`.

use super::tables::Deleted;
use fieldpost_domain::{ConversationId, MessageId, OrgId, PersonId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Which row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RowKey {
    Person(OrgId, PersonId),
    Conversation(ConversationId),
    Message(MessageId),
    ReadMarker(ConversationId, PersonId),
    Tombstone(Deleted),
    Access(PersonId, ConversationId),
}

/// Where a row stands: the commit and its order within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) commit: u64,
    pub(super) index: u32,
}

impl Place {
    /// Behind every row of a commit.
    pub(super) const fn end_of(commit: u64) -> Self {
        Self { commit, index: u32::MAX }
    }
}

/// All rows by the order of their last commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Feed {
    last: u64,
    rows: BTreeMap<Place, RowKey>,
    places: HashMap<RowKey, Place>,
}

impl Feed {
    /// The newest commit; zero before the first.
    pub(super) const fn last_commit(&self) -> u64 {
        self.last
    }

    /// Makes a transaction's rows visible: they stand together at the end. `gone` rows leave the feed.
    pub(super) fn commit(&mut self, touched: Vec<RowKey>, gone: &HashSet<RowKey>) {
        if touched.is_empty() && gone.is_empty() {
            return;
        }
        self.last += 1;
        for key in gone {
            self.remove(key);
        }
        for (index, key) in touched.into_iter().filter(|key| !gone.contains(key)).enumerate() {
            self.remove(&key);
            let place = Place { commit: self.last, index: u32::try_from(index).unwrap_or(u32::MAX - 1) };
            self.rows.insert(place, key);
            self.places.insert(key, place);
        }
    }

    /// The rows after a place, up to the end of a commit.
    pub(super) fn between(&self, after: Place, to: u64) -> impl Iterator<Item = (Place, RowKey)> {
        let end = Place::end_of(to);
        let range =
            (after < end).then(|| self.rows.range((std::ops::Bound::Excluded(after), std::ops::Bound::Included(end))));
        range.into_iter().flatten().map(|(place, key)| (*place, *key))
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

    fn after(feed: &Feed, commit: u64, to: u64) -> Vec<RowKey> {
        feed.between(Place::end_of(commit), to).map(|(_, key)| key).collect()
    }

    #[test]
    fn a_row_that_changes_again_moves_to_the_end() {
        let mut feed = Feed::default();
        feed.commit(vec![row(1), row(2)], &HashSet::new());
        feed.commit(vec![row(1)], &HashSet::new());
        assert_eq!(after(&feed, 0, 2), vec![row(2), row(1)]);
        assert_eq!(after(&feed, 1, 2), vec![row(1)]);
    }

    #[test]
    fn a_row_that_moves_beyond_the_end_of_a_pass_is_left_to_the_next() {
        let mut feed = Feed::default();
        feed.commit(vec![row(1)], &HashSet::new());
        let to = feed.last_commit();
        feed.commit(vec![row(1)], &HashSet::new());
        assert_eq!(after(&feed, 0, to), vec![]);
        assert_eq!(after(&feed, to, feed.last_commit()), vec![row(1)]);
    }

    #[test]
    fn a_transaction_without_rows_is_no_commit() {
        let mut feed = Feed::default();
        feed.commit(vec![], &HashSet::new());
        assert_eq!(feed.last_commit(), 0);
    }
}
