//! The conformance suite on the reference implementation.
#![cfg(feature = "conformance")]

use fieldpost_storage::{Store, conformance::Device, memory::MemoryStore};
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
