//! Syncing without being asked, and what the platform tells about the app.

use crate::{Client, OutboxCounts, Result};
use fieldpost_sync::Runner;
use std::{sync::Arc, time::Duration};

impl Client {
    /// Begins to sync by itself: after every local write, when the network or the person comes back, and on a timer
    /// ([`crate::Builder::rhythm`]). What fails is tried again with longer and longer waits. Starting twice is allowed.
    pub async fn start(&self) {
        let mut runner = self.inner.runner.lock().await;
        if runner.is_none() {
            *runner = Some(Runner::start(Arc::clone(&self.inner.engine)));
        }
    }

    /// Syncs only when asked again. Returns when nothing of the background's work runs any more.
    pub async fn stop(&self) {
        let runner = self.inner.runner.lock().await.take();
        if let Some(runner) = runner {
            runner.stop().await;
        }
    }

    /// Tells whether the platform sees a network. Without one nothing is tried but what is asked for
    /// ([`Client::sync`]); when it comes back, all waits are over.
    pub fn set_online(&self, online: bool) {
        self.inner.engine.set_online(online);
    }

    /// Tells that the person looks at the app: syncs at once, and from then on at the faster pace.
    pub fn foreground(&self) {
        // Another process may have written meanwhile.
        self.inner.store.look_again();
        self.inner.engine.foreground();
    }

    /// Tells that the person does not look at the app any more. Sends what waits, but stops at an await once `deadline` has
    /// passed; what was cut off is taken up by the next sync. From then on the timer runs at its slower pace. Returns what
    /// still waits.
    ///
    /// # Errors
    /// If the store fails. Why something could not be sent is in the status.
    pub async fn background(&self, deadline: Duration) -> Result<OutboxCounts> {
        Ok(self.inner.engine.background(deadline).await?)
    }

    /// The app is about to be suspended: stops syncing at an await and lets go of the file. When this returns there is no
    /// connection to it and no lock on it, so a system that kills suspended apps which hold one (iOS) has no reason to. Until
    /// [`Client::resume`] every call that needs the store fails with [`crate::Error::Paused`] rather than waits: whoever shows
    /// something to a person resumes first. Pausing twice is allowed.
    ///
    /// # Errors
    /// If the store cannot let go, or is closed.
    pub async fn pause(&self) -> Result<()> {
        self.inner.engine.pause().await;
        Ok(self.inner.store.pause().await?)
    }

    /// Takes the file back after [`Client::pause`], and syncs at once if the client was started.
    ///
    /// # Errors
    /// Those of opening the file; it can be tried again.
    pub async fn resume(&self) -> Result<()> {
        self.inner.store.resume().await?;
        self.inner.engine.resume();
        Ok(self.inner.engine.refresh_status().await?)
    }

    /// Tells that the server has something new: a push notification, or a message of the project's own.
    pub fn hint(&self) {
        self.inner.engine.hint();
    }
}
