//! GoTrue's sessions.

use super::{answer::malformed, request::json};
use crate::http::Reply;
use chrono::{DateTime, TimeDelta, Utc};
use fieldpost_domain::{AccessToken, PersonId, RefreshToken, Session, Time};
use fieldpost_remote::{Credentials, RemoteError, RemoteErrorKind, RemoteResult};
use serde::{Deserialize, Serialize};

/// Hosted projects' default token lifetime, for a server that does not send one.
const DEFAULT_LIFE: i64 = 3600;

/// The longest lifetime that is accepted: about a century. Beyond that, dates overflow.
const LONGEST_LIFE: i64 = 100 * 366 * 24 * 3600;

#[derive(Serialize)]
struct Password<'a> {
    email: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct Refresh<'a> {
    refresh_token: &'a str,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    expires_at: Option<i64>,
    expires_in: Option<i64>,
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: PersonId,
    email: Option<String>,
}

/// The body of a sign-in.
pub(crate) fn password(operation: &'static str, credentials: &Credentials) -> RemoteResult<Vec<u8>> {
    json(operation, &Password { email: credentials.email.trim(), password: credentials.password.reveal() })
}

/// The body of a refresh.
pub(crate) fn refresh(operation: &'static str, token: &RefreshToken) -> RemoteResult<Vec<u8>> {
    json(operation, &Refresh { refresh_token: token.reveal() })
}

/// Reads a 2xx response of the token endpoint. `now` is called only when the server sends neither an expiry time nor
/// its own time.
pub(crate) fn read(operation: &'static str, reply: &Reply, now: impl FnOnce() -> Time) -> RemoteResult<Session> {
    if reply.html {
        let intercepted = RemoteError::new(RemoteErrorKind::Intercepted, operation);
        return Err(intercepted.with_detail("a web page instead of an answer"));
    }
    if !reply.json && !reply.body.trim_ascii_start().starts_with(b"{") {
        return Err(RemoteError::new(RemoteErrorKind::NotFieldpost, operation).with_detail("not JSON"));
    }
    // serde's message would quote a token.
    let tokens: Tokens =
        serde_json::from_slice(&reply.body).map_err(|_| malformed(operation, "the session cannot be read"))?;
    if tokens.access_token.is_empty() || tokens.refresh_token.is_empty() {
        return Err(malformed(operation, "the session has no tokens"));
    }
    let expires_at = expires_at(&tokens, reply.date, now).ok_or_else(|| malformed(operation, "expires_at: no time"))?;
    Ok(Session {
        person_id: tokens.user.id,
        email: tokens.user.email.filter(|email| !email.is_empty()),
        access_token: AccessToken::new(tokens.access_token),
        refresh_token: RefreshToken::new(tokens.refresh_token),
        expires_at,
    })
}

/// The server's `expires_at`; else its clock plus `expires_in`. The device's clock is used only for a server that sends
/// no time at all (none of Supabase's does), and the result is only a hint for refreshing early.
fn expires_at(tokens: &Tokens, date: Option<Time>, now: impl FnOnce() -> Time) -> Option<Time> {
    if let Some(seconds) = tokens.expires_at {
        return DateTime::<Utc>::from_timestamp(seconds, 0);
    }
    let life = tokens.expires_in.unwrap_or(DEFAULT_LIFE).clamp(0, LONGEST_LIFE);
    date.unwrap_or_else(now).checked_add_signed(TimeDelta::seconds(life))
}
