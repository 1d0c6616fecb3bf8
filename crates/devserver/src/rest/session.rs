//! The caller, as PostgREST sees it.

use super::error::RestError;
use crate::app::App;
use axum::http::{HeaderMap, header};
use fieldpost_domain::AccessToken;

/// The role of a request.
pub(super) enum Caller {
    /// No bearer token, or the project's anonymous key as the token.
    Anon,
    /// A signed-in person.
    Person(AccessToken),
}

/// Refuses an invalid token before any other check; such a request never runs as anon.
pub(super) fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, RestError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::Anon) };
    let Some(bearer) = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) else {
        return Ok(Caller::Anon);
    };
    if bearer == &*app.anon_key {
        return Ok(Caller::Anon);
    }
    let token = AccessToken::new(bearer);
    if app.reference.caller(&token).is_some() {
        Ok(Caller::Person(token))
    } else if app.reference.has_expired(&token) {
        Err(RestError::token_expired())
    } else {
        Err(RestError::bad_token(bearer.split('.').count()))
    }
}
