//! Kills an app: at any await, without a chance to clean up.
//!
//! Everything that an app does runs under its [`Life`]. When the life ends, after a number of polls, the current poll
//! is interrupted: futures are dropped where they are, and only what they have committed remains.

use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    task::{Context, Poll},
};

/// The life of one start of an app.
#[derive(Debug)]
pub(super) struct Life {
    polls_left: AtomicI64,
    over: AtomicBool,
}

impl Life {
    pub(super) const fn new() -> Self {
        Self { polls_left: AtomicI64::new(i64::MAX), over: AtomicBool::new(false) }
    }

    /// Ends the life after `polls` more polls; at once if zero.
    pub(super) fn end_after(&self, polls: u16) {
        self.polls_left.store(i64::from(polls), Ordering::SeqCst);
        if polls == 0 {
            self.over.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn spend(&self) -> bool {
        if !self.is_over() && self.polls_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.over.store(true, Ordering::SeqCst);
        }
        !self.is_over()
    }
}

/// A future that ends with its life; its output is none then.
pub(super) struct Mortal<'a, F> {
    life: &'a Life,
    work: Option<Pin<Box<F>>>,
}

impl<'a, F> Mortal<'a, F> {
    pub(super) fn new(life: &'a Life, work: F) -> Self {
        Self { life, work: Some(Box::pin(work)) }
    }
}

impl<F: Future> Future for Mortal<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.life.spend() {
            self.work = None;
        }
        match &mut self.work {
            None => Poll::Ready(None),
            Some(work) => work.as_mut().poll(context).map(Some),
        }
    }
}
