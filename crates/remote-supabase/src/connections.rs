//! The connections to a project: what is spoken on them, how long they stay open, and when they are given up.
//!
//! **Two kinds.** Calls go over HTTP/2 where the server speaks it (ALPN, RFC 7301): then all calls, also those at the same
//! time, share one connection. A WebSocket begins as HTTP/1.1 only, so a request to go on with another protocol has a client
//! of its own, which offers nothing else. Both are built here from one [`Plan`], so TLS, proxy, headers and timeouts are the
//! same. A project with `http://` knows HTTP/1.1 only.
//!
//! **Warm.** A person who sends after a minute of rest should wait one round trip, not four. So a connection stays open
//! without calls for a while ([`IDLE_HTTP2`], [`IDLE_HTTP1`]), and is asked in the rhythm of the live connection's heartbeat
//! whether it still stands: by a PING of HTTP/2, which also a forward proxy passes on, and by the system's probes (TCP
//! keep-alive). This costs a radio its sleep. So it ends with the idle time, and an app that goes to the background closes
//! the connections ([`crate::SupabaseRemote::drop_connections`]).
//!
//! **Dead.** When a phone changes its network, or a router forgets the connection, nobody says so, and each call on it would
//! wait for its whole timeout. On HTTP/1.1 the timeout closes the connection. On HTTP/2 it ends the one call, and the next one
//! takes the same connection: clients of HTTP/2 are known to stay without a network like this for as long as TCP repeats itself. So
//!
//! * a connection that has not answered a PING within [`ANSWER`] is closed, with calls under way too. A call that begins after
//!   a rest sends its PING at once;
//! * after a call that has found no answer in its time, the next one takes a new connection;
//! * whoever knows of a new network says so ([`crate::SupabaseRemote::drop_connections`]).
//!
//! **HTTP/2 that does not work.** A box in between may offer it and break it, or a server may want HTTP/1.1 for a call. If the
//! error says so, the call is sent again over HTTP/1.1 at once. If calls only break, or find no answer, the third one in a row
//! ends HTTP/2. In both cases all others go over HTTP/1.1 then, until the connections are dropped: it works on every line.

use crate::proxy::Route;
use reqwest::{
    Client,
    header::{HeaderMap, HeaderValue},
    redirect,
};
use rustls::ClientConfig;
use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// How often a connection is asked whether it stands: as often as the live connection is (docs/howto/live.md).
const BEAT: Duration = Duration::from_secs(25);

/// How long the answer may take. What a server takes unread before it says more (64 KiB) is underway for 16 s on a line of
/// 32 kbit/s, and the PING waits behind it.
const ANSWER: Duration = Duration::from_secs(20);

/// How long an HTTP/2 connection stays open without a call: as the server says when it closes one (GOAWAY), and repeats of a
/// call that came too late are safe, only battery speaks against longer. A device in the foreground calls every 30 s, or
/// every few minutes if it is live and has a slow timer.
const IDLE_HTTP2: Duration = Duration::from_secs(5 * 60);

/// The same for HTTP/1.1: shorter than the gateways in front of Supabase do, so that a call seldom uses a connection that the
/// other side is just closing.
const IDLE_HTTP1: Duration = Duration::from_secs(50);

/// How many calls in a row must fail without an answer, before HTTP/2 is taken for the cause.
const FAILURES: u32 = 3;

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What all connections have in common.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Without protocols; they differ.
    pub(crate) tls: ClientConfig,
    /// Whether the project has `https://`.
    pub(crate) https: bool,
    pub(crate) route: Option<Route>,
    pub(crate) headers: HeaderMap,
    pub(crate) user_agent: HeaderValue,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) pulse: Pulse,
}

/// When a connection is asked whether it stands, and how long the answer may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pulse {
    pub(crate) beat: Duration,
    pub(crate) answer: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { beat: BEAT, answer: ANSWER }
    }
}

/// The clients of a project.
#[derive(Debug)]
pub(crate) struct Connections {
    plan: Plan,
    current: RwLock<Clients>,
    /// How many calls in a row had no answer.
    failures: AtomicU32,
}

/// What new calls use.
#[derive(Debug, Clone)]
struct Clients {
    /// Grows whenever other clients take the place of these.
    generation: u64,
    http2: bool,
    calls: Client,
    upgrades: Client,
}

/// The client for one call.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) client: Client,
    generation: u64,
}

impl Connections {
    pub(crate) fn new(plan: Plan) -> reqwest::Result<Self> {
        let current = RwLock::new(plan.clients(0, plan.https)?);
        Ok(Self { plan, current, failures: AtomicU32::new(0) })
    }

    /// For calls.
    pub(crate) fn calls(&self) -> Lease {
        let Clients { generation, calls, .. } = self.current();
        Lease { client: calls, generation }
    }

    /// For what goes on with another protocol.
    pub(crate) fn upgrades(&self) -> Client {
        self.current().upgrades
    }

    /// From now on calls open new connections. Idle ones are closed; calls under way keep theirs.
    pub(crate) fn drop_all(&self) {
        self.failures.store(0, Ordering::Relaxed);
        let generation = self.current().generation;
        self.replace(generation, self.plan.https);
    }

    /// A call was answered.
    pub(crate) fn answered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// A call had no answer. `silent`: nothing came until its time was over.
    pub(crate) fn failed(&self, lease: &Lease, silent: bool) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let http2 = self.current().http2;
        if silent || (http2 && failures >= FAILURES) {
            self.replace(lease.generation, http2 && failures < FAILURES);
        }
    }

    /// HTTP/2 does not work: all calls use HTTP/1.1 from now on. Returns what the failed one can be repeated with.
    pub(crate) fn give_up_http2(&self, lease: &Lease) -> Client {
        self.replace(lease.generation, false);
        self.upgrades()
    }

    fn current(&self) -> Clients {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts others in the place of the clients of this generation. Those that cannot be built change nothing.
    fn replace(&self, generation: u64, http2: bool) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.generation == generation
            && let Ok(clients) = self.plan.clients(generation + 1, http2)
        {
            *current = clients;
        }
    }
}

impl Plan {
    fn clients(&self, generation: u64, http2: bool) -> reqwest::Result<Clients> {
        let upgrades = self.client(&[HTTP1], IDLE_HTTP1)?;
        let calls = if http2 { self.client(&[HTTP2, HTTP1], IDLE_HTTP2)? } else { upgrades.clone() };
        Ok(Clients { generation, http2, calls, upgrades })
    }

    fn client(&self, protocols: &[&[u8]], idle: Duration) -> reqwest::Result<Client> {
        let mut tls = self.tls.clone();
        // reqwest offers no protocol by itself with a configuration that it was given.
        tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(self.headers.clone())
            .user_agent(self.user_agent.clone())
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .pool_idle_timeout(idle)
            .tcp_keepalive(self.pulse.beat)
            .tcp_keepalive_interval(self.pulse.answer / 2)
            .tcp_keepalive_retries(2)
            .http2_keep_alive_interval(self.pulse.beat)
            .http2_keep_alive_timeout(self.pulse.answer)
            .http2_keep_alive_while_idle(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            // From here on reqwest looks for none by itself.
            .no_proxy();
        let client = match &self.route {
            Some(route) => client.proxy(route.proxy.clone()),
            None => client,
        };
        client.build()
    }
}

#[cfg(test)]
mod tests;
