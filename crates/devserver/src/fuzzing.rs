//! The functions without sockets, for tests that generate requests. Not part of the interface.

use crate::{app::App, live::LiveFaults, rest, wire::Requests};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, Method, header},
};
use fieldpost_domain::AccessToken;
use fieldpost_remote::reference::ReferenceServer;
use tokio::sync::watch;

/// The server as called by one signed-in person.
#[derive(Debug)]
pub struct Functions {
    app: App,
    headers: HeaderMap,
}

impl Functions {
    /// The functions of this server, called with this token. None if a header cannot hold the token.
    #[must_use]
    pub fn new(reference: ReferenceServer, token: &AccessToken) -> Option<Self> {
        let app = App {
            reference,
            anon_key: "key".into(),
            requests: Requests::default(),
            body_limit: usize::MAX,
            live: LiveFaults::default(),
            running: watch::channel(()).1,
        };
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).ok()?;
        Some(Self { app, headers: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]) })
    }

    /// Calls a function with this body and returns the status and the response.
    pub async fn call(&self, function: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let body = Bytes::copy_from_slice(body);
        let response =
            rest::call(self.app.clone(), function.to_owned(), Method::POST, self.headers.clone(), body).await;
        let status = response.status().as_u16();
        let answer = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        (status, answer.unwrap_or_default().to_vec())
    }
}
