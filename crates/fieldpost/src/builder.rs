//! The composition root: the only module that names implementations.

#[cfg(feature = "records")]
mod declaring;

use crate::{Client, Error, Result, Retention, client::Inner, no_server::NoServer, sides::Sides};
use fieldpost_domain::Key;
use fieldpost_remote::{Auth, LiveHints, MessagingApi};
#[cfg(feature = "supabase")]
use fieldpost_remote_supabase::Proxy;
use fieldpost_storage::{Outbox, Replica, SecretStore, Sessions, Store, TokensApart, Turns};
use fieldpost_sync::{Engine, Env, LiveRhythm, Parts, Rhythm, TokenProvider};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{Mutex, watch};

/// The entry point: [`Fieldpost::builder`].
#[derive(Debug)]
pub struct Fieldpost;

impl Fieldpost {
    /// A builder of a client.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Builds a client: from a file and a project, or from your own store and remote.
#[derive(Default)]
#[must_use]
pub struct Builder {
    url: Option<String>,
    anon_key: Option<String>,
    app: Option<String>,
    #[cfg(feature = "supabase")]
    proxy: Proxy,
    allow_http: bool,
    database: Option<PathBuf>,
    key: Option<Key>,
    store: Option<Arc<dyn Store>>,
    remote: Option<(Arc<dyn MessagingApi>, Arc<dyn Auth>)>,
    live: Live,
    #[cfg(feature = "records")]
    records: declaring::Declaring,
    env: Env,
    rhythm: Rhythm,
    send_ttl: Option<Duration>,
    retention: Retention,
    typing: bool,
    tokens: Option<Arc<dyn TokenProvider>>,
    /// Gives up the connections to the project, if they are ours.
    drop_connections: Option<Box<dyn Fn() + Send + Sync>>,
    secrets: Option<Arc<dyn SecretStore>>,
    former_secrets: Option<Arc<dyn SecretStore>>,
}

/// Where live hints come from.
#[derive(Default)]
enum Live {
    /// The project, if it is one of Supabase.
    #[default]
    OfTheProject,
    Own(Arc<dyn LiveHints>),
    Off,
}

impl Builder {
    /// The project's URL: `https://….supabase.co`, or that of a self-hosted one.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The project's public key (anon or publishable). Never the service role key.
    pub fn anon_key(mut self, key: impl Into<String>) -> Self {
        self.anon_key = Some(key.into());
        self
    }

    /// Name and version of the app, for the server's logs. Defaults to those of Fieldpost.
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.app = Some(app.into());
        self
    }

    /// Which proxy requests go through. By default that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
    /// `NO_PROXY`).
    #[cfg(feature = "supabase")]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Allows a URL with `http://` to another machine, on a network that you trust: passwords, tokens and messages travel
    /// unencrypted. To one's own machine it is always allowed.
    pub const fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// The local file, one per account. It is created if it does not exist, and upgraded if it has an older version.
    pub fn database(mut self, path: impl Into<PathBuf>) -> Self {
        self.database = Some(path.into());
        self
    }

    /// Encrypts the local file with this key, which the app keeps in the keychain of its platform (docs/howto/encryption.md). A file
    /// that does not exist is made with it; one that is not encrypted is refused ([`crate::change_key`] encrypts it). Needs
    /// the feature `encryption`; without it [`Builder::open`] refuses the key rather than write plain text.
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Your own store in place of a file.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Your own remote in place of a Supabase project.
    pub fn remote<R: MessagingApi + Auth + 'static>(mut self, remote: Arc<R>) -> Self {
        self.remote = Some((remote.clone(), remote));
        self
    }

    /// Your own source of live hints, beside [`Builder::remote`].
    pub fn live_hints(mut self, hints: Arc<dyn LiveHints>) -> Self {
        self.live = Live::Own(hints);
        self
    }

    /// Switches live hints off: what others do is found by the timer, by [`Client::sync`] and [`Client::hint`]. By default a started
    /// client keeps a connection to Supabase Realtime while the app is in the foreground, if the server sends hints
    /// (docs/howto/live.md).
    pub fn without_live(mut self) -> Self {
        self.live = Live::Off;
        self
    }

    /// Switches typing on ([`crate::Conversation::set_typing`], [`crate::Conversation::watch_typing`]): others see who is writing.
    /// Off by default, because not every team wants that.
    pub const fn typing(mut self) -> Self {
        self.typing = true;
        self
    }

    /// No server: everything local works, and a sync fails as offline. For reading a file, and for tests.
    pub fn local_only(self) -> Self {
        let none = Arc::new(NoServer);
        #[cfg(feature = "records")]
        let this = self.records_remote(none.clone());
        #[cfg(not(feature = "records"))]
        let this = self;
        this.remote(none)
    }

    /// Your own clock and entropy, for repeatable tests.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// The app owns the session (supabase-swift, supabase-kt, supabase-js). Each call asks it for a token, and
    /// [`Client::sign_in`] is not used. Call [`Client::session_changed`] when the session changes. Opening waits a
    /// moment for the first answer; without one, the owner of the file is taken to be signed in until the app says otherwise.
    pub fn tokens(mut self, tokens: Arc<dyn TokenProvider>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Keeps the tokens of the session in this secret store, such as the keychain of the platform (docs/howto/tokens.md); the file
    /// keeps only who is signed in. Tokens that are in the file move there when it is opened, and leave no copy behind. By default
    /// they are in the file. A store that is out of reach signs nobody out: what needs the server fails with an error that says so.
    pub fn secrets(mut self, secrets: Arc<dyn SecretStore>) -> Self {
        self.secrets = Some(secrets);
        self
    }

    /// Keeps the tokens in the file again. Those that lie in this secret store move back when the file is opened.
    pub fn secrets_no_longer_in(mut self, former: Arc<dyn SecretStore>) -> Self {
        self.secrets = None;
        self.former_secrets = Some(former);
        self
    }

    /// How often a started client syncs ([`Client::start`]), and how long it waits after a failure. [`Builder::open`] refuses times
    /// that are too short or too long for a timer ([`Rhythm::check`]).
    pub const fn rhythm(mut self, rhythm: Rhythm) -> Self {
        self.rhythm = rhythm;
        self
    }

    /// How long a message may wait to be sent. After that it is not sent but becomes a dead letter (`expired`), which
    /// can be retried, edited or cancelled. Nothing expires unless this is set. Messages in flight and read marks never
    /// expire. See docs/howto/lifecycle.md for the effect on order and for clocks that jump.
    pub const fn send_ttl(mut self, ttl: Duration) -> Self {
        self.send_ttl = Some(ttl);
        self
    }

    /// Which messages stay on the device; by default all. [`Client::apply_retention`] drops the others.
    pub const fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Opens the file and builds the client. Needs no network.
    ///
    /// # Errors
    /// [`Error::Configuration`] when a setting is missing or invalid, [`Error::InvalidRetention`], [`Error::Storage`] when the file cannot be
    /// opened.
    pub async fn open(mut self) -> Result<Client> {
        if self.send_ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(Error::Configuration("a message that may not wait at all is never sent".to_owned()));
        }
        self.rhythm.check().map_err(|error| Error::Configuration(error.to_string()))?;
        self.retention.check()?;
        let (api, auth) = self.open_remote()?;
        let live = std::mem::replace(&mut self.live, Live::Off);
        // The path, from wherever it is given, tells the database from others of the device.
        let place = self.database.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        let place = place.map_or_else(String::new, |path| path.to_string_lossy().into_owned());
        let store = self.open_store().await?;
        let outbox: Arc<dyn Outbox> = store.clone();
        let replica: Arc<dyn Replica> = store.clone();
        let tokens_apart = Arc::new(match self.secrets {
            Some(secrets) => TokensApart::new(store.clone(), place, secrets),
            None => TokensApart::in_the_database(store.clone(), self.former_secrets),
        });
        let sessions: Arc<dyn Sessions> = tokens_apart.clone();
        let turns: Arc<dyn Turns> = store.clone();
        let env = self.env;
        let parts = Parts { outbox, replica, sessions, turns, api, auth, env: env.clone() };
        let mut engine = Engine::new(parts).with_rhythm(self.rhythm);
        if let Some(ttl) = self.send_ttl {
            engine = engine.with_send_ttl(ttl);
        }
        if let Live::Own(hints) = live {
            engine = engine.with_live(hints, LiveRhythm::default());
        }
        let engine = Arc::new(match self.tokens {
            Some(tokens) => engine.with_tokens(tokens),
            None => engine,
        });
        let sides = Sides::of_messages(engine);
        #[cfg(feature = "records")]
        let (sides, records) = self.records.open(sides, &env, self.rhythm).await?;
        sides.refresh_status().await?;
        let inner = Inner {
            store,
            tokens: tokens_apart,
            sides,
            #[cfg(feature = "records")]
            records,
            env,
            retention: self.retention,
            typing: self.typing,
            drop_connections: self.drop_connections,
            runner: Mutex::default(),
            alive: watch::Sender::new(()),
        };
        Ok(Client { inner: Arc::new(inner) })
    }

    async fn open_store(&mut self) -> Result<Arc<dyn Store>> {
        if let Some(store) = self.store.take() {
            return Ok(store);
        }
        let path = self.database.take().ok_or_else(|| missing("a database", "database"))?;
        let store = open_file(path, self.key.take(), &self.env).await?;
        #[cfg(all(feature = "records", feature = "sqlite"))]
        self.records.default_store(&store);
        Ok(store)
    }

    fn open_remote(&mut self) -> Result<(Arc<dyn MessagingApi>, Arc<dyn Auth>)> {
        if let Some(remote) = self.remote.take() {
            return Ok(remote);
        }
        let url = self.url.take().ok_or_else(|| missing("the project's URL", "url"))?;
        let key = self.anon_key.take().ok_or_else(|| missing("the project's anon key", "anon_key"))?;
        let remote = connect(url, key, self)?;
        #[cfg(all(feature = "records", feature = "supabase"))]
        self.records.default_api(&remote);
        #[cfg(feature = "supabase")]
        if matches!(self.live, Live::OfTheProject) {
            self.live = Live::Own(remote.clone());
        }
        #[cfg(feature = "supabase")]
        {
            let remote = remote.clone();
            self.drop_connections = Some(Box::new(move || remote.drop_connections()));
        }
        Ok((remote.clone(), remote))
    }
}

#[cfg(feature = "sqlite")]
async fn open_file(path: PathBuf, key: Option<Key>, env: &Env) -> Result<Arc<fieldpost_storage_sqlite::SqliteStore>> {
    let options = fieldpost_storage_sqlite::SqliteOptions::new(path).mutation_ids(Arc::new(env.clone()));
    let options = match key {
        Some(key) => options.key(key),
        None => options,
    };
    Ok(Arc::new(fieldpost_storage_sqlite::SqliteStore::open(options).await?))
}

#[cfg(not(feature = "sqlite"))]
async fn open_file(_path: PathBuf, _key: Option<Key>, _env: &Env) -> Result<Arc<dyn Store>> {
    Err(missing("a store (this build is without the feature `sqlite`)", "store"))
}

#[cfg(feature = "supabase")]
fn connect(url: String, key: String, settings: &mut Builder) -> Result<Arc<fieldpost_remote_supabase::SupabaseRemote>> {
    let mut config = fieldpost_remote_supabase::SupabaseConfig::new(url, key);
    if let Some(app) = settings.app.take() {
        config = config.with_app(app);
    }
    config.proxy = std::mem::take(&mut settings.proxy);
    config.allow_http = settings.allow_http;
    let remote = fieldpost_remote_supabase::SupabaseRemote::new(config)
        .map_err(|error| Error::Configuration(error.to_string()))?;
    Ok(Arc::new(remote))
}

#[cfg(not(feature = "supabase"))]
fn connect(_url: String, _key: String, _settings: &mut Builder) -> Result<Arc<NoServer>> {
    Err(missing("a remote (this build is without the feature `supabase`)", "remote"))
}

fn missing(what: &str, method: &str) -> Error {
    Error::Configuration(format!("{what} is missing; give it with Builder::{method}"))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("url", &self.url).field("database", &self.database).finish_non_exhaustive()
    }
}
