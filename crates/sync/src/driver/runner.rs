//! Runs passes in the background.

use super::Engine;
use crate::machine::{Step, Trigger};
use std::sync::Arc;
use tokio::task::JoinHandle;

impl Engine {
    /// Runs a pass whenever the schedule says so, as long as this future is polled. Dropping it stops the running pass
    /// at an await. Running it twice is harmless but useless.
    pub async fn keep_syncing(&self) {
        let mut schedule = self.schedule.subscribe();
        let mut returned = self.session.returned();
        loop {
            let step = schedule.borrow_and_update().next(self.moment());
            let at = match step {
                Step::Pass { .. } => {
                    self.scheduled_pass().await;
                    continue;
                }
                Step::Wait(at) => Some(self.started + at),
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
                // The sender lives as long as the engine.
                _ = returned.changed() => self.trigger(Trigger::SignedIn),
            }
        }
    }
}

/// [`Engine::keep_syncing`] and [`Engine::keep_live`] as a task. Dropping it stops the task.
#[derive(Debug)]
pub struct Runner {
    task: JoinHandle<()>,
}

impl Runner {
    /// Starts the task on the current runtime.
    #[must_use]
    pub fn start(engine: Arc<Engine>) -> Self {
        Self {
            task: tokio::spawn(async move {
                tokio::join!(engine.keep_syncing(), engine.keep_live());
            }),
        }
    }

    /// Stops the task and waits for its end.
    pub async fn stop(mut self) {
        self.task.abort();
        // The abort is expected, and a panic has already been reported.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.task.abort();
    }
}
