//! The settings of a client.

use crate::{FieldpostError, RecordTable, Result, key::key};
use fieldpost::{Builder, Fieldpost, Proxy, Retention, Rhythm};
use std::{fmt, time::Duration};

/// The settings of a client ([`fieldpost::Builder`]). They print nothing: a key is among them.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Display)]
pub struct ClientOptions {
    /// The local file, one per account. It is created if it does not exist.
    pub database: String,
    /// The project's URL. Without one the client is local only: everything local works, and a sync fails as offline.
    #[uniffi(default = None)]
    pub url: Option<String>,
    /// The project's public key (anon or publishable). Never the service role key.
    #[uniffi(default = None)]
    pub anon_key: Option<String>,
    /// Name and version of the app, for the server's logs.
    #[uniffi(default = None)]
    pub app: Option<String>,
    /// The proxy that requests go through; by default that of the environment.
    #[uniffi(default = None)]
    pub proxy: Option<String>,
    /// Allows `http://` to another machine, on a network that you trust.
    #[uniffi(default = false)]
    pub allow_http: bool,
    /// The key of an encrypted file, 32 bytes; from the keychain of the platform.
    #[uniffi(default = None)]
    pub key: Option<Vec<u8>>,
    /// 16 random bytes beside the key, for a file in a container that several apps of iOS share.
    #[uniffi(default = None)]
    pub shared_container_salt: Option<Vec<u8>>,
    /// Keep a connection for live hints while started and in the foreground.
    #[uniffi(default = true)]
    pub live: bool,
    /// Others see who is writing.
    #[uniffi(default = false)]
    pub typing: bool,
    /// How long a message may wait to be sent.
    #[uniffi(default = None)]
    pub send_ttl: Option<Duration>,
    /// Keep the newest so many messages of each conversation.
    #[uniffi(default = None)]
    pub keep_last: Option<u32>,
    /// Keep the messages of the last so many days.
    #[uniffi(default = None)]
    pub keep_days: Option<u32>,
    /// The time between two passes in the foreground: a second to a year; 30 seconds by default.
    #[uniffi(default = None)]
    pub sync_every: Option<Duration>,
    /// The offline tables of the app's own.
    #[uniffi(default = [])]
    pub tables: Vec<RecordTable>,
    /// Declare the four clinical tables too.
    #[uniffi(default = false)]
    pub clinical: bool,
    /// How long an answer of the app may take: a token, a secret. 30 seconds by default.
    #[uniffi(default = None)]
    pub callback_limit: Option<Duration>,
}

impl fmt::Display for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientOptions(…)")
    }
}

impl ClientOptions {
    /// The default settings, for a file without a server.
    pub fn at(database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            url: None,
            anon_key: None,
            app: None,
            proxy: None,
            allow_http: false,
            key: None,
            shared_container_salt: None,
            live: true,
            typing: false,
            send_ttl: None,
            keep_last: None,
            keep_days: None,
            sync_every: None,
            tables: Vec::new(),
            clinical: false,
            callback_limit: None,
        }
    }

    pub(crate) fn builder(self) -> Result<Builder> {
        let retention = Retention { last: self.keep_last, days: self.keep_days };
        let mut builder = Fieldpost::builder().database(self.database).retention(retention);
        builder = match (self.url, self.anon_key) {
            (Some(url), Some(key)) => builder.url(url).anon_key(key),
            (Some(url), None) => builder.url(url),
            (None, _) => builder.local_only(),
        };
        if let Some(app) = self.app {
            builder = builder.app(app);
        }
        if let Some(proxy) = self.proxy {
            builder = builder.proxy(Proxy::Url(proxy));
        }
        if self.allow_http {
            builder = builder.allow_http();
        }
        match (self.key, self.shared_container_salt) {
            (Some(bytes), salt) => builder = builder.key(key(bytes, salt)?),
            (None, Some(_)) => return Err(FieldpostError::argument("a salt needs a key")),
            (None, None) => {}
        }
        if !self.live {
            builder = builder.without_live();
        }
        if self.typing {
            builder = builder.typing();
        }
        if let Some(ttl) = self.send_ttl {
            builder = builder.send_ttl(ttl);
        }
        if let Some(foreground) = self.sync_every {
            builder = builder.rhythm(Rhythm { foreground, ..Rhythm::default() });
        }
        if !self.tables.is_empty() {
            builder = builder.records(self.tables.into_iter().map(Into::into));
        }
        if self.clinical {
            builder = builder.clinical();
        }
        Ok(builder)
    }
}
