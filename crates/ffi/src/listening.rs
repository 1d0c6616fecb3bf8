//! How listeners are called, and how a subscription ends.
//!
//! One thread calls all listeners, one after the other. So they never run at the same time, a slow one holds up no call of the engine,
//! and a runtime that attaches each new thread (the JVM) attaches one. A watch is read again only when its listener has returned:
//! what changes meanwhile comes as one update, so nothing piles up.

use crate::{Failure, Result, runtime};
use futures::{Stream, StreamExt};
use std::{
    cell::Cell,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinHandle};

/// What a listener throws. It is logged, and the subscription goes on.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ListenerError {
    /// The listener has failed.
    #[error("{reason}")]
    Failed {
        /// For the log of the app's developers.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ListenerError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}

/// What a call of a listener comes to.
pub(crate) type Heard = std::result::Result<(), ListenerError>;

type Call = Box<dyn FnOnce() + Send>;

thread_local! {
    static CALLS_LISTENERS: Cell<bool> = const { Cell::new(false) };
}

static CALLS: LazyLock<Option<mpsc::Sender<Call>>> = LazyLock::new(|| {
    let (sender, calls) = mpsc::channel::<Call>();
    let thread = thread::Builder::new().name("fieldpost-listen".to_owned());
    let started = thread.spawn(move || {
        CALLS_LISTENERS.set(true);
        calls.into_iter().for_each(|call| drop(catch_unwind(AssertUnwindSafe(call))));
    });
    started.ok().map(|_| sender)
});

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Puts a call in the line of the thread. If there is no thread, or the app is not to be called any more, it is dropped.
pub(crate) fn enqueue(call: impl FnOnce() + Send + 'static) {
    if !STOPPED.load(Ordering::Acquire)
        && let Some(calls) = CALLS.as_ref()
    {
        // The thread never ends before this.
        let _ = calls.send(Box::new(call));
    }
}

/// How long a listener may take that is being called when a process ends.
const LAST_CALL: Duration = Duration::from_secs(2);

/// From now on nothing of the app is called or given back any more, for the rest of the process. When this returns, nothing is
/// being called. It is for languages that cannot be called while their process ends.
#[uniffi::export]
pub fn stop_listening() {
    STOPPED.store(true, Ordering::Release);
    let (done, returned) = mpsc::channel();
    if let Some(calls) = CALLS.as_ref() {
        // The thread never ends before this.
        let _ = calls.send(Box::new(move || drop(done)));
    }
    // It ends with the sender, when the thread has come to it: whatever comes after that has seen that it is over.
    let _: std::result::Result<(), _> = returned.recv_timeout(LAST_CALL);
}

/// Something of the app: a listener, a provider. It is given back on the thread of the listeners, because that calls the app too.
pub(crate) struct OfTheApp<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync> OfTheApp<T> {
    pub(crate) fn new(what: T) -> Self {
        Self(Some(Arc::new(what)))
    }

    /// None while it is given back, and once the app is not to be called any more.
    pub(crate) fn get(&self) -> Option<&T> {
        if STOPPED.load(Ordering::Acquire) { None } else { self.0.as_deref() }
    }
}

impl<T: Send + Sync> Clone for OfTheApp<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync> Drop for OfTheApp<T> {
    fn drop(&mut self) {
        let Some(what) = self.0.take() else { return };
        if STOPPED.load(Ordering::Acquire) {
            // The process ends.
            mem::forget(what);
        } else if !CALLS_LISTENERS.get() && CALLS.is_some() {
            // It asks once more, wherever it is dropped then.
            let later = Self(Some(what));
            enqueue(move || drop(later));
        }
    }
}

/// Something that is told of updates.
pub(crate) trait Listener: Send + Sync + 'static {
    type Update: Send + 'static;

    fn update(&self, update: Self::Update) -> Heard;
    fn error(&self, failure: Failure) -> Heard;
    fn end(&self) -> Heard;
}

/// Declares a listener: an interface that the app implements.
macro_rules! listener {
    ($(#[$doc:meta])* $name:ident, $update:ty) => {
        $(#[$doc])*
        #[uniffi::export(callback_interface)]
        pub trait $name: Send + Sync {
            /// Something has changed.
            ///
            /// # Errors
            /// Whatever is thrown is logged, and the next change comes all the same.
            fn on_update(&self, update: $update) -> std::result::Result<(), $crate::ListenerError>;

            /// Reading a change has failed. The next change brings what was missed.
            ///
            /// # Errors
            /// As above.
            fn on_error(&self, failure: $crate::Failure) -> std::result::Result<(), $crate::ListenerError>;

            /// There will be no more: the client was shut down.
            ///
            /// # Errors
            /// As above.
            fn on_end(&self) -> std::result::Result<(), $crate::ListenerError>;
        }

        impl $crate::listening::Listener for Box<dyn $name> {
            type Update = $update;

            fn update(&self, update: $update) -> $crate::listening::Heard {
                self.on_update(update)
            }

            fn error(&self, failure: $crate::Failure) -> $crate::listening::Heard {
                self.on_error(failure)
            }

            fn end(&self) -> $crate::listening::Heard {
                self.on_end()
            }
        }
    };
}

pub(crate) use listener;

/// Calls one listener until it is cancelled.
struct Teller<L: Listener> {
    listener: OfTheApp<L>,
    cancelled: Arc<AtomicBool>,
}

impl<L: Listener> Teller<L> {
    fn new(listener: L) -> Self {
        Self { listener: OfTheApp::new(listener), cancelled: Arc::default() }
    }

    async fn update(&self, update: L::Update) {
        self.tell(move |listener| listener.update(update)).await;
    }

    async fn error(&self, failure: Failure) {
        self.tell(move |listener| listener.error(failure)).await;
    }

    async fn end(&self) {
        self.tell(Listener::end).await;
    }

    async fn tell(&self, call: impl FnOnce(&L) -> Heard + Send + 'static) {
        let (listener, cancelled) = (self.listener.clone(), Arc::clone(&self.cancelled));
        let (done, returned) = oneshot::channel();
        enqueue(move || {
            if !cancelled.load(Ordering::Acquire)
                && let Some(listener) = listener.get()
                && let Err(error) = call(listener)
            {
                // What an app throws may have content, so its text is not logged.
                tracing::warn!(thrown = error_name(&error), "a listener has thrown; its subscription goes on");
            }
            drop(listener);
            // Nobody waits for it after a cancel.
            let _ = done.send(());
        });
        // An error means that the listener has panicked, which is over as well.
        let _ = returned.await;
    }
}

/// The first word of what was thrown, which is the name of its type in all languages.
fn error_name(error: &ListenerError) -> String {
    let ListenerError::Failed { reason } = error;
    reason.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '.' || *letter == '_').take(80).collect()
}

/// A subscription. It ends when it is cancelled or dropped.
#[derive(uniffi::Object)]
pub struct Subscription {
    task: JoinHandle<()>,
    cancelled: Arc<AtomicBool>,
}

#[uniffi::export]
impl Subscription {
    /// Ends it. Its listener is not called any more, but for a call that is under way.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.task.abort();
    }

    /// Whether updates may still come.
    pub fn is_active(&self) -> bool {
        !self.cancelled.load(Ordering::Acquire) && !self.task.is_finished()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("active", &self.is_active()).finish()
    }
}

impl Subscription {
    /// Tells a listener of what is there now, then of every update, then of the end.
    pub(crate) fn follow<L, E>(
        listener: L,
        first: Option<L::Update>,
        updates: impl Stream<Item = std::result::Result<L::Update, E>> + Send + 'static,
    ) -> Result<Arc<Self>>
    where
        L: Listener,
        E: Into<Failure> + Send + 'static,
    {
        let teller = Teller::new(listener);
        let cancelled = Arc::clone(&teller.cancelled);
        let task = runtime::start(async move {
            if let Some(first) = first {
                teller.update(first).await;
            }
            let mut updates = pin!(updates);
            while let Some(update) = updates.next().await {
                match update {
                    Ok(update) => teller.update(update).await,
                    Err(error) => teller.error(error.into()).await,
                }
            }
            teller.end().await;
        })?;
        Ok(Arc::new(Self { task, cancelled }))
    }
}
