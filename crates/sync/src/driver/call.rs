//! Makes a call with a session that works.

use super::Engine;
use crate::SyncError;
use fieldpost_domain::AccessToken;
use fieldpost_remote::{RemoteErrorKind, RemoteResult};
use std::future::Future;
use tracing::Instrument;

impl Engine {
    /// Makes a call with the current token; if the server does not accept that, once more with a renewed one. The outer error
    /// means that there is no session to call with, the inner one is the call's own.
    pub(super) async fn call<T, F, Made>(&self, operation: &'static str, make: F) -> Result<RemoteResult<T>, SyncError>
    where
        F: Fn(AccessToken) -> Made,
        Made: Future<Output = RemoteResult<T>>,
    {
        let token = self.session.token().await?;
        let span = || tracing::debug_span!("call", operation);
        match make(token.clone()).instrument(span()).await {
            Err(error) if error.kind() == RemoteErrorKind::Unauthorized => {
                let renewed = self.session.replace(&token).await?;
                Ok(make(renewed).instrument(span()).await)
            }
            answer => Ok(answer),
        }
    }
}
