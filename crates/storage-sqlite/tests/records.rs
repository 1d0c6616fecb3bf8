//! The suite for records that every store must pass, on a real file.
#![cfg(feature = "records")]
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

#[path = "fresh/mod.rs"]
mod fresh;

use async_trait::async_trait;
use fieldpost_storage::conformance::records::{Phone, RecordDevice};
use fieldpost_storage_sqlite::SqliteStore;
use std::sync::Arc;
use tempfile::TempDir;

struct OnDisk(TempDir);

impl OnDisk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

#[async_trait]
impl RecordDevice for OnDisk {
    async fn open(&self) -> Phone {
        let store = Arc::new(SqliteStore::open(fresh::in_folder(self.0.path()).await).await.unwrap());
        Phone { store: store.clone(), records: store }
    }
}

fieldpost_storage::record_conformance!(OnDisk::new());

/// The same, and each commit has to report what looks different.
mod reported {
    use super::OnDisk;
    use fieldpost_storage::conformance::records::reported::Reported;

    fieldpost_storage::record_conformance!(Reported(OnDisk::new()));
}

/// The same in a file that is encrypted.
#[cfg(feature = "encryption")]
mod encrypted {
    use super::fresh;
    use async_trait::async_trait;
    use fieldpost_storage::conformance::records::{Phone, RecordDevice};
    use fieldpost_storage_sqlite::SqliteStore;
    use std::sync::Arc;
    use tempfile::TempDir;

    struct OnDisk(TempDir);

    #[async_trait]
    impl RecordDevice for OnDisk {
        async fn open(&self) -> Phone {
            let options = fresh::encrypted_in_folder(self.0.path()).await;
            let store = Arc::new(SqliteStore::open(options).await.unwrap());
            Phone { store: store.clone(), records: store }
        }
    }

    fieldpost_storage::record_conformance!(OnDisk(tempfile::tempdir().unwrap()));
}
