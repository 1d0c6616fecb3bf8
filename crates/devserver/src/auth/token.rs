//! `POST /auth/v1/token`: signing in and refreshing.

use super::error::AuthError;
use crate::{app::App, json::json_response};
use axum::{
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use fieldpost_domain::{RefreshToken, Session};
use fieldpost_remote::{Auth as _, Credentials, reference::RefreshRefused};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub(super) struct Grant {
    #[serde(default)]
    grant_type: String,
}

#[derive(Deserialize)]
struct PasswordGrant {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

#[derive(Deserialize)]
struct RefreshGrant {
    #[serde(default)]
    refresh_token: String,
}

pub(super) async fn token(
    State(app): State<App>,
    Query(grant): Query<Grant>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let session = match grant.grant_type.as_str() {
        "password" => password(&app, &body).await,
        "refresh_token" => refresh(&app, &body),
        _ => Err(AuthError::bad_request("invalid_credentials", "unsupported_grant_type")),
    };
    match session {
        Ok(session) => json_response(StatusCode::OK, &wire(&app, &session)),
        Err(error) => error.respond(&headers),
    }
}

async fn password(app: &App, body: &[u8]) -> Result<Session, AuthError> {
    let PasswordGrant { email, password } = read(body)?;
    if email.is_empty() {
        return Err(AuthError::bad_request("validation_failed", "missing email or phone"));
    }
    let session = app.reference.sign_in(&Credentials { email, password: password.into() }).await;
    session.map_err(|_| AuthError::bad_request("invalid_credentials", "Invalid login credentials"))
}

fn refresh(app: &App, body: &[u8]) -> Result<Session, AuthError> {
    let RefreshGrant { refresh_token } = read(body)?;
    if refresh_token.is_empty() {
        return Err(AuthError::bad_request("validation_failed", "refresh_token required"));
    }
    app.reference.refresh_session(&RefreshToken::new(refresh_token)).map_err(|refused| match refused {
        RefreshRefused::NotFound => {
            AuthError::bad_request("refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        }
        RefreshRefused::AlreadyUsed => {
            AuthError::bad_request("refresh_token_already_used", "Invalid Refresh Token: Already Used")
        }
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AuthError> {
    serde_json::from_slice(body).map_err(|_| AuthError::bad_request("bad_json", "Could not parse request body as JSON"))
}

fn wire(app: &App, session: &Session) -> Value {
    json!({
        "access_token": session.access_token.reveal(),
        "token_type": "bearer",
        "expires_in": app.reference.token_lifetime().as_secs(),
        "expires_at": session.expires_at.timestamp(),
        "refresh_token": session.refresh_token.reveal(),
        "user": super::user::wire(session.person_id, session.email.as_deref()),
    })
}
