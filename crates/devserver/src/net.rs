//! The server's sockets. They end with the server, also in the middle of a response.

use axum::serve::Listener;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The pause before accepting again after an error, such as too many open files.
const AGAIN: Duration = Duration::from_millis(20);

/// Keeps connections open. Dropping it breaks them all.
#[derive(Debug, Default)]
pub(crate) struct Lifeline(watch::Sender<()>);

/// Accepts connections that live as long as a [`Lifeline`].
pub(crate) struct BoundListener {
    listener: TcpListener,
    lifeline: watch::Receiver<()>,
}

impl BoundListener {
    pub(crate) async fn bind(address: SocketAddr, lifeline: &Lifeline) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, lifeline: lifeline.0.subscribe() })
    }
}

impl Listener for BoundListener {
    type Io = BoundStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BoundStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Responses are small and complete; waiting for more data only delays them.
                    let _ = stream.set_nodelay(true);
                    return (BoundStream::new(stream, self.lifeline.clone()), address);
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The stream of one connection.
pub(crate) struct BoundStream {
    stream: TcpStream,
    /// Ends with the lifeline; none once it has ended.
    end: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl BoundStream {
    fn new(stream: TcpStream, mut lifeline: watch::Receiver<()>) -> Self {
        let end = async move { while lifeline.changed().await.is_ok() {} };
        Self { stream, end: Some(Box::pin(end)) }
    }

    /// An error once the lifeline has ended; until then the task is woken when it does.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready()) {
            self.end = None;
        }
        if self.end.is_some() { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
    }
}

impl AsyncRead for BoundStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for BoundStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
