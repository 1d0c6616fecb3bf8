//! The one thread that calls listeners.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{LazyLock, mpsc},
    thread,
};

type Call = Box<dyn FnOnce() + Send>;

thread_local! {
    static IS_THIS: Cell<bool> = const { Cell::new(false) };
}

static CALLS: LazyLock<Option<mpsc::Sender<Call>>> = LazyLock::new(|| {
    let (sender, calls) = mpsc::channel::<Call>();
    let thread = thread::Builder::new().name("fieldpost-listen".to_owned());
    let started = thread.spawn(move || {
        IS_THIS.set(true);
        calls.into_iter().for_each(|call| drop(catch_unwind(AssertUnwindSafe(call))));
    });
    started.ok().map(|_| sender)
});

/// Puts a call in the line. False if there is no thread: then it is dropped.
pub(super) fn enqueue(call: impl FnOnce() + Send + 'static) -> bool {
    // The thread never ends before this.
    CALLS.as_ref().is_some_and(|calls| calls.send(Box::new(call)).is_ok())
}

/// Whether there is one.
pub(super) fn is_there() -> bool {
    CALLS.is_some()
}

/// Whether this is the thread.
pub(super) fn is_this() -> bool {
    IS_THIS.get()
}
