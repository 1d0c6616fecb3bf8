//! The suite that every store must pass, on a real file.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

#[path = "fresh/mod.rs"]
mod fresh;

use async_trait::async_trait;
use fieldpost_storage::{Store, conformance::Device};
use fieldpost_storage_sqlite::SqliteStore;
use std::sync::Arc;
use tempfile::TempDir;

struct Phone(TempDir);

impl Phone {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

#[async_trait]
impl Device for Phone {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(fresh::in_folder(self.0.path()).await).await.unwrap())
    }
}

fieldpost_storage::storage_conformance!(Phone::new());

/// The same, and each commit has to report what looks different.
mod reported {
    use super::Phone;
    use fieldpost_storage::conformance::reported::Reported;

    fieldpost_storage::storage_conformance!(Reported(Phone::new()));
}

/// The same in a file that is encrypted.
#[cfg(feature = "encryption")]
mod encrypted {
    use super::fresh;
    use async_trait::async_trait;
    use fieldpost_storage::{Store, conformance::Device};
    use fieldpost_storage_sqlite::SqliteStore;
    use std::sync::Arc;
    use tempfile::TempDir;

    struct Phone(TempDir);

    #[async_trait]
    impl Device for Phone {
        async fn open(&self) -> Arc<dyn Store> {
            Arc::new(SqliteStore::open(fresh::encrypted_in_folder(self.0.path()).await).await.unwrap())
        }
    }

    fieldpost_storage::storage_conformance!(Phone(tempfile::tempdir().unwrap()));
}
