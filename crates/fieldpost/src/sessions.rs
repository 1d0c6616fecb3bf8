//! Signing in and out.

use crate::{Client, OutboxCounts, Person, PersonId, Result};
use fieldpost_remote::Credentials;

impl Client {
    /// Signs in. The first one to do so owns the database.
    ///
    /// # Errors
    /// [`crate::Error::WrongCredentials`], [`crate::Error::WrongAccount`] when the database is another person's, or
    /// [`crate::Error::Offline`].
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<PersonId> {
        let credentials = Credentials { email: email.to_owned(), password: password.to_owned() };
        let session = self.inner.engine.sign_in(&credentials).await?;
        Ok(session.person_id)
    }

    /// Forgets the session. Conversations and what waits in the outbox stay, for the same person to sign in again; what is
    /// returned says how much waits. Works without a network.
    ///
    /// # Errors
    /// Only if the store fails.
    pub async fn sign_out(&self) -> Result<OutboxCounts> {
        self.inner.engine.sign_out().await?;
        self.pending().await
    }

    /// Whether somebody is signed in on this device. Says nothing about the network.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn is_signed_in(&self) -> Result<bool> {
        Ok(self.inner.engine.session().is_signed_in().await?)
    }

    /// Who the signed-in person is; none before the first sync, and for somebody who is in no org.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn me(&self) -> Result<Option<Person>> {
        Ok(self.inner.store.sync_state().await?.me)
    }
}
