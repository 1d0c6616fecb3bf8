//! Runs both sides in the background.

use super::Coordinator;
use std::sync::Arc;
use tokio::task::JoinHandle;

impl Coordinator {
    /// Syncs each side whenever its schedule says so, as long as this future is polled. The sides do not wait for each
    /// other.
    pub async fn keep_syncing(&self) {
        tokio::join!(self.records.keep_syncing(), self.messages.keep_syncing());
    }
}

/// [`Coordinator::keep_syncing`] as two tasks. Dropping it stops them.
#[derive(Debug)]
pub struct ContextRunner {
    tasks: [JoinHandle<()>; 2],
}

impl ContextRunner {
    /// Starts the tasks on the current runtime.
    #[must_use]
    pub fn start(coordinator: &Coordinator) -> Self {
        let records = Arc::clone(&coordinator.records);
        let messages = Arc::clone(&coordinator.messages);
        Self {
            tasks: [
                tokio::spawn(async move { records.keep_syncing().await }),
                tokio::spawn(async move {
                    tokio::join!(messages.keep_syncing(), messages.keep_live());
                }),
            ],
        }
    }

    /// Stops the tasks and waits for their end.
    pub async fn stop(mut self) {
        for task in &mut self.tasks {
            task.abort();
            // The abort is expected, and a panic has already been reported.
            let _ = task.await;
        }
    }
}

impl Drop for ContextRunner {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
