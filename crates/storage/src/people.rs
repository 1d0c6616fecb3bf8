//! The role that knows people.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{MedicId, Person, PersonId};

/// Reads people.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait People: Send + Sync {
    /// Everybody known who is still a member, by first name, last name, then id and org: once for each org.
    async fn people(&self) -> StorageResult<Vec<Person>>;

    /// One person, members of the past included; none if not known. Of somebody who is a member of several orgs the first by id, of
    /// somebody who has left one for another what she is now.
    async fn person(&self, id: PersonId) -> StorageResult<Option<Person>>;

    /// Whose row in the roster this is, in the org of which it is; none if not known.
    async fn medic(&self, id: MedicId) -> StorageResult<Option<Person>>;
}
