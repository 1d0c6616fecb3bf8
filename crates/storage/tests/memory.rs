//! The conformance suite on the reference implementation.
#![cfg(feature = "conformance")]

use fieldpost_domain::Changes;
use fieldpost_storage::{
    Outbox as _, Store,
    conformance::{Device, build, given},
    memory::MemoryStore,
};
use std::sync::Arc;

#[derive(Default)]
struct MemoryDevice(MemoryStore);

#[async_trait::async_trait]
impl Device for MemoryDevice {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.reopen())
    }
}

fieldpost_storage::storage_conformance!(MemoryDevice::default());

/// The same suite, which also checks that each commit reports what looks different.
mod reported {
    use super::MemoryDevice;
    use fieldpost_storage::conformance::reported::Reported;

    fieldpost_storage::storage_conformance!(Reported(MemoryDevice::default()));
}

/// A test simulates a crash by resetting the disk to an earlier moment.
#[tokio::test]
async fn restore_resets_the_disk_to_the_snapshot() {
    let store = MemoryStore::new();
    given::loaded(&store, Changes { conversations: vec![build::direct(1, 0)], ..Changes::default() }).await;
    given::sent(&store, 1, build::conversation_id(1)).await;
    let before = store.snapshot();
    given::sent(&store, 2, build::conversation_id(1)).await;
    store.close().await.unwrap();

    store.restore(before);

    let reopened = store.reopen();
    assert_eq!(given::batch(&reopened).await, given::mutations([1]));
    assert!(store.counts().await.is_err(), "the closed handle stays closed");
}

/// The suite for records, and what only this store can be told.
#[cfg(feature = "records")]
mod records {
    use super::MemoryDevice;
    use fieldpost_storage::conformance::records::{Phone, RecordDevice};
    use std::sync::Arc;

    #[async_trait::async_trait]
    impl RecordDevice for MemoryDevice {
        async fn open(&self) -> Phone {
            let store = Arc::new(self.0.reopen());
            Phone { store: store.clone(), records: store }
        }
    }

    fieldpost_storage::record_conformance!(MemoryDevice::default());
}
