//! Watching records.

use super::{Record, RecordCounts, RecordQuery, Records};
use crate::{
    Client, Result, Updates, Vector, VectorDiff,
    watch::{View, Watcher, begin, difference, follow},
};
use fieldpost_storage::ChangeSet;

impl Records {
    /// The records that a query asks for, and a stream of their changes. Nothing is lost between the two.
    ///
    /// # Errors
    /// As [`Records::query`].
    pub async fn watch(&self, mut query: RecordQuery) -> Result<(Vector<Record>, Updates<Vec<VectorDiff<Record>>>)> {
        query.table = self.table().clone();
        let watcher = Watcher::of_records(self.client())?;
        let shown: Vector<Record> = self.query(query.clone()).await?.into();
        Ok((shown.clone(), follow(watcher, Shown { query, shown })))
    }
}

/// The result of a query, as last emitted.
struct Shown {
    query: RecordQuery,
    shown: Vector<Record>,
}

impl View for Shown {
    type Update = Vec<VectorDiff<Record>>;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        changes.records.contains(&self.query.table)
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<Self::Update>> {
        let now = client.record_store()?.records(&self.query).await?;
        let diffs = difference(&self.shown, now, |record| record.id);
        diffs.iter().for_each(|diff| diff.clone().apply(&mut self.shown));
        Ok(Some(diffs).filter(|diffs| !diffs.is_empty()))
    }
}

impl Client {
    /// The sizes of the queue of records: their present values, then every change.
    ///
    /// # Errors
    /// When no table is declared.
    pub fn watch_record_counts(&self) -> Result<Updates<RecordCounts>> {
        Ok(begin(Watcher::of_records(self)?, Counts(None)))
    }
}

/// The counts as last emitted.
struct Counts(Option<RecordCounts>);

impl View for Counts {
    type Update = RecordCounts;

    fn concerns(&self, changes: &ChangeSet) -> bool {
        changes.record_queue
    }

    async fn refresh(&mut self, client: &Client, _: &ChangeSet) -> Result<Option<RecordCounts>> {
        let now = client.record_counts().await?;
        Ok(Some(now).filter(|now| self.0.replace(*now) != Some(*now)))
    }
}
