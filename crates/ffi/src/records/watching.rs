//! Watching records.

use super::{RecordCounts, RecordQuery};
use crate::{Client, RecordDiff, Result, Subscription, listening::listener};
use fieldpost::records;
use futures::TryStreamExt;
use std::sync::Arc;

listener!(
    /// Is told of changes of a list of records.
    RecordsListener,
    Vec<RecordDiff>
);
listener!(
    /// Is told of the sizes of the queue of records.
    RecordCountsListener,
    RecordCounts
);

#[uniffi::export]
impl Client {
    /// Watches the records that a query asks for. The first update is a reset.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidRecord`] when a condition does not fit the table.
    pub async fn watch_records(
        &self,
        query: RecordQuery,
        listener: Box<dyn RecordsListener>,
    ) -> Result<Arc<Subscription>> {
        let query: records::RecordQuery = query.try_into()?;
        self.run(|client| async move {
            let table = query.table.clone();
            let (shown, updates) = client.records(&table).watch(query).await?;
            Subscription::follow(listener, Some(RecordDiff::reset(shown)), updates.map_ok(RecordDiff::all))
        })
        .await
    }

    /// Watches the sizes of the queue of records. The first update is what they are now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] without tables.
    pub fn watch_record_counts(&self, listener: Box<dyn RecordCountsListener>) -> Result<Arc<Subscription>> {
        Subscription::follow(listener, None, self.sdk()?.watch_record_counts()?.map_ok(RecordCounts::from))
    }
}
