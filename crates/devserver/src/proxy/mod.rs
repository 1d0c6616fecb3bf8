//! A bad network on real sockets: a proxy between a process and a server, on loopback.
//!
//! `fieldpost_testkit::Network` stands between an engine and a server in one process. This one stands between two
//! processes, so a test covers what ships: the HTTP client with its connection pool, the sockets, the process that is
//! killed. It knows just enough of HTTP/1.1 to separate the exchanges on a connection that is kept alive (`frame`), and
//! gives each exchange one [`Fault`] or none (`exchange`).

mod door;
mod exchange;
mod fault;
mod frame;
mod gateway;
mod line;
mod orders;
mod shared;
#[cfg(test)]
mod tests;
mod transit;

pub use fault::{Fault, FaultMix, Tally};
pub use line::LineConditions;

use crate::{server::DevServer, wire::Endpoint};
use door::Door;
use shared::{Outage, Shared};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{sync::watch, task::JoinHandle};

/// A running proxy before a server: the bad network. Dropping it stops it and breaks every connection that goes through
/// it.
///
/// Faults are ordered one by one ([`order`](Self::order)), or drawn from a seed as a [`FaultMix`]
/// ([`set`](Self::set)), in the order in which the exchanges arrive. If both ends are deterministic, so is the whole;
/// otherwise the seed still gives the same mix.
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use fieldpost_devserver::{Fault, FaultMix, FaultProxy};
///
/// # let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let address = server.local_addr()?;
/// let proxy = FaultProxy::start(address, 7).await?;
/// // What the app under test takes for the server's URL:
/// let url = proxy.url();
/// proxy.set(FaultMix::none().with(Fault::LoseAnswer, 20).with(Fault::Refuse, 2));
/// // … let the app work, kill it, start it again …
/// proxy.heal();
/// // … let it sync to the end, and look at the server: nothing is lost, nothing is doubled.
/// assert_eq!(proxy.tally().requests, 0);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    url: String,
    /// Whether the proxy listens.
    open: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Listens on a free port of loopback and forwards everything to `upstream`, until faults are ordered or a mix of
    /// them is [`set`](Self::set).
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(upstream: SocketAddr, seed: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(upstream, seed));
        let door = Door::open(shared.clone()).await?;
        let (url, open) = (format!("http://{}", door.address()), door.is_open());
        Ok(Self { shared, url, open, task: tokio::spawn(door.serve()) })
    }

    /// The network before a devserver.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn before(server: &DevServer) -> io::Result<Self> {
        Self::start(server.address(), 0).await
    }

    /// The URL to give to a client as the server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives the next `times` requests to an endpoint this fault; `None` stands for any endpoint. Several orders for the
    /// same endpoint are used up one after the other.
    pub fn order(&self, endpoint: impl Into<Option<Endpoint>>, times: u32, fault: Fault) {
        self.shared.chance().orders.add(endpoint.into(), times, fault);
    }

    /// Applies this mix of faults from the next exchange on.
    pub fn set(&self, mix: FaultMix) {
        self.shared.chance().mix = mix;
    }

    /// Changes what the line carries and what the server refuses, from the next exchange on.
    pub fn line(&self, conditions: LineConditions) {
        self.shared.chance().line = conditions;
    }

    /// Cuts the network off, or brings it back: connections break and new ones are refused. Returns when that has
    /// happened.
    pub async fn offline(&self, offline: bool) {
        self.shared.outage.send_replace(if offline { Outage::UntilFurtherNotice } else { Outage::Over });
        // The door lives as long as `self`, so waiting cannot fail.
        let _ = self.open.clone().wait_for(|open| *open != offline).await;
    }

    /// Closes every connection on which no exchange runs, as a server does after a while. WebSockets stay.
    pub fn hang_up(&self) {
        self.shared.hang_up.send_replace(());
    }

    /// Stops all faults and cancels those that are ordered. A running outage ends.
    pub fn heal(&self) {
        {
            let mut chance = self.shared.chance();
            chance.mix = FaultMix::none();
            chance.line = LineConditions::default();
            chance.orders.cancel();
        }
        self.shared.outage.send_replace(Outage::Over);
    }

    /// The counts so far: exchanges and faults.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.chance().tally.clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
