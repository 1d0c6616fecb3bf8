//! A connection that can be broken from outside: at once, or after a number of response bytes.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

#[derive(Debug, Default)]
struct State {
    /// How many more bytes may be written; none: no limit.
    allowance: Option<usize>,
    /// Woken when the connection breaks while it waits for a request.
    reader: Option<Waker>,
}

/// Breaks one connection. All clones act on the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breaker(Arc<Mutex<State>>);

impl Breaker {
    /// Lets this many more bytes out, then breaks the connection.
    pub(crate) fn break_after(&self, bytes: usize) {
        let reader = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.allowance = Some(bytes);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Whether the connection is still open: then this is not the last handle.
    pub(super) fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether the connection is broken: nothing more may be written.
    fn is_broken(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).allowance == Some(0)
    }

    fn wait(&self, waker: &Waker) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reader = Some(waker.clone());
    }

    /// How many of these bytes may be written.
    fn allow(&self, wanted: usize) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).allowance.map_or(wanted, |left| wanted.min(left))
    }

    fn written(&self, bytes: usize) {
        if let Some(left) = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).allowance {
            *left -= bytes.min(*left);
        }
    }
}

/// The stream of one connection.
#[derive(Debug)]
pub(crate) struct BreakableStream {
    stream: TcpStream,
    breaker: Breaker,
}

impl BreakableStream {
    /// What breaks it.
    pub(super) fn breaker(&self) -> Breaker {
        self.breaker.clone()
    }

    pub(super) const fn new(stream: TcpStream, breaker: Breaker) -> Self {
        Self { stream, breaker }
    }
}

fn broken<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::Error::from(io::ErrorKind::ConnectionReset)))
}

impl AsyncRead for BreakableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // First set the waker, then check: so a break in between is not missed.
        self.breaker.wait(cx.waker());
        if self.breaker.is_broken() {
            return broken();
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = self.breaker.allow(bytes.len());
        if allowed == 0 && !bytes.is_empty() {
            return broken();
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, &bytes[..allowed]);
        if let Poll::Ready(Ok(count)) = &written {
            self.breaker.written(*count);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
