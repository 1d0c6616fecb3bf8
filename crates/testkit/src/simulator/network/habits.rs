//! A process's behaviour towards the server: when it last called, and whether it was asked to wait.

use crate::simulator::{Breach, Invariant};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The behaviour of one start of an app. Times are the observer's.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    /// The number of running operations that a person asked for: those need not wait.
    by_hand: AtomicU64,
    asked_until: AtomicU64,
    last_call: AtomicU64,
}

impl Habits {
    /// Marks an operation that a person asked for, for as long as the returned value lives.
    pub(crate) fn by_hand(self: &Arc<Self>) -> ByHand {
        self.by_hand.fetch_add(1, Ordering::SeqCst);
        self.asked_until.store(0, Ordering::SeqCst);
        ByHand(Arc::clone(self))
    }

    /// The time of its last call.
    pub(crate) fn last_call(&self) -> u64 {
        self.last_call.load(Ordering::SeqCst)
    }

    /// Records a call. A process that syncs on its own must not call before the time that the server named.
    pub(super) fn calls(&self, now: u64, call: &str) -> Result<(), Breach> {
        self.last_call.store(now, Ordering::SeqCst);
        let until = self.asked_until.load(Ordering::SeqCst);
        if now >= until || is_of_the_session(call) {
            return Ok(());
        }
        let what = format!("a {call} {} ms before the time that the server has named", until - now);
        Err(Breach::new(Invariant::Bounded, what))
    }

    /// Records that the server asked it to wait.
    pub(super) fn told_to_wait(&self, call: &str, until: u64) {
        if !is_of_the_session(call) && self.by_hand.load(Ordering::SeqCst) == 0 {
            self.asked_until.store(until, Ordering::SeqCst);
        }
    }
}

/// Calls about the session: an app that owns the session waits by its own rules.
fn is_of_the_session(call: &str) -> bool {
    matches!(call, "sign_in" | "sign_out" | "refresh")
}

/// A running operation that a person asked for.
#[derive(Debug)]
pub(crate) struct ByHand(Arc<Habits>);

impl Drop for ByHand {
    fn drop(&mut self) {
        self.0.by_hand.fetch_sub(1, Ordering::SeqCst);
    }
}
