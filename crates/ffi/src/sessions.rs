//! Signing in and out.

use crate::{Client, OutboxEntry, Person, Result, outbox::entries};
use fieldpost::PersonId;

/// What signing out leaves on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Wipe {
    /// Everything but the session.
    Keep,
    /// Nothing.
    Everything,
}

#[uniffi::export]
impl Client {
    /// Signs in. The first person to sign in owns the database.
    ///
    /// # Errors
    /// [`crate::ErrorKind::WrongCredentials`], [`crate::ErrorKind::WrongAccount`], [`crate::ErrorKind::Offline`].
    pub async fn sign_in(&self, email: String, password: String) -> Result<PersonId> {
        self.run(|client| async move { Ok(client.sign_in(&email, &password).await?) }).await
    }

    /// Signs out and returns what has not reached the server. Works offline.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_out(&self, wipe: Wipe) -> Result<Vec<OutboxEntry>> {
        self.run(|client| async move { Ok(entries(client.sign_out(wipe.into()).await?)) }).await
    }

    /// Reports that the app has signed somebody in or out, or renewed its session.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub async fn session_changed(&self) -> Result<()> {
        self.run(|client| async move {
            client.session_changed().await;
            Ok(())
        })
        .await
    }

    /// Whether somebody is signed in on this device, online or offline.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn is_signed_in(&self) -> Result<bool> {
        self.run(|client| async move { Ok(client.is_signed_in().await?) }).await
    }

    /// The signed-in person; none before the first sync.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn me(&self) -> Result<Option<Person>> {
        self.run(|client| async move { Ok(client.me().await?.map(Into::into)) }).await
    }
}

impl From<Wipe> for fieldpost::Wipe {
    fn from(wipe: Wipe) -> Self {
        match wipe {
            Wipe::Keep => Self::Keep,
            Wipe::Everything => Self::Everything,
        }
    }
}
