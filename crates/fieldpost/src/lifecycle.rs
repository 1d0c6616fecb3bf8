//! Background sync, and the app's lifecycle.

use crate::{Client, OutboxCounts, Result};
use std::time::Duration;

impl Client {
    /// Starts background sync: after every local write, when the network or the person comes back, and on a timer
    /// ([`crate::Builder::rhythm`]). Failed passes are retried with growing waits. Starting twice is allowed.
    pub async fn start(&self) {
        let mut runner = self.inner.runner.lock().await;
        if runner.is_none() {
            *runner = Some(self.inner.sides.start());
        }
    }

    /// Stops background sync: after this only [`Client::sync`] syncs. Returns when no background work is running.
    pub async fn stop(&self) {
        let runner = self.inner.runner.lock().await.take();
        if let Some(runner) = runner {
            runner.stop().await;
        }
    }

    /// Reports whether the platform has a network. Without one the client makes no calls except for [`Client::sync`];
    /// when the network is back, all waits end. Also to call when one network takes the place of another: with `true`, calls from
    /// now on use new connections, because nobody says that those over the old network are dead.
    pub fn set_online(&self, online: bool) {
        if online {
            self.drop_connections();
        }
        self.inner.sides.set_online(online);
    }

    /// Reports that the app is in the foreground: syncs at once, and the timer then runs at the faster rate.
    pub fn foreground(&self) {
        // Another process may have written in the meantime.
        self.inner.store.look_again();
        self.inner.sides.foreground();
    }

    /// Reports that the app is in the background. Sends immediate changes of records first, then the outbox, then the
    /// other records, but stops at an await once `deadline` has passed;
    /// the next sync continues. The timer then runs at the slower rate, and idle connections are closed. Returns what is still in
    /// the outbox.
    ///
    /// # Errors
    /// If the store fails. The status says why something could not be sent.
    pub async fn background(&self, deadline: Duration) -> Result<OutboxCounts> {
        let left = self.inner.sides.background(deadline).await;
        self.drop_connections();
        left
    }

    /// Prepares for suspension: stops syncing at an await and closes the file. When this returns, the client has no
    /// connection to the file and no lock on it, so iOS, which kills suspended apps that hold a lock, does not kill it.
    /// Until [`Client::resume`] every call that needs the store fails with [`crate::Error::Paused`] instead of waiting,
    /// so resume before showing anything. Pausing twice is allowed.
    ///
    /// # Errors
    /// If the store cannot close the file, or was closed before.
    pub async fn pause(&self) -> Result<()> {
        self.inner.sides.pause().await;
        self.drop_connections();
        Ok(self.inner.store.pause().await?)
    }

    /// Reopens the file after [`Client::pause`], and syncs at once if the client was started.
    ///
    /// # Errors
    /// Those of opening the file; the call can be repeated.
    pub async fn resume(&self) -> Result<()> {
        self.inner.store.resume().await?;
        self.inner.sides.resume();
        Ok(self.inner.sides.refresh_status().await?)
    }

    /// Reports that the server has something new, after a push notification or a signal of the project's own.
    pub fn hint(&self) {
        self.inner.sides.hint();
    }

    fn drop_connections(&self) {
        if let Some(drop_connections) = &self.inner.drop_connections {
            drop_connections();
        }
    }
}
