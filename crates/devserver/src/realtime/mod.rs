//! Realtime: a WebSocket with Phoenix's channels, over the live hints of the reference server.
//!
//! It answers as supabase/realtime 2.129.8 does, in protocol 1.0.0 and 2.0.0, without its delays before a refusal: `frame` reads
//! and writes both, `session` is one WebSocket, `channel` one topic that a client has joined. `crate::live` has what may go wrong
//! with them on command. Only private channels are served, and only Fieldpost's topics.

mod channel;
mod frame;
mod session;

use crate::{app::App, json::json_response};
use axum::{
    Router,
    extract::{Query, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use fieldpost_domain::Capability;
use frame::Version;
use serde_json::json;
use std::collections::HashMap;

/// As Realtime limits frames.
const LARGEST: usize = 5_000_000;

/// How much is read at once: a thousand connections at a time must not take a thousand times 128 KiB.
const READ_BUFFER: usize = 4 << 10;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/websocket", get(websocket))
}

async fn websocket(
    State(app): State<App>,
    // Of a name that comes twice the last counts.
    Query(parameters): Query<HashMap<String, String>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !app.reference.info().capabilities.contains(&Capability::Live) {
        return json_response(StatusCode::NOT_FOUND, &json!({"error": "Tenant not found"}));
    }
    let Some(version) = Version::of(parameters.get("vsn").map(String::as_str)) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    match upgrade {
        Ok(upgrade) => upgrade
            .read_buffer_size(READ_BUFFER)
            .max_message_size(LARGEST)
            .max_frame_size(LARGEST)
            .on_upgrade(move |socket| session::serve(socket, app, version)),
        Err(refused) => refused.into_response(),
    }
}
