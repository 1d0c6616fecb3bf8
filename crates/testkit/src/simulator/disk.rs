//! A device's storage.

use async_trait::async_trait;
use fieldpost_storage::{StorageResult, Store, memory::MemoryStore};
use std::{fmt, sync::Arc};

/// The disk of one device. It survives when its app is killed and started again: every `open` gives a new handle on the
/// same committed data.
#[async_trait]
pub trait Disk: Send + Sync {
    /// Opens the store, as an app does when it starts.
    async fn open(&self) -> StorageResult<Arc<dyn Store>>;
}

/// Gives each device of a run its own disk.
#[derive(Clone)]
pub struct Disks(Arc<dyn Fn() -> Arc<dyn Disk> + Send + Sync>);

impl Disks {
    /// Disks created by a function.
    pub fn new<D: Disk + 'static>(make: impl Fn() -> D + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Arc::new(make())))
    }

    /// Disks in memory.
    #[must_use]
    pub fn memory() -> Self {
        Self::new(MemoryDisk::default)
    }

    pub(super) fn make(&self) -> Arc<dyn Disk> {
        (self.0)()
    }
}

impl fmt::Debug for Disks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disks").finish_non_exhaustive()
    }
}

/// A disk in memory, with the reference store on it.
#[derive(Debug)]
pub struct MemoryDisk(MemoryStore);

impl Default for MemoryDisk {
    /// What its store records by itself gets the same ids in every run.
    fn default() -> Self {
        Self(MemoryStore::new().with_mutation_ids(Arc::new(crate::env(0).0)))
    }
}

#[async_trait]
impl Disk for MemoryDisk {
    async fn open(&self) -> StorageResult<Arc<dyn Store>> {
        Ok(Arc::new(self.0.reopen()))
    }
}
