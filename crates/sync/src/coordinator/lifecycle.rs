//! What the app reports about itself and its surroundings, to both sides.

use super::{ConnectionKind, Coordinator};
use crate::SyncError;
use fieldpost_domain::Session;
use fieldpost_remote::Credentials;
use fieldpost_storage::{OutboxCounts, records::RecordCounts};
use std::time::Duration;
use tokio::time::Instant;

/// What is left when the app is in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Of the records.
    pub records: RecordCounts,
    /// Of the messages.
    pub messages: OutboxCounts,
}

impl Coordinator {
    /// How the device is connected now. Without a network the runner rests; when it returns, all waits end and both
    /// sides sync.
    pub fn set_connection(&self, connection: ConnectionKind) {
        let was_online = self.own.borrow().connection.is_online();
        self.own.send_if_modified(|own| std::mem::replace(&mut own.connection, connection) != connection);
        if was_online != connection.is_online() {
            self.tell_online(connection.is_online());
        }
    }

    /// The platform reports whether there is a network, and does not say which. As [`Coordinator::set_connection`].
    pub fn set_online(&self, online: bool) {
        self.own.send_if_modified(|own| {
            let before = own.connection;
            own.connection = match (online, before) {
                (false, _) => ConnectionKind::None,
                (true, ConnectionKind::None) => ConnectionKind::Unknown,
                (true, known) => known,
            };
            before != own.connection
        });
        // Told again, it ends the waits again.
        self.tell_online(online);
    }

    fn tell_online(&self, online: bool) {
        self.records.set_online(online);
        self.messages.set_online(online);
    }

    /// The app comes to the foreground: all waits end, and the timers run at their faster pace.
    pub fn foreground(&self) {
        self.records.foreground();
        self.messages.foreground();
    }

    /// The server signals that it has something new.
    pub fn hint(&self) {
        self.records.hint();
        self.messages.hint();
    }

    /// The app goes to the background: the timers run at their slower pace. Until the deadline it sends what is
    /// immediate first, then the outbox, then the rest of the records; it stops at an await when the deadline has
    /// passed, and a later pass does the rest. Returns what is left.
    ///
    /// # Errors
    /// Only if the counts cannot be read. If something could not be sent, the state says why.
    pub async fn background(&self, deadline: Duration) -> Result<Left, SyncError> {
        let end = Instant::now() + deadline;
        self.records.background();
        if tokio::time::timeout_at(end, self.send_immediate()).await.is_err() {
            self.records.stop_passes().await;
        }
        let left = end.saturating_duration_since(Instant::now());
        let messages = self.records.beside(self.messages.background(left)).await?;
        self.send_rest(end).await;
        Ok(Left { records: self.records.counts().await?, messages })
    }

    async fn send_immediate(&self) {
        if let Err(error) = self.records.send_immediate().await {
            tracing::debug!(%error, "immediate changes were not sent before going to the background");
        }
    }

    async fn send_rest(&self, end: Instant) {
        if self.records.is_idle_and_empty().await {
            return;
        }
        match tokio::time::timeout_at(end, self.records.sync()).await {
            Ok(Err(error)) => tracing::debug!(%error, "the sync of the records before going to the background failed"),
            Ok(Ok(_)) => {}
            Err(_) => self.records.stop_passes().await,
        }
    }

    /// Stops what is running and does nothing until [`Coordinator::resume`]. Once this returns, no more calls are made to
    /// the store.
    pub async fn pause(&self) {
        tokio::join!(self.records.pause(), self.messages.pause());
    }

    /// Continues after [`Coordinator::pause`].
    pub fn resume(&self) {
        self.records.resume();
        self.messages.resume();
    }

    /// Signs in, and clears the last errors.
    ///
    /// # Errors
    /// As [`crate::Engine::sign_in`].
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Session, SyncError> {
        let session = self.messages.sign_in(credentials).await?;
        self.records.signed_in().await;
        Ok(session)
    }

    /// Signs out on this device: both sides stop until somebody signs in.
    ///
    /// # Errors
    /// As [`crate::Engine::sign_out`].
    pub async fn sign_out(&self) -> Result<(), SyncError> {
        self.messages.sign_out().await?;
        if !self.messages.session().is_signed_in().await? {
            self.records.signed_out().await;
        }
        Ok(())
    }

    /// The app has signed somebody in or out, or has renewed its session.
    pub async fn session_changed(&self) {
        self.messages.session_changed().await;
        self.records.signed_in().await;
    }

    /// Forgets the results of the last passes, because the store was wiped.
    pub async fn forget(&self) {
        self.messages.forget().await;
        self.records.forget().await;
    }

    /// Reads the counts and the session again and publishes them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn refresh_status(&self) -> Result<(), SyncError> {
        self.records.refresh_status().await?;
        self.messages.refresh_status().await
    }
}
