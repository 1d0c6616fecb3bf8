//! The role that knows people.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{Person, PersonId};

/// Reads people.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait People: Send + Sync {
    /// Everybody known who is still a member, by first name, last name, then id.
    async fn people(&self) -> StorageResult<Vec<Person>>;

    /// One person, members of the past included; none if not known.
    async fn person(&self, id: PersonId) -> StorageResult<Option<Person>>;
}
