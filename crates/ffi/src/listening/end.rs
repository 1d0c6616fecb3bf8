//! The end of the app: from then on nothing of it is called.

use super::thread;
use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

static OVER: AtomicBool = AtomicBool::new(false);

/// Calls of the app that are under way on other threads than that of the listeners.
static UNDER_WAY: Mutex<usize> = Mutex::new(0);
static RETURNED: Condvar = Condvar::new();

/// How long a call may take that is under way when a process ends.
const LAST_CALL: Duration = Duration::from_secs(2);

/// From now on nothing of the app is called or given back any more, for the rest of the process: no listener, no sink of the log, no
/// provider of tokens and no store of secrets. When this returns, nothing is being called, unless a call takes longer than two
/// seconds. It is for languages that cannot be called while their process ends.
#[uniffi::export]
pub fn stop_listening() {
    let under_way = calls_under_way();
    OVER.store(true, Ordering::Release);
    drop(RETURNED.wait_timeout_while(under_way, LAST_CALL, |calls| *calls > 0));
    if thread::is_this() {
        // A listener calls this, and nothing else is being called.
        return;
    }
    let (done, returned) = mpsc::channel();
    thread::enqueue(move || drop(done));
    // It ends with the sender, when the thread has come to it: whatever comes after that has seen that it is over.
    let _: Result<(), _> = returned.recv_timeout(LAST_CALL);
}

/// Whether nothing of the app may be called any more.
pub(super) fn is_over() -> bool {
    OVER.load(Ordering::Acquire)
}

/// A call of the app on any thread. The end waits until it is dropped.
pub(super) struct Permit(());

impl Permit {
    /// None when it is over.
    pub(super) fn ask() -> Option<Self> {
        let mut calls = calls_under_way();
        if is_over() {
            return None;
        }
        *calls += 1;
        Some(Self(()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *calls_under_way() -= 1;
        RETURNED.notify_all();
    }
}

fn calls_under_way() -> MutexGuard<'static, usize> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}
