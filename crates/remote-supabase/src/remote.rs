//! The client of one project.

use crate::{
    config::SupabaseConfig,
    endpoints::{CONFIGURE, Endpoints},
    http::Http,
};
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use std::{fmt, sync::Arc};
use url::{Host, Url};

const UNENCRYPTED: &str = "the project's URL begins with http://, so passwords and messages would travel unencrypted; use \
     https://, or allow it for a network that you trust (allow_http)";

/// A Supabase project with Fieldpost's functions: implements [`fieldpost_remote::MessagingApi`] and
/// [`fieldpost_remote::Auth`], and with the feature `records` `RecordsApi`.
///
/// Clones are cheap and share their connections. Calls need a tokio runtime; creating the client does not.
#[derive(Clone)]
pub struct SupabaseRemote {
    pub(crate) http: Http,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) config: Arc<SupabaseConfig>,
}

impl SupabaseRemote {
    /// Checks the configuration. Sends nothing.
    ///
    /// # Errors
    /// [`fieldpost_remote::RemoteErrorKind::WrongApiKey`] when the key is malformed or a secret one,
    /// [`fieldpost_remote::RemoteErrorKind::Other`] with an explanation when the URL or the proxy is wrong,
    /// [`fieldpost_remote::RemoteErrorKind::Unreachable`] when the machine has no trusted certificates.
    pub fn new(config: SupabaseConfig) -> RemoteResult<Self> {
        let endpoints = Endpoints::new(&config.url)?;
        let https = endpoints.pull.scheme() == "https";
        if !https && !is_loopback(&endpoints.pull) {
            if !config.allow_http {
                return Err(RemoteError::new(RemoteErrorKind::Other, CONFIGURE).with_detail(UNENCRYPTED));
            }
            tracing::warn!("the project's URL begins with http://: tokens and messages travel unencrypted");
        }
        let http = Http::new(&config, &endpoints.pull)?;
        Ok(Self { http, endpoints: Arc::new(endpoints), config: Arc::new(config) })
    }

    /// Gives up all connections, of all clones: the next call opens a new one. Idle ones are closed, and calls under way keep
    /// theirs. To call when the device has another network, whose end of old connections nobody reports, and when the app goes
    /// to the background, where nothing should keep them alive.
    pub fn drop_connections(&self) {
        self.http.drop_connections();
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for SupabaseRemote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupabaseRemote").field("config", &self.config).finish_non_exhaustive()
    }
}
