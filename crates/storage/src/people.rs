//! The role that knows people.

use crate::StorageResult;
use async_trait::async_trait;
use fieldpost_domain::{MedicId, Person, PersonId};

/// Reads people.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait People: Send + Sync {
    /// All current members, by first name, last name, id and org: one row for each org.
    async fn people(&self) -> StorageResult<Vec<Person>>;

    /// One person, including former members; none if not known. For a member of several orgs it is the row of the first
    /// org by id; a current membership goes before a former one.
    async fn person(&self, id: PersonId) -> StorageResult<Option<Person>>;

    /// The person with this medic id, in the org of that medic; none if not known.
    async fn medic(&self, id: MedicId) -> StorageResult<Option<Person>>;
}
