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
    /// Signs in. The first person to sign in owns the database.
    ///
    /// # Errors
    /// [`crate::Error::WrongCredentials`], [`crate::Error::WrongAccount`] when another person owns the database, or
    /// [`crate::Error::Offline`].
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<PersonId> {
        let credentials = Credentials { email: email.to_owned(), password: password.into() };
        let session = self.inner.sides.sign_in(&credentials).await?;
        Ok(session.person_id)
    }

    /// Signs out and returns the outbox: everything that has not reached the server. Works offline.
    ///
    /// With [`Wipe::Keep`] everything stays; when the same person signs in again, the outbox is sent. With
    /// [`Wipe::Everything`] nothing stays, the outbox included, and anybody can sign in to the file: check
    /// [`Client::outbox`] first, or show the person what is returned.
    ///
    /// Tokens in a secret store ([`crate::Builder::secrets`]) are deleted there. If it is out of reach they are deleted when the file
    /// is next opened with it; after [`Wipe::Everything`] nobody knows of them any more, and they end with the session.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_out(&self, wipe: Wipe) -> Result<Vec<OutboxEntry>> {
        self.inner.sides.sign_out().await?;
        if wipe == Wipe::Keep {
            return self.outbox(u32::MAX).await;
        }
        self.inner.sides.pause().await;
        let wiped = self.wipe().await;
        self.inner.sides.forget().await;
        self.inner.sides.resume();
        let unsent = wiped?;
        self.inner.sides.refresh_status().await?;
        Ok(unsent)
    }

    /// The outbox is read last: signing out calls the server, which takes a while, and the person may write in the
    /// meantime.
    async fn wipe(&self) -> Result<Vec<OutboxEntry>> {
        let unsent = self.outbox(u32::MAX).await?;
        self.inner.store.wipe().await?;
        Ok(unsent)
    }

    /// Reports that the app has signed somebody in or out, or renewed its session ([`crate::Builder::tokens`]).
    pub async fn session_changed(&self) {
        self.inner.sides.session_changed().await;
    }

    /// Whether somebody is signed in on this device, online or offline.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn is_signed_in(&self) -> Result<bool> {
        Ok(self.inner.sides.messages.session().is_signed_in().await?)
    }

    /// The signed-in person; none before the first sync, and none for a person without an org.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn me(&self) -> Result<Option<Person>> {
        Ok(self.inner.store.sync_state().await?.me)
    }
}
