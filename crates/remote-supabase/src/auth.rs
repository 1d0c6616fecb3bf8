//! Sessions, by GoTrue.

use crate::{
    SupabaseRemote,
    error::auth,
    http::{Reply, Request},
    wire::session,
};
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, RefreshToken, Session, Time};
use fieldpost_remote::{Auth, Credentials, RemoteResult};
use zeroize::Zeroize;

/// Reads a session, and wipes the answer that it came in.
fn read(operation: &'static str, mut reply: Reply, now: impl FnOnce() -> Time) -> RemoteResult<Session> {
    let session = session::read(operation, &reply, now);
    reply.body.zeroize();
    session
}

#[async_trait]
impl Auth for SupabaseRemote {
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session> {
        const NAME: &str = "sign_in";
        let body = session::password(NAME, credentials)?;
        let request = Request { operation: NAME, reads: false, url: &self.endpoints.sign_in, bearer: None, body };
        let reply = self.http.post(request).await?;
        if !reply.status.is_success() {
            return Err(auth::sign_in(NAME, &reply));
        }
        read(NAME, reply, || (self.config.clock)())
    }

    async fn refresh(&self, token: &RefreshToken) -> RemoteResult<Session> {
        const NAME: &str = "refresh";
        let body = session::refresh(NAME, token)?;
        let request = Request { operation: NAME, reads: false, url: &self.endpoints.refresh, bearer: None, body };
        let reply = self.http.post(request).await?;
        if !reply.status.is_success() {
            return Err(auth::refresh(NAME, &reply));
        }
        read(NAME, reply, || (self.config.clock)())
    }

    async fn sign_out(&self, token: &AccessToken) -> RemoteResult<()> {
        const NAME: &str = "sign_out";
        let body = b"{}".to_vec();
        let request =
            Request { operation: NAME, reads: false, url: &self.endpoints.sign_out, bearer: Some(token), body };
        let reply = self.http.post(request).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        auth::sign_out(NAME, &reply).map_or(Ok(()), Err)
    }
}
