//! Accepts connections or refuses them. Refusals come from the operating system, as if nothing listened.

use super::{
    exchange,
    shared::{Outage, Shared},
};
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
};

/// The pause before trying again to bind the port.
const AGAIN: Duration = Duration::from_millis(5);

pub(super) struct Door {
    shared: Arc<Shared>,
    address: SocketAddr,
    listener: TcpListener,
    open: watch::Sender<bool>,
    /// The connections; they end when this is dropped.
    connections: JoinSet<()>,
}

impl Door {
    pub(super) async fn open(shared: Arc<Shared>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { shared, address, listener, open: watch::Sender::new(true), connections: JoinSet::new() })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether there is no outage now.
    pub(super) fn is_open(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
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
                    self.connections.shutdown().await;
                    self.open.send_replace(false);
                    ends(&mut outage).await;
                    self.listener = rebound(self.address).await;
                    self.open.send_replace(true);
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

/// Serves one connection until it ends.
async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut client = Client { stream, resets: true };
    client.resets = exchange::serve(&shared, &mut client.stream).await == exchange::Ending::Reset;
}

/// The client's connection. An outage drops it in the middle, and then it is reset.
struct Client {
    stream: TcpStream,
    resets: bool,
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.resets {
            // Closing then discards unsent data and resets the connection.
            let _ = self.stream.set_zero_linger();
        }
    }
}

async fn begins(outage: &mut watch::Receiver<Outage>) {
    if outage.wait_for(|outage| !outage.is_over()).await.is_err() {
        // The proxy is gone, so no outage can be ordered any more.
        std::future::pending::<()>().await;
    }
}

async fn ends(outage: &mut watch::Receiver<Outage>) {
    loop {
        let now = *outage.borrow_and_update();
        if now.is_over() {
            return;
        }
        tokio::select! {
            () = over(now) => {}
            // The proxy is gone: the task ends with it.
            _ = outage.changed() => {}
        }
    }
}

/// Waits until an outage has ended by itself.
async fn over(outage: Outage) {
    match outage {
        Outage::Over => {}
        Outage::Until(until) => tokio::time::sleep_until(until).await,
        Outage::UntilFurtherNotice => std::future::pending().await,
    }
}
