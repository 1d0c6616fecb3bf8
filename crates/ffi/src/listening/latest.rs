//! Progress for a listener that may be slow: what comes while it is being told takes the place of what it has not heard yet.

use super::{Heard, OfTheApp, enqueue, warn_of_thrown};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Tells a listener what is the latest; nobody, if there is none.
pub(crate) struct Latest<L: Send + Sync + 'static, P> {
    listener: Option<OfTheApp<L>>,
    waiting: Arc<Mutex<Option<P>>>,
}

impl<L: Send + Sync, P: Send + 'static> Latest<L, P> {
    pub(crate) fn new(listener: Option<L>) -> Self {
        Self { listener: listener.map(OfTheApp::new), waiting: Arc::default() }
    }

    pub(crate) fn tell(&self, latest: P, call: impl FnOnce(&L, P) -> Heard + Send + 'static) {
        let Some(listener) = self.listener.clone() else { return };
        let former = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).replace(latest);
        if former.is_some() {
            // The call that is in the line brings this one.
            return;
        }
        let waiting = Arc::clone(&self.waiting);
        enqueue(move || {
            let latest = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let (Some(listener), Some(latest)) = (listener.get(), latest)
                && let Err(error) = call(listener, latest)
            {
                warn_of_thrown(&error);
            }
        });
    }

    /// Waits until it has heard what was told.
    pub(crate) async fn heard(&self) {
        if self.listener.is_some() {
            let (done, heard) = oneshot::channel::<()>();
            enqueue(move || drop(done));
            // It ends with the sender.
            let _ = heard.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_listener_that_is_slow_hears_the_latest_alone() {
        let (heard, of_listener) = mpsc::channel();
        let (release, wait) = mpsc::channel::<()>();
        let latest = Latest::new(Some(heard));
        // Given: the thread is busy.
        enqueue(move || {
            let _ = wait.recv();
        });

        for progress in 1..=3 {
            latest.tell(progress, |heard: &mpsc::Sender<i32>, progress| {
                let _ = heard.send(progress);
                Ok(())
            });
        }
        drop(release);
        latest.heard().await;

        assert_eq!(of_listener.try_iter().collect::<Vec<_>>(), [3]);
    }
}
