//! What a [`crate::SupabaseRemote`] needs to know.

use chrono::Utc;
use fieldpost_domain::Time;
use std::{fmt, sync::Arc, time::Duration};

/// Tells the time of the device.
pub(crate) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Where the project is and how patient to be.
///
/// The defaults suit a phone on a site: a server that does not take a connection in 10 s counts as unreachable; an answer
/// may take 60 s in all, well above the 8 s that hosted Supabase gives a statement, since a full page over a poor network
/// takes its time.
#[derive(Clone)]
#[non_exhaustive]
pub struct SupabaseConfig {
    /// The project's URL. A path is kept, for gateways that serve Supabase under a prefix.
    pub url: String,
    /// The key that may be published: `anon`, or `sb_publishable_…`. Never the `service_role` or a secret key.
    pub anon_key: String,
    /// Name and version of the app, for the server's logs.
    pub app: String,
    /// How long making a connection may take, TLS included.
    pub connect_timeout: Duration,
    /// How long a call may take in all.
    pub timeout: Duration,
    /// The most bytes of an answer, unpacked. A larger one is an error, so that no server can exhaust the memory of a phone.
    pub max_answer_bytes: usize,
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
            clock: Arc::new(Utc::now),
        }
    }

    /// Sets the name and version of the app.
    #[must_use]
    pub fn with_app(mut self, app: impl Into<String>) -> Self {
        self.app = app.into();
        self
    }

    /// Sets how long making a connection may take.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long a call may take in all.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the most bytes of an answer.
    #[must_use]
    pub const fn with_max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Sets the clock. It is asked only when a server tells a duration and no time of its own: see
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
            .finish_non_exhaustive()
    }
}
