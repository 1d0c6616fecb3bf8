//! Syncs without being asked.

use super::Engine;
use crate::machine::Step;
use std::sync::Arc;
use tokio::task::JoinHandle;

impl Engine {
    /// Runs passes whenever the schedule says so, for as long as this future lives. Dropped, it stops at an await; running it
    /// twice at the same time is harmless, and useless.
    pub async fn keep_syncing(&self) {
        let mut schedule = self.schedule.subscribe();
        loop {
            let step = schedule.borrow_and_update().next(self.moment());
            let at = match step {
                Step::Pass { .. } => {
                    self.scheduled_pass().await;
                    continue;
                }
                Step::Wait(at) => Some(self.began + at),
                Step::Rest => None,
            };
            let alarm = async {
                match at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = alarm => {}
                changed = schedule.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// [`Engine::keep_syncing`] as a task. It stops when this is dropped.
#[derive(Debug)]
pub struct Runner {
    task: JoinHandle<()>,
}

impl Runner {
    /// Starts the task on the runtime that this is called on.
    #[must_use]
    pub fn start(engine: Arc<Engine>) -> Self {
        Self { task: tokio::spawn(async move { engine.keep_syncing().await }) }
    }

    /// Stops it, and waits until nothing of it runs any more.
    pub async fn stop(mut self) {
        self.task.abort();
        // An abort is what was asked for; a panic has been reported where it happened.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.task.abort();
    }
}
