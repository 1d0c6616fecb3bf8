//! Starting and stopping.

use crate::{app::App, auth, live::LiveFaults, outer::outer, realtime, rest, wire::Requests};
use axum::{Router, middleware::from_fn_with_state, serve::ListenerExt};
use fieldpost_remote::reference::ReferenceServer;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tower_http::compression::CompressionLayer;

/// The default API key of every devserver. It has the form of a JWT and opens nothing else.
const ANON_KEY: &str =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoiYW5vbiIsInJlZiI6ImZpZWxkcG9zdC1kZXYifQ.devserver";

/// The server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
}

/// Sets up a [`DevServer`].
#[derive(Debug, Clone)]
pub struct DevServerBuilder {
    reference: Option<ReferenceServer>,
    address: IpAddr,
    port: u16,
    anon_key: String,
    body_limit: usize,
}

impl DevServerBuilder {
    /// The server behind the HTTP interface; the demo world unless set.
    #[must_use]
    pub fn reference(mut self, reference: ReferenceServer) -> Self {
        self.reference = Some(reference);
        self
    }

    /// The address to listen on; loopback unless set.
    #[must_use]
    pub const fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// The port; 0 (the default) lets the system choose.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The API key that clients must send.
    #[must_use]
    pub fn anon_key(mut self, key: impl Into<String>) -> Self {
        self.anon_key = key.into();
        self
    }

    /// The largest request body in bytes; 4 MiB unless set.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Starts serving on the current tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] if the server cannot listen on the address.
    pub async fn start(self) -> Result<DevServer, StartError> {
        let address = SocketAddr::new(self.address, self.port);
        let bound = |source| StartError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bound)?;
        let address = listener.local_addr().map_err(bound)?;
        let listener = listener.tap_io(|stream| {
            // Responses are small and complete; waiting for more data only delays them.
            let _ = stream.set_nodelay(true);
        });
        let (runs, running) = watch::channel(());
        let app = App {
            reference: self.reference.unwrap_or_else(ReferenceServer::demo),
            anon_key: self.anon_key.into(),
            requests: Requests::default(),
            body_limit: self.body_limit,
            live: LiveFaults::default(),
            running,
        };
        let service = router(app.clone()).into_make_service();
        let task = tokio::spawn(async move {
            // The task ends when the server is dropped.
            let _ = axum::serve(listener, service).await;
        });
        Ok(DevServer { app, address, url: format!("http://{address}"), task, _runs: runs })
    }
}

fn router(app: App) -> Router {
    Router::new()
        .nest("/auth/v1", auth::routes())
        .nest("/rest/v1", rest::routes())
        .nest("/realtime/v1", realtime::routes())
        .fallback(rest::no_route)
        .layer(axum::middleware::from_fn_with_state(app.clone(), crate::auth::require_api_key))
        .layer(CompressionLayer::new().gzip(true))
        .layer(from_fn_with_state(app.clone(), outer))
        .with_state(app)
}

/// A running server. Dropping it stops it, and closes its connections after the request that each is working on.
#[derive(Debug)]
pub struct DevServer {
    app: App,
    address: SocketAddr,
    url: String,
    task: JoinHandle<()>,
    /// WebSockets end with it.
    _runs: watch::Sender<()>,
}

impl DevServer {
    /// A builder with the default settings.
    #[must_use]
    pub fn builder() -> DevServerBuilder {
        DevServerBuilder {
            reference: None,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            anon_key: ANON_KEY.to_owned(),
            body_limit: 4 << 20,
        }
    }

    /// The value for a client's `SUPABASE_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value for a client's `SUPABASE_ANON_KEY`.
    #[must_use]
    pub fn anon_key(&self) -> &str {
        &self.app.anon_key
    }

    /// The server behind the HTTP interface.
    #[must_use]
    pub const fn reference(&self) -> &ReferenceServer {
        &self.app.reference
    }

    /// The log of requests.
    #[must_use]
    pub const fn requests(&self) -> &Requests {
        &self.app.requests
    }

    /// The faults of live hints.
    #[must_use]
    pub const fn live(&self) -> &LiveFaults {
        &self.app.live
    }

    /// Runs until the process ends, for a command that only serves.
    pub async fn serve_forever(mut self) {
        // It ends early only if a handler's task panics; the panic is reported there.
        let _ = (&mut self.task).await;
    }

    /// Stops the server. When this returns, the port is free; connections close.
    pub async fn shutdown(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
