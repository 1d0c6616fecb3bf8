//! Signing in and out.

use crate::{Client, OutboxEntry, Person, PersonId, Result};
use fieldpost_remote::Credentials;

/// What signing out leaves on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wipe {
    /// Everything but the session.
    Keep,
    /// Nothing.
    Everything,
}

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

    /// Signs out, and returns what has not reached the server. Works without a network.
    ///
    /// With [`Wipe::Keep`] everything stays, for the same person to sign in again: what waits is sent then. With
    /// [`Wipe::Everything`] nothing stays, what waited included, and the file is anybody's: look at [`Client::outbox`] before,
    /// or show the person what is returned.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_out(&self, wipe: Wipe) -> Result<Vec<OutboxEntry>> {
        self.inner.engine.sign_out().await?;
        if wipe == Wipe::Keep {
            return self.outbox(u32::MAX).await;
        }
        self.inner.engine.pause().await;
        let wiped = self.wipe().await;
        self.inner.engine.forget().await;
        self.inner.engine.resume();
        let unsent = wiped?;
        self.inner.engine.refresh_status().await?;
        Ok(unsent)
    }

    /// What waits is read last of all: signing out asks the server, which takes a while, and a person may write meanwhile.
    async fn wipe(&self) -> Result<Vec<OutboxEntry>> {
        let unsent = self.outbox(u32::MAX).await?;
        self.inner.store.wipe().await?;
        Ok(unsent)
    }

    /// The app has signed somebody in or out, or renewed the session that it owns ([`crate::Builder::tokens`]).
    pub async fn session_changed(&self) {
        self.inner.engine.session_changed().await;
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
