//! A bad network on real sockets: a proxy between a process and a server, on loopback.
//!
//! [`crate::Network`] stands between an engine and a server in one process. This one stands between two processes, so a
//! test covers what ships: the HTTP client with its connection pool, the sockets, the process that is killed. It knows
//! just enough of HTTP/1.1 to separate the exchanges on a connection that is kept alive (`frame`), and gives each
//! exchange one [`Fault`] or none (`exchange`).
//!
//! The faults are drawn from a seed, in the order in which the exchanges arrive. If both ends are deterministic, so is
//! the whole; otherwise the seed still gives the same mix.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use fieldpost_testkit::proxy::{Fault, FaultMix, FaultProxy};
//!
//! # let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let address = server.local_addr()?;
//! let proxy = FaultProxy::start(address, 7).await?;
//! // What the app under test takes for the server's URL:
//! let url = proxy.url();
//! proxy.set(FaultMix::none().with(Fault::LoseAnswer, 20).with(Fault::Refuse, 2));
//! // … let the app work, kill it, start it again …
//! proxy.heal();
//! // … let it sync to the end, and look at the server: nothing is lost, nothing is doubled.
//! assert_eq!(proxy.tally().requests, 0);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod door;
mod exchange;
mod fault;
mod frame;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FaultMix, Tally};

use crate::SeededRandom;
use door::Door;
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

/// State that the connections of one proxy share.
#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    chance: Mutex<Chance>,
    /// The time until which connections are refused; none: they are accepted.
    outage: watch::Sender<Option<Instant>>,
}

#[derive(Debug)]
struct Chance {
    random: SeededRandom,
    mix: FaultMix,
    tally: Tally,
}

impl Shared {
    fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_for(&self, time: Duration) {
        self.outage.send_replace(Some(Instant::now() + time));
    }
}

/// A running proxy. Dropping it stops it and breaks every connection that goes through it.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl FaultProxy {
    /// Listens on a free port of loopback and forwards everything to `upstream`, until a mix of faults is
    /// [`set`](Self::set).
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(upstream: SocketAddr, seed: u64) -> io::Result<Self> {
        let chance = Chance { random: SeededRandom::new(seed), mix: FaultMix::none(), tally: Tally::default() };
        let shared = Arc::new(Shared { upstream, chance: Mutex::new(chance), outage: watch::Sender::new(None) });
        let door = Door::open(shared.clone()).await?;
        let address = door.address();
        Ok(Self { shared, address, task: tokio::spawn(door.serve()) })
    }

    /// The URL to give to a client as the server's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Applies this mix of faults from the next exchange on.
    pub fn set(&self, mix: FaultMix) {
        self.shared.chance().mix = mix;
    }

    /// Stops all faults. A running outage ends.
    pub fn heal(&self) {
        self.set(FaultMix::none());
        self.shared.outage.send_replace(None);
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
