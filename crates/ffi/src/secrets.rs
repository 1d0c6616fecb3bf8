//! The keychain of the platform.

use crate::{
    listening::{Asked, OfTheApp},
    tokens::LIMIT,
};
use async_trait::async_trait;
use fieldpost::{Secret, SecretError, SecretErrorKind, SecretName};
use std::{future::Future, pin::Pin, time::Duration};
use tokio::time::timeout;

/// Why a secret could not be read, kept or deleted.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum SecretFailure {
    /// Not now: the device or the keychain is locked. Nobody is signed out by that.
    #[error("{reason}")]
    Unavailable {
        /// What the platform says, never a secret.
        reason: String,
    },
    /// The person or the platform does not allow it.
    #[error("{reason}")]
    Denied {
        /// What the platform says.
        reason: String,
    },
    /// Another failure.
    #[error("{reason}")]
    Other {
        /// What the platform says.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SecretFailure {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // Its text may have what was to be kept.
        Self::Other { reason: "the app's secret store has thrown".to_owned() }
    }
}

impl From<SecretFailure> for SecretError {
    fn from(failure: SecretFailure) -> Self {
        match failure {
            SecretFailure::Unavailable { reason } => Self::new(SecretErrorKind::Unavailable, reason),
            SecretFailure::Denied { reason } => Self::new(SecretErrorKind::Denied, reason),
            SecretFailure::Other { reason } => Self::new(SecretErrorKind::Other, reason),
        }
    }
}

/// Keeps small secrets by name: the keychain of a platform ([`fieldpost::SecretStore`]).
#[uniffi::export(callback_interface)]
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The secret of this name; none if there is none. A store that cannot tell fails: none means that the secret is gone, and the
    /// person has to sign in again.
    ///
    /// # Errors
    /// [`SecretFailure`]
    async fn get(&self, name: String) -> Result<Option<String>, SecretFailure>;

    /// Keeps a secret, in place of the former one of this name.
    ///
    /// # Errors
    /// [`SecretFailure`]; then the former one is still there.
    async fn put(&self, name: String, secret: String) -> Result<(), SecretFailure>;

    /// Deletes a secret; one that is not there is deleted already.
    ///
    /// # Errors
    /// [`SecretFailure`]
    async fn remove(&self, name: String) -> Result<(), SecretFailure>;
}

type Question<'a, T> = Pin<Box<dyn Future<Output = Result<T, SecretFailure>> + Send + 'a>>;

/// A store of the app as one of the SDK.
pub(crate) struct SecretsOfTheApp {
    app: OfTheApp<Box<dyn SecretStore>>,
    limit: Duration,
}

impl SecretsOfTheApp {
    pub(crate) fn new(app: Box<dyn SecretStore>, limit: Option<Duration>) -> Self {
        Self { app: OfTheApp::new(app), limit: limit.unwrap_or(LIMIT) }
    }

    fn app(&self) -> Result<&dyn SecretStore, SecretError> {
        self.app.get().map(|app| &**app).ok_or_else(ended)
    }

    async fn ask<T>(&self, question: Question<'_, T>) -> Result<T, SecretError> {
        match timeout(self.limit, Asked::new(question)).await {
            Ok(answer) => answer.ok_or_else(ended)?.map_err(Into::into),
            Err(_) => {
                Err(SecretError::new(SecretErrorKind::Unavailable, "the app's secret store did not answer in time"))
            }
        }
    }
}

fn ended() -> SecretError {
    SecretError::new(SecretErrorKind::Unavailable, "the app has ended")
}

#[async_trait]
impl fieldpost::SecretStore for SecretsOfTheApp {
    fn describe(&self) -> String {
        "the secret store of the app".to_owned()
    }

    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError> {
        let found = self.ask(self.app()?.get(name.as_str().to_owned())).await?;
        Ok(found.map(Secret::new))
    }

    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        self.ask(self.app()?.put(name.as_str().to_owned(), secret.reveal().to_owned())).await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.ask(self.app()?.remove(name.as_str().to_owned())).await
    }
}
