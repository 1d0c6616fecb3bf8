//! A process's behaviour towards the server: when it last called, and whether it was asked to wait.

use crate::simulator::{Breach, Invariant};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// The server is asked for new tokens no more often while it refuses all of them, in milliseconds.
const MINUTE: u64 = 60_000;

/// The behaviour of one start of an app. Times are the observer's.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    /// The number of running operations that a person asked for: those need not wait.
    by_hand: AtomicU64,
    asked_until: AtomicU64,
    last_call: AtomicU64,
    /// How often it had a reason to load everything anew.
    loads_anew: AtomicU64,
    /// It is known when it needs a new token, so each refresh can be judged.
    refreshes_judged: AtomicBool,
    /// When it last got a new token from a server that refuses all of them; zero: never.
    refreshed_in_vain: AtomicU64,
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

    /// From now on each refresh is judged.
    pub(crate) fn judge_refreshes(&self) {
        self.refreshes_judged.store(true, Ordering::SeqCst);
    }

    /// Records that it asks a server for another token that refuses every token.
    pub(super) fn refreshes_in_vain(&self, now: u64) -> Result<(), Breach> {
        let last = self.refreshed_in_vain.load(Ordering::SeqCst);
        let judged = self.refreshes_judged.load(Ordering::SeqCst);
        if !judged || last == 0 || now - last >= MINUTE {
            return Ok(());
        }
        let what = format!("a refresh {} ms after one whose token was refused", now - last);
        Err(Breach::new(Invariant::Bounded, what))
    }

    /// Records that it got one.
    pub(super) fn refreshed_in_vain(&self, now: u64) {
        self.refreshed_in_vain.store(now, Ordering::SeqCst);
    }

    /// How often it had a reason to load everything anew.
    pub(crate) fn loads_anew(&self) -> u64 {
        self.loads_anew.load(Ordering::SeqCst)
    }

    /// The server has said that its cursor has expired, or the store is wiped.
    pub(crate) fn must_load_anew(&self) {
        self.loads_anew.fetch_add(1, Ordering::SeqCst);
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
pub(super) fn is_of_the_session(call: &str) -> bool {
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
