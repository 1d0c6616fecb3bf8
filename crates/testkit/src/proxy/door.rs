//! Accepts connections or refuses them. Refusals come from the operating system, as if nothing listened.

use super::{Shared, exchange};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::Instant,
};

/// The pause before trying again to bind the port.
const AGAIN: Duration = Duration::from_millis(5);

pub(super) struct Door {
    shared: Arc<Shared>,
    address: SocketAddr,
    listener: TcpListener,
    /// The connections; they end when this is dropped.
    connections: JoinSet<()>,
}

impl Door {
    pub(super) async fn open(shared: Arc<Shared>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { shared, address, listener, connections: JoinSet::new() })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn serve(mut self) {
        let mut outage = self.shared.outage.subscribe();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => if let Ok((stream, _)) = accepted {
                    self.connections.spawn(connection(self.shared.clone(), stream));
                },
                // Removes connections that have ended.
                Some(_) = self.connections.join_next() => {}
                () = begins(&mut outage) => {
                    drop(self.listener);
                    ends(&mut outage).await;
                    self.listener = rebound(self.address).await;
                }
            }
        }
    }
}

async fn rebound(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Serves one connection until it ends, or an outage ends it.
async fn connection(shared: Arc<Shared>, mut client: TcpStream) {
    let mut outage = shared.outage.subscribe();
    let _ = client.set_nodelay(true);
    let ending = tokio::select! {
        ending = exchange::serve(&shared, &mut client) => ending,
        () = begins(&mut outage) => exchange::Ending::Reset,
    };
    if ending == exchange::Ending::Reset {
        // Closing then discards unsent data and resets the connection.
        let _ = client.set_zero_linger();
    }
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_none_or(|until| until <= Instant::now())
}

async fn begins(outage: &mut watch::Receiver<Option<Instant>>) {
    if outage.wait_for(|until| !is_over(*until)).await.is_err() {
        // The proxy is gone, so no outage can be ordered any more.
        std::future::pending::<()>().await;
    }
}

async fn ends(outage: &mut watch::Receiver<Option<Instant>>) {
    loop {
        let until = *outage.borrow_and_update();
        let Some(until) = until.filter(|until| !is_over(Some(*until))) else { return };
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            _ = outage.changed() => {}
        }
    }
}
