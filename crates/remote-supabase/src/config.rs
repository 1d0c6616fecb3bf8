//! The settings of a [`crate::SupabaseRemote`].

use crate::Proxy;
use chrono::Utc;
use fieldpost_domain::Time;
use std::{fmt, sync::Arc, time::Duration};

/// Tells the time of the device.
pub(crate) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The project's address and the timeouts.
///
/// The defaults suit a phone on a construction site. A server that does not accept a connection within 10 s counts as
/// unreachable. A response may take 60 s in all, well above the 8 s that hosted Supabase gives a statement, since a
/// full page over a poor network takes its time.
#[derive(Clone)]
#[non_exhaustive]
pub struct SupabaseConfig {
    /// The project's URL. A path is kept, for gateways that serve Supabase under a prefix.
    pub url: String,
    /// The publishable key: `anon`, or `sb_publishable_…`. Never the `service_role` or a secret key.
    pub anon_key: String,
    /// Name and version of the app, for the server's logs.
    pub app: String,
    /// The longest time to connect, TLS included.
    pub connect_timeout: Duration,
    /// The longest time of a whole call.
    pub timeout: Duration,
    /// The largest response in bytes, decompressed. A larger one is an error, so that no server can exhaust a phone's
    /// memory.
    pub max_answer_bytes: usize,
    /// Which proxy requests go through; by default that of the environment.
    pub proxy: Proxy,
    /// Whether the URL may begin with `http://` though the server is on another machine. Then passwords, tokens and
    /// messages travel unencrypted.
    pub allow_http: bool,
    pub(crate) clock: Clock,
}

impl SupabaseConfig {
    /// A project's URL and its publishable key, with defaults for the rest.
    #[must_use]
    pub fn new(url: impl Into<String>, anon_key: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            anon_key: anon_key.into(),
            app: concat!("fieldpost/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            max_answer_bytes: 32 << 20,
            proxy: Proxy::default(),
            allow_http: false,
            clock: Arc::new(Utc::now),
        }
    }

    /// Sets the name and version of the app.
    #[must_use]
    pub fn with_app(mut self, app: impl Into<String>) -> Self {
        self.app = app.into();
        self
    }

    /// Sets the longest time to connect.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the longest time of a whole call.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the largest response in bytes.
    #[must_use]
    pub const fn with_max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Sets which proxy requests go through.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Allows `http://` to a server on another machine, for a trusted network.
    #[must_use]
    pub const fn with_http_allowed(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Sets the clock. It is used only when a server sends a duration but not its own time: see
    /// [`fieldpost_domain::Session::expires_at`].
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl fmt::Debug for SupabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupabaseConfig")
            .field("url", &self.url)
            .field("app", &self.app)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("max_answer_bytes", &self.max_answer_bytes)
            .field("proxy", &self.proxy)
            .field("allow_http", &self.allow_http)
            .finish_non_exhaustive()
    }
}
