//! The suite for records: every [`RecordStore`] must pass it.
//!
//! It is built as the suite of messages ([`super`]). A crate runs it with
//! [`record_conformance!`](crate::record_conformance):
//!
//! ```
//! use fieldpost_storage::{conformance::records::{Phone, RecordDevice}, memory::MemoryStore};
//! use std::sync::Arc;
//!
//! struct InMemory(MemoryStore);
//!
//! #[async_trait::async_trait]
//! impl RecordDevice for InMemory {
//!     async fn open(&self) -> Phone {
//!         let store = Arc::new(self.0.reopen());
//!         Phone { store: store.clone(), records: store }
//!     }
//! }
//!
//! fieldpost_storage::record_conformance!(InMemory(MemoryStore::new()));
//! # fn main() {}
//! ```
//!
//! A story over a [`RecordStore`] begins where [`given::ready`] ends: Iris has signed in, her org is known, and
//! [`build::visits`] and [`build::sites`] are declared. A story over a [`RecordDevice`] begins with an empty disk.

pub mod auditing;
pub mod build;
pub mod clocks;
pub mod closing;
pub mod conflicting;
pub mod creating;
pub mod deciding;
pub mod declaring;
pub mod deleting;
pub mod given;
pub mod loading;
pub mod pulling;
pub mod querying;
pub mod referring;
pub mod rekeying;
pub mod reported;
pub mod restarting;
pub mod sending;
pub mod settling;
pub mod telling;
pub mod updating;
pub mod waiting;

mod suite;

use crate::{Store, records::RecordStore};
use async_trait::async_trait;
use std::sync::Arc;

/// Both sides of one open file.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a store has none")]
pub struct Phone {
    /// The messages, and who has signed in.
    pub store: Arc<dyn Store>,
    /// The records.
    pub records: Arc<dyn RecordStore>,
}

/// Where a store keeps its data: for a test, a phone.
#[async_trait]
pub trait RecordDevice: Send + Sync {
    /// Opens the file, as a start of the app does. The first call finds an empty disk, later ones what was left there; the
    /// earlier handle may have been closed, dropped, or be open still.
    async fn open(&self) -> Phone;
}
