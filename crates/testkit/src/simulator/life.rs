//! Kills an app: at any await, without a chance to clean up.
//!
//! Everything that an app does runs under its [`Life`]. When the life ends, after a number of polls, the current poll
//! is interrupted: futures are dropped where they are, and only what they have committed remains. A future that waits,
//! for the network for example, is woken for that: what it holds must not outlive the app.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    task::{Context, Poll},
};
use tokio::sync::{Notify, futures::Notified};

/// The life of one start of an app.
#[derive(Debug)]
pub(super) struct Life {
    polls_left: AtomicI64,
    over: AtomicBool,
    end: Notify,
}

impl Life {
    pub(super) const fn new() -> Self {
        Self { polls_left: AtomicI64::new(i64::MAX), over: AtomicBool::new(false), end: Notify::const_new() }
    }

    /// Ends the life after `polls` more polls; at once if zero.
    pub(super) fn end_after(&self, polls: u16) {
        self.polls_left.store(i64::from(polls), Ordering::SeqCst);
        if polls == 0 {
            self.end();
        }
    }

    fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.end.notify_waiters();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn spend(&self) -> bool {
        if !self.is_over() && self.polls_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.end();
        }
        !self.is_over()
    }
}

/// A future that ends with its life; its output is none then.
pub(super) struct Mortal<'a, F> {
    life: &'a Life,
    end: Pin<Box<Notified<'a>>>,
    work: Option<Pin<Box<F>>>,
}

impl<'a, F> Mortal<'a, F> {
    pub(super) fn new(life: &'a Life, work: F) -> Self {
        Self { life, end: Box::pin(life.end.notified()), work: Some(Box::pin(work)) }
    }
}

impl<F: Future> Future for Mortal<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Polled to be woken: whether the life is over is asked anyway.
        let _ended = self.end.as_mut().poll(context);
        if !self.life.spend() {
            self.work = None;
        }
        match &mut self.work {
            None => Poll::Ready(None),
            Some(work) => work.as_mut().poll(context).map(Some),
        }
    }
}
