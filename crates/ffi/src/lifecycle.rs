//! Background sync, and the app's lifecycle.

use crate::{Client, OutboxCounts, Result, moment, runtime};
use std::time::Duration;

#[uniffi::export]
impl Client {
    /// Starts background sync. Starting twice is allowed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub async fn start(&self) -> Result<()> {
        self.run(|client| async move {
            client.start().await;
            Ok(())
        })
        .await
    }

    /// Stops background sync. Returns when no background work is running.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub async fn stop(&self) -> Result<()> {
        self.run(|client| async move {
            client.stop().await;
            Ok(())
        })
        .await
    }

    /// Reports whether the platform has a network.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn set_online(&self, online: bool) -> Result<()> {
        let client = self.sdk()?;
        let _inside = runtime::runtime()?.enter();
        client.set_online(online);
        Ok(())
    }

    /// Reports that the app is in the foreground: syncs at once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn foreground(&self) -> Result<()> {
        let client = self.sdk()?;
        let _inside = runtime::runtime()?.enter();
        client.foreground();
        Ok(())
    }

    /// Reports that the app is in the background: sends what it can until `deadline` has passed. Returns what is left.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn background(&self, deadline: Duration) -> Result<OutboxCounts> {
        self.run(|client| async move { Ok(client.background(deadline).await?.into()) }).await
    }

    /// Prepares for suspension: stops syncing and closes the file. Until [`Client::resume`] calls fail with
    /// [`crate::ErrorKind::Paused`].
    ///
    /// # Errors
    /// If the file cannot be closed.
    pub async fn pause(&self) -> Result<()> {
        self.run(|client| async move { Ok(client.pause().await?) }).await
    }

    /// Opens the file again after a pause.
    ///
    /// # Errors
    /// Those of opening the file; the call can be repeated.
    pub async fn resume(&self) -> Result<()> {
        self.run(|client| async move { Ok(client.resume().await?) }).await
    }

    /// Reports that the server has something new, after a push notification.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Closed`].
    pub fn hint(&self) -> Result<()> {
        let client = self.sdk()?;
        let _inside = runtime::runtime()?.enter();
        client.hint();
        Ok(())
    }

    /// Drops what the retention does not keep. Returns how many messages have left the device.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn apply_retention(&self) -> Result<u32> {
        self.run(|client| async move { Ok(moment::count(client.apply_retention().await?)) }).await
    }
}
