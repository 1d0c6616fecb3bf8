//! The suite that every store must pass, and every wrapper around one.
//!
//! Each test is a plain function over `&dyn Store`, one story: given, when, then. They come in modules by role and use
//! nothing but the contract. The build lists every public function of these modules, so a story that is written is run. A
//! crate runs them all with [`storage_conformance!`](crate::storage_conformance):
//!
//! ```
//! use fieldpost_storage::{Store, conformance::Device, memory::MemoryStore};
//! use std::sync::Arc;
//!
//! struct InMemory(MemoryStore);
//!
//! #[async_trait::async_trait]
//! impl Device for InMemory {
//!     async fn open(&self) -> Arc<dyn Store> {
//!         Arc::new(self.0.reopen())
//!     }
//! }
//!
//! fieldpost_storage::storage_conformance!(InMemory(MemoryStore::new()));
//! # fn main() {}
//! ```
//!
//! The expression is evaluated once per test, so each test has a device of its own.
//! [`build`] and [`given`] are public: other tests tell their stories with the same words.
#![expect(clippy::unwrap_used, clippy::panic, reason = "this is test code: a step that fails has to fail its test")]

pub mod access;
pub mod accounts;
pub mod batches;
pub mod bootstrapping;
pub mod broadcasting;
pub mod build;
pub mod changing;
pub mod committing;
pub mod counting;
pub mod deciding;
pub mod deleting;
pub mod delivering;
pub mod drafting;
pub mod epochs;
pub mod expiring;
pub mod filling;
pub mod given;
pub mod mentioning;
pub mod naming;
pub mod opening;
pub mod pausing;
pub mod projects;
pub mod pulling;
pub mod quiet;
pub mod reacting;
pub mod reading;
pub mod receipts;
#[cfg(feature = "records")]
pub mod records;
pub mod replying;
pub mod reported;
pub mod reporting;
pub mod restarting;
pub mod searching;
pub mod secrets;
pub mod sections;
pub mod sending;
pub mod setting;
pub mod settling;
pub mod threads;
pub mod tolerance;
pub mod trimming;

mod suite;

use crate::Store;
use async_trait::async_trait;
use std::sync::Arc;

/// Where a store keeps its data: for a test, a phone.
#[async_trait]
pub trait Device: Send + Sync {
    /// Opens the store, as a start of the app does. The first call finds an empty disk, later ones what was left there;
    /// the earlier store may have been closed, dropped, or be open still.
    async fn open(&self) -> Arc<dyn Store>;
}
