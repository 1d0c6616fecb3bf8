//! `GET /auth/v1/user` and `POST /auth/v1/logout`.

use super::error::AuthError;
use crate::{app::App, json::json_response};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use fieldpost_domain::{AccessToken, PersonId};
use fieldpost_remote::Auth as _;
use serde_json::{Value, json};

pub(super) async fn user(State(app): State<App>, headers: HeaderMap) -> Response {
    match caller(&app, &headers) {
        Ok((person, _)) => json_response(StatusCode::OK, &wire(person, app.reference.email_of(person).as_deref())),
        Err(error) => error.respond(&headers),
    }
}

/// Every scope ends only this session; the reference server's sessions do not know of each other.
pub(super) async fn logout(State(app): State<App>, headers: HeaderMap) -> Response {
    match caller(&app, &headers) {
        Ok((_, token)) => match app.reference.sign_out(&token).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(_) => bad_jwt().respond(&headers),
        },
        Err(error) => error.respond(&headers),
    }
}

/// The caller. Unlike PostgREST, GoTrue also checks that the session is still active.
fn caller(app: &App, headers: &HeaderMap) -> Result<(PersonId, AccessToken), AuthError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(AuthError {
        status: StatusCode::UNAUTHORIZED,
        code: "no_authorization",
        message: "This endpoint requires a valid Bearer token",
    })?;
    let token = AccessToken::new(token);
    let person = app.reference.caller(&token).ok_or_else(bad_jwt)?;
    if !app.reference.session_goes_on(&token) {
        return Err(AuthError {
            status: StatusCode::FORBIDDEN,
            code: "session_not_found",
            message: "Session from session_id claim in JWT does not exist",
        });
    }
    Ok((person, token))
}

const fn bad_jwt() -> AuthError {
    AuthError {
        status: StatusCode::FORBIDDEN,
        code: "bad_jwt",
        message: "invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired",
    }
}

pub(super) fn wire(id: PersonId, email: Option<&str>) -> Value {
    json!({
        "id": id.to_string(),
        "aud": "authenticated",
        "role": "authenticated",
        "email": email.unwrap_or_default(),
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {},
        "is_anonymous": false,
    })
}
