//! A listener that, while the switch is off, has no socket: connections are refused by the operating system, as they are
//! when nothing listens.

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

/// How long to wait before trying again to get the port back.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) struct SwitchedListener {
    address: SocketAddr,
    listener: Option<TcpListener>,
    switch: Switch,
}

impl SwitchedListener {
    /// Listens on an address; port 0 lets the system choose, and that port is kept.
    pub(crate) async fn bind(address: SocketAddr, switch: Switch) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, listener: Some(listener), switch })
    }

    /// Closes or opens the socket, as the switch says.
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
                    // Off: wait for the switch. On without a port: go round again.
                    None if on => None,
                    None => std::future::pending().await,
                }
            };
            let accepted = tokio::select! {
                _ = wanted.changed() => None,
                accepted = accepted => accepted,
            };
            if let Some((stream, address)) = accepted {
                // Answers are small and complete; waiting for more to send only makes them late.
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
