//! Opens the WebSocket (RFC 6455, section 4).

use crate::{SupabaseRemote, error::live, http::Switch, key};
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use reqwest::{
    Upgraded,
    header::{
        CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};
use url::Url;

const CONNECT: &str = "connect";

/// The version of Realtime's frames.
const VERSION: &str = "2.0.0";

/// The largest frame and message. Nothing that concerns Fieldpost has content, so this is far above all of it.
pub(super) const LARGEST: usize = 64 << 10;

/// How much is read at once. A phone holds the buffer as long as the connection.
const READ_BUFFER: usize = 4 << 10;

pub(super) async fn open(remote: &SupabaseRemote) -> RemoteResult<WebSocketStream<Upgraded>> {
    let nonce = generate_key();
    match remote.http.switch(CONNECT, url(remote), headers(&nonce)?).await? {
        Switch::Refused(reply) => Err(live::handshake(CONNECT, &reply)),
        Switch::Done(stream, answer) if is_accepted(&answer, &nonce) => {
            Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(limits())).await)
        }
        Switch::Done(..) => Err(RemoteError::new(RemoteErrorKind::Malformed, CONNECT)
            .with_detail("the server has accepted another WebSocket than this one")),
    }
}

/// The key is here too, because Realtime itself looks for it here. The gateway before it reads the header.
fn url(remote: &SupabaseRemote) -> Url {
    let mut url = remote.endpoints.realtime.clone();
    let anon_key = key::check(&remote.config.anon_key).unwrap_or_default();
    url.query_pairs_mut().append_pair("apikey", anon_key).append_pair("vsn", VERSION);
    url
}

fn headers(nonce: &str) -> RemoteResult<HeaderMap> {
    let nonce = HeaderValue::from_str(nonce).map_err(|error| {
        // Base64 is always a header.
        RemoteError::new(RemoteErrorKind::Other, CONNECT).with_source(error)
    })?;
    Ok(HeaderMap::from_iter([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (SEC_WEBSOCKET_KEY, nonce),
    ]))
}

/// Whether the answer is to this question, and the server speaks only what was asked for.
fn is_accepted(answer: &HeaderMap, nonce: &str) -> bool {
    let accepted =
        answer.get(SEC_WEBSOCKET_ACCEPT).is_some_and(|accept| accept == derive_accept_key(nonce.as_bytes()).as_str());
    accepted && !answer.contains_key(SEC_WEBSOCKET_EXTENSIONS) && !answer.contains_key(SEC_WEBSOCKET_PROTOCOL)
}

pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * LARGEST)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
}
