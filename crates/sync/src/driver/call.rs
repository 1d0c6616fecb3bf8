//! Makes a call with a session that works.

use super::Engine;
use crate::SyncError;
use fieldpost_domain::AccessToken;
use fieldpost_remote::{RemoteErrorKind, RemoteResult};
use std::future::Future;
use tracing::Instrument;

/// So many tokens that were lying about are tried; then the answer is the answer.
const MOST_FOUND: u32 = 2;

impl Engine {
    /// Makes a call with the current token; if the server does not accept that, once more with another one. If that was not
    /// fetched for this, but left by another process, it may have run out as well, and one is fetched. The outer error means that
    /// there is no session to call with, the inner one is the call's own.
    pub(super) async fn call<T, F, Made>(&self, operation: &'static str, make: F) -> Result<RemoteResult<T>, SyncError>
    where
        F: Fn(AccessToken) -> Made,
        Made: Future<Output = RemoteResult<T>>,
    {
        let mut token = self.session.token().await?;
        let mut found = true;
        for _ in 0..MOST_FOUND {
            let answer = self.attempt(operation, make(token.clone())).await;
            if !found || !answer.as_ref().is_err_and(|error| error.kind() == RemoteErrorKind::Unauthorized) {
                return Ok(answer);
            }
            let replacement = self.session.replacement(&token).await?;
            (token, found) = (replacement.token, replacement.found);
        }
        Ok(self.attempt(operation, make(token)).await)
    }

    async fn attempt<T>(
        &self,
        operation: &'static str,
        made: impl Future<Output = RemoteResult<T>>,
    ) -> RemoteResult<T> {
        made.instrument(tracing::debug_span!("call", operation)).await
    }
}
