//! The check of the API key, and GoTrue's endpoints.

mod api_key;
mod error;
mod token;
mod user;

use crate::app::App;
use axum::{
    Router,
    routing::{get, post},
};

pub(crate) use api_key::require_api_key;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/token", post(token::token))
        .route("/logout", post(user::logout))
        .route("/user", get(user::user))
}
