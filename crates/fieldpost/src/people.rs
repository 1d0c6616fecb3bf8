//! The roster.

use crate::{Client, Person, Result};

impl Client {
    /// Everybody that the signed-in person may see, sorted by name: for an admin, the medics and admins of the org.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn people(&self) -> Result<Vec<Person>> {
        Ok(self.inner.store.people().await?)
    }
}
