//! The gateway's check of the API key, before any service sees the request.

use crate::{app::App, json::json_response};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use serde_json::json;

/// Accepts requests with the project's key, in the header or, as Supabase allows, in the query.
pub(crate) async fn require_api_key(State(app): State<App>, request: Request, next: Next) -> Response {
    let header = request.headers().get("apikey").and_then(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("apikey="));
    match header.or(query) {
        None => json_response(
            StatusCode::UNAUTHORIZED,
            &json!({"message": "No API key found in request",
                    "hint": "No `apikey` request header or url param was found."}),
        ),
        Some(key) if key != &*app.anon_key => json_response(
            StatusCode::UNAUTHORIZED,
            &json!({"message": "Invalid API key",
                    "hint": "Double check your Supabase `anon` or `service_role` API key."}),
        ),
        Some(_) => next.run(request).await,
    }
}
