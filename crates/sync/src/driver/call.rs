//! Makes an authenticated call.

use super::{Engine, meanwhile::SharedPass};
use crate::{SessionKeeper, SyncError};
use fieldpost_domain::AccessToken;
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use std::future::Future;
use tracing::Instrument;

/// How many cached tokens to try before the 401 is returned.
const MAX_CACHED_TOKENS: u32 = 2;

impl Engine {
    /// As [`SessionKeeper::call`], outside a pass: a person waits for the answer.
    pub(super) async fn call<T, F, Call>(
        &self,
        operation: &'static str,
        make_call: F,
    ) -> Result<RemoteResult<T>, SyncError>
    where
        F: Fn(AccessToken) -> Call,
        Call: Future<Output = RemoteResult<T>>,
    {
        self.session.call(operation, || None, make_call).await
    }

    /// As [`SessionKeeper::call`], in a pass: once one of its loops was told to wait, the other one makes no call either.
    pub(super) async fn call_in<T, F, Call>(
        &self,
        pass: &SharedPass<'_>,
        operation: &'static str,
        make_call: F,
    ) -> Result<RemoteResult<T>, SyncError>
    where
        F: Fn(AccessToken) -> Call,
        Call: Future<Output = RemoteResult<T>>,
    {
        self.session.call(operation, || pass.lock().named_wait(), make_call).await
    }
}

impl SessionKeeper {
    /// Makes a call with the current token. If the server rejects the token, the call is repeated with another one.
    /// That one may come from another process and have expired too; then a refreshed one follows. The outer error means
    /// that there is no session to call with; the inner error is the call's own.
    ///
    /// Fetching a token takes a while, in which the server may ask somebody else to slow down. So `wait` is asked right
    /// before each attempt; its error is returned instead of making the attempt.
    pub(super) async fn call<T, F, Call>(
        &self,
        operation: &'static str,
        wait: impl Fn() -> Option<RemoteError>,
        make_call: F,
    ) -> Result<RemoteResult<T>, SyncError>
    where
        F: Fn(AccessToken) -> Call,
        Call: Future<Output = RemoteResult<T>>,
    {
        let mut token = self.token().await?;
        let mut cached_tokens = 0;
        loop {
            let response = self.attempt(operation, &wait, make_call(token.clone())).await;
            let refused = response.as_ref().is_err_and(|error| error.kind() == RemoteErrorKind::Unauthorized);
            cached_tokens += 1;
            if !refused || cached_tokens > MAX_CACHED_TOKENS {
                return Ok(response);
            }
            let replacement = self.replacement(&token).await?;
            token = replacement.token;
            if !replacement.cached {
                let response = self.attempt(operation, &wait, make_call(token.clone())).await;
                return Ok(response.map_err(|error| self.of_new_token(operation, &token, error)));
            }
        }
    }

    async fn attempt<T>(
        &self,
        operation: &'static str,
        wait: &impl Fn() -> Option<RemoteError>,
        call: impl Future<Output = RemoteResult<T>>,
    ) -> RemoteResult<T> {
        if let Some(error) = wait() {
            return Err(error);
        }
        call.instrument(tracing::debug_span!("call", operation)).await
    }

    /// An error of a call with a token that the server has issued just now.
    fn of_new_token(&self, operation: &'static str, token: &AccessToken, error: RemoteError) -> RemoteError {
        if error.kind() != RemoteErrorKind::Unauthorized {
            return error;
        }
        self.new_token_refused(token);
        RemoteError::new(RemoteErrorKind::NewTokenRefused, operation).with_source(error)
    }
}
