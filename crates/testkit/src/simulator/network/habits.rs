//! How a process behaves towards the server: when it called last, and whether it was asked to wait.

use crate::simulator::{Breach, Invariant};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Of one start of an app. Times are those of the observer.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    /// How many things go on that somebody has asked for: they do not wait.
    by_hand: AtomicU64,
    asked_until: AtomicU64,
    last_call: AtomicU64,
}

impl Habits {
    /// Somebody asks for something, for as long as this lives.
    pub(crate) fn by_hand(self: &Arc<Self>) -> ByHand {
        self.by_hand.fetch_add(1, Ordering::SeqCst);
        self.asked_until.store(0, Ordering::SeqCst);
        ByHand(Arc::clone(self))
    }

    /// When it last called.
    pub(crate) fn last_call(&self) -> u64 {
        self.last_call.load(Ordering::SeqCst)
    }

    /// It calls. Nobody who syncs by himself does so before the time that the server has named.
    pub(super) fn calls(&self, now: u64, call: &str) -> Result<(), Breach> {
        self.last_call.store(now, Ordering::SeqCst);
        let until = self.asked_until.load(Ordering::SeqCst);
        if now >= until || is_of_the_session(call) {
            return Ok(());
        }
        let what = format!("a {call} {} ms before the time that the server has named", until - now);
        Err(Breach::new(Invariant::Bounded, what))
    }

    /// The server asks it to wait.
    pub(super) fn told_to_wait(&self, call: &str, until: u64) {
        if !is_of_the_session(call) && self.by_hand.load(Ordering::SeqCst) == 0 {
            self.asked_until.store(until, Ordering::SeqCst);
        }
    }
}

/// An app that owns the session waits by rules of its own.
fn is_of_the_session(call: &str) -> bool {
    matches!(call, "sign_in" | "sign_out" | "refresh")
}

/// Something that somebody has asked for.
#[derive(Debug)]
pub(crate) struct ByHand(Arc<Habits>);

impl Drop for ByHand {
    fn drop(&mut self) {
        self.0.by_hand.fetch_sub(1, Ordering::SeqCst);
    }
}
