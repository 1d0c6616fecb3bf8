//! The outermost layer: counts each request and limits its size.

use crate::{
    app::App,
    json::json_response,
    wire::{Endpoint, RequestRecord},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde_json::json;

/// Middleware around everything, compression included.
pub(crate) async fn outer(State(app): State<App>, request: Request, next: Next) -> Response {
    let endpoint = Endpoint::of(request.uri().path());
    let (parts, body) = request.into_parts();
    let (response, request_bytes) = match to_bytes(body, app.body_limit).await {
        Err(_) => (too_large(), 0),
        Ok(body) => {
            let length = body.len();
            (next.run(Request::from_parts(parts, Body::from(body))).await, length)
        }
    };
    let (mut parts, body) = response.into_parts();
    // Bodies here are in memory, so reading them cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    app.requests.add(RequestRecord {
        endpoint,
        status: parts.status.as_u16(),
        request_bytes,
        response_bytes: body.len(),
    });
    // The body is complete, so its length is known.
    parts.headers.remove(header::TRANSFER_ENCODING);
    Response::from_parts(parts, Body::from(body))
}

fn too_large() -> Response {
    json_response(StatusCode::PAYLOAD_TOO_LARGE, &json!({"message": "Request size limit exceeded"}))
}
