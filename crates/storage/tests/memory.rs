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
    use fieldpost_domain::RecordId;
    use fieldpost_storage::{
        conformance::records::{self, Phone, RecordDevice},
        memory::MemoryStore,
        records::{CarriedItem, RecordQueue as _},
    };
    use std::sync::Arc;

    #[async_trait::async_trait]
    impl RecordDevice for MemoryDevice {
        async fn open(&self) -> Phone {
            let store = Arc::new(self.0.reopen());
            Phone { store: store.clone(), records: store }
        }
    }

    fieldpost_storage::record_conformance!(MemoryDevice::default());

    /// The same suite, which also checks that each commit reports what looks different.
    mod reported {
        use super::MemoryDevice;
        use fieldpost_storage::conformance::records::reported::Reported;

        fieldpost_storage::record_conformance!(Reported(MemoryDevice::default()));
    }

    fn photo(of: RecordId) -> CarriedItem {
        CarriedItem {
            id: "q7".to_owned(),
            table: "photo_uploads".to_owned(),
            record_id: of.to_string(),
            operation: "upload".to_owned(),
            idempotency_key: "k7".to_owned(),
            payload: format!("{{\"treatment_id\":\"{of}\",\"path\":\"a.jpg\"}}"),
            priority: 3,
            retry_count: 2,
            created_at: None,
        }
    }

    /// Items of an older app follow the records that they name, and are touched in no other way.
    #[tokio::test]
    async fn carried_items_follow_a_re_keyed_record() {
        let store = Arc::new(MemoryStore::new());
        records::given::ready(&Phone { store: store.clone(), records: store.clone() }).await;
        store.carry(photo(records::build::record_id(1)));
        records::given::created(&*store, 1).await;
        records::given::batch(&*store).await;
        records::given::answered(&*store, 1, records::build::won(8, 1)).await;

        assert_eq!(store.carried_items().await.unwrap(), [photo(records::build::record_id(8))]);
        assert_eq!(records::given::counts(&*store, 600).await.carried, 1);
        assert!(store.remove_carried_item("q7").await.unwrap());
        assert!(!store.remove_carried_item("q7").await.unwrap());
        assert!(store.carried_items().await.unwrap().is_empty());
    }
}
