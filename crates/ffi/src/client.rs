//! The client.

use crate::{
    ClientOptions, ErrorKind, FieldpostError, Result, SecretStore, TokenProvider,
    runtime::{self, Running},
    secrets::SecretsOfTheApp,
    tokens::TokensOfTheApp,
};
use futures::future::BoxFuture;
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// One account on one device ([`fieldpost::Client`]).
#[derive(Debug, uniffi::Object)]
pub struct Client {
    /// None after the shutdown.
    inner: Mutex<Option<Open>>,
}

/// A client that was not shut down.
#[derive(Debug)]
struct Open {
    client: fieldpost::Client,
    /// Nothing is sent on it: what has no end of its own ends when it is dropped.
    alive: watch::Sender<()>,
}

#[uniffi::export]
impl Client {
    /// Opens the file and builds the client. Needs no network. With `tokens` the app owns the session. With `secrets` the tokens of
    /// the session lie in the keychain of the platform, and no longer in the file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Configuration`] when a setting is missing or invalid, and those of opening a file.
    #[uniffi::constructor(default(tokens = None, secrets = None))]
    pub async fn open(
        options: ClientOptions,
        tokens: Option<Box<dyn TokenProvider>>,
        secrets: Option<Box<dyn SecretStore>>,
    ) -> Result<Arc<Self>> {
        let limit = options.callback_limit;
        let mut builder = options.builder()?;
        if let Some(tokens) = tokens {
            builder = builder.tokens(Arc::new(TokensOfTheApp::new(tokens, limit)));
        }
        if let Some(secrets) = secrets {
            builder = builder.secrets(Arc::new(SecretsOfTheApp::new(secrets, limit)));
        }
        runtime::run(async move {
            let client = builder.open().await?;
            let open = Open { client, alive: watch::Sender::new(()) };
            Ok(Arc::new(Self { inner: Mutex::new(Some(open)) }))
        })
        .await
    }

    /// Stops syncing and closes the file; watches end. Later calls fail with [`crate::ErrorKind::Closed`]. Shutting down twice
    /// is allowed.
    ///
    /// # Errors
    /// If the file cannot be closed.
    pub async fn shutdown(&self) -> Result<()> {
        let Some(open) = self.lock().take() else { return Ok(()) };
        runtime::run(async move { Ok(open.client.close().await?) }).await
    }

    /// Whether it was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.lock().is_none()
    }
}

impl Client {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client of the SDK, unless it was shut down.
    pub(crate) fn sdk(&self) -> Result<fieldpost::Client> {
        self.lock().as_ref().map(|open| open.client.clone()).ok_or_else(FieldpostError::closed)
    }

    /// Completes with the shutdown. Somebody else may hold the SDK's client for longer, a timeline for example.
    pub(crate) fn ended(&self) -> Result<impl Future<Output = ()> + Send + 'static> {
        let mut alive = self.lock().as_ref().map(|open| open.alive.subscribe()).ok_or_else(FieldpostError::closed)?;
        Ok(async move { while alive.changed().await.is_ok() {} })
    }

    /// Runs a call of the SDK.
    pub(crate) fn run<T, F>(&self, call: impl FnOnce(fieldpost::Client) -> F) -> BoxFuture<'_, Result<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.carry_out(self.sdk().map(|client| -> BoxFuture<'static, Result<T>> { Box::pin(call(client)) }))
    }

    /// What is left of a call when it is of no type of its own: there is one for each type of result.
    fn carry_out<T: Send + 'static>(&self, call: Result<BoxFuture<'static, Result<T>>>) -> BoxFuture<'_, Result<T>> {
        Box::pin(async move { self.closed_if_shut_down(Running::start(call?)?.result().await) })
    }

    /// What is under way at the shutdown ends as with a pause. No app can resume it.
    pub(crate) fn closed_if_shut_down<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            FieldpostError::Failed { kind: ErrorKind::Paused, .. } if self.is_shut_down() => FieldpostError::closed(),
            error => error,
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        runtime::drop_inside(self.lock().take());
    }
}
