//! Subscriptions: what tells one listener, until it is cancelled.

use super::{Heard, Listener, OfTheApp, enqueue, warn_of_thrown};
use crate::{Failure, Result, runtime};
use futures::{Stream, StreamExt};
use std::{
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::oneshot, task::JoinHandle};

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
                warn_of_thrown(&error);
            }
            drop(listener);
            // Nobody waits for it after a cancel.
            let _ = done.send(());
        });
        // An error means that the listener has panicked, which is over as well.
        let _ = returned.await;
    }
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
