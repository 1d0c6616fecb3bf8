//! A listener that has no socket while the switch is off: the operating system refuses connections, as if nothing
//! listened.

use super::{
    connection::{BreakableStream, Breaker},
    switch::Switch,
};
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

/// The pause before trying again to bind the port.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct SwitchedListener {
    address: SocketAddr,
    listener: Option<TcpListener>,
    switch: Switch,
}

impl SwitchedListener {
    /// Listens on an address. With port 0 the system chooses the port, and the listener keeps it.
    pub(crate) async fn bind(address: SocketAddr, switch: Switch) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, listener: Some(listener), switch })
    }

    /// Closes or opens the socket to match the switch.
    async fn follow(&mut self, on: bool) {
        if !on {
            self.listener = None;
        } else if self.listener.is_none() {
            self.listener = TcpListener::bind(self.address).await.ok();
        }
        if on == self.listener.is_some() {
            self.switch.report(on);
        } else {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl Listener for SwitchedListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BreakableStream, SocketAddr) {
        let mut wanted = self.switch.wanted();
        loop {
            let on = *wanted.borrow_and_update();
            self.follow(on).await;
            let accepted = async {
                match &self.listener {
                    Some(listener) => listener.accept().await.ok(),
                    // Off: wait for the switch. On without a port: try again.
                    None if on => None,
                    None => std::future::pending().await,
                }
            };
            let accepted = tokio::select! {
                _ = wanted.changed() => None,
                accepted = accepted => accepted,
            };
            if let Some((stream, address)) = accepted {
                // Responses are small and complete; waiting for more data only delays them.
                let _ = stream.set_nodelay(true);
                let breaker = Breaker::default();
                self.switch.add(breaker.clone());
                return (BreakableStream::new(stream, breaker), address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl<'a> Connected<IncomingStream<'a, SwitchedListener>> for Breaker {
    fn connect_info(stream: IncomingStream<'a, SwitchedListener>) -> Self {
        stream.io().breaker()
    }
}
