//! The suite for secrets: every [`SecretStore`] must pass it, also the double that a test uses.
//!
//! It is built as the suite of messages ([`super`]). A crate runs it with
//! [`secret_conformance!`](crate::secret_conformance):
//!
//! ```
//! use fieldpost_storage::{MemorySecrets, SecretStore, conformance::secrets::SecretPlace};
//! use std::sync::Arc;
//!
//! struct InMemory(MemorySecrets);
//!
//! impl SecretPlace for InMemory {
//!     fn open(&self) -> Arc<dyn SecretStore> {
//!         Arc::new(self.0.clone())
//!     }
//! }
//!
//! fieldpost_storage::secret_conformance!(InMemory(MemorySecrets::new()));
//! # fn main() {}
//! ```

pub mod build;
pub mod keeping;
pub mod sharing;

mod suite;

use crate::SecretStore;
use std::sync::Arc;

/// Where secrets are kept: for a test, the keychain of a phone. It is empty at first.
pub trait SecretPlace: Send + Sync {
    /// Opens it, as another process would.
    fn open(&self) -> Arc<dyn SecretStore>;
}
