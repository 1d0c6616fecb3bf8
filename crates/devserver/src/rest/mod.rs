//! PostgREST: the functions for messages, those for records and reports, and the refusals that come before them.

mod answer;
mod args;
mod bootstrap;
mod error;
mod history;
mod pull;
mod push;
mod records;
mod reports;
mod rows;
mod rpc;
mod search;
mod session;

use crate::{app::App, json::json_response};
use axum::{
    Router,
    http::{StatusCode, Uri},
    response::Response,
    routing::any,
};
#[cfg(feature = "fuzzing")]
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method},
};
use serde_json::json;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/rpc/{function}", any(rpc::call))
}

/// One call, after routing.
#[cfg(feature = "fuzzing")]
pub(crate) async fn call(app: App, function: String, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    rpc::call(State(app), Path(function), method, headers, body).await
}

/// The response for an unknown path.
pub(crate) async fn no_route(uri: Uri) -> Response {
    match uri.path().strip_prefix("/rest/v1/").filter(|table| !table.is_empty() && !table.contains('/')) {
        Some(table) => error::RestError::no_table(table).respond(),
        None => json_response(StatusCode::NOT_FOUND, &json!({"message": "no Route matched with those values"})),
    }
}
