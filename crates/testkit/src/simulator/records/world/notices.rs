//! Notices from the platform and the person to apps, and what must hold then.

use super::{Process, Sides, World};
use crate::simulator::{Breach, Invariant, step::Notice};
use fieldpost_storage::{StorageErrorKind, records::RecordQueue};
use fieldpost_sync::SyncError;
use std::{sync::Arc, time::Duration};

impl World {
    pub(super) async fn tell(&mut self, device: usize, number: u8, notice: Notice) {
        let Some(process) = self.process(device, number).await else { return };
        self.observer().count(notice.name());
        let coordinator = &process.coordinator;
        match notice {
            Notice::Online(online) => {
                // Nothing is sent until there is a network again.
                if online {
                    process.urgent.calm()
                } else {
                    process.urgent.trouble()
                }
                coordinator.set_online(online);
            }
            Notice::Foreground => coordinator.foreground(),
            Notice::Background(deadline) => leave(process, deadline),
            Notice::Pause => self.pause(&process).await,
            Notice::Resume => drop(process.run(process.resume()).await),
            _ => coordinator.hint(),
        }
    }

    /// A released store refuses every call and says why; so do the engines.
    async fn pause(&self, process: &Process) {
        process.urgent.trouble();
        if !matches!(process.run(process.pause()).await, Some(Ok(()))) {
            return;
        }
        let _by_hand = process.by_hand();
        let counts = process.store.record_counts(process.env.now()).await;
        let refused = matches!(&counts, Err(error) if error.kind() == StorageErrorKind::Paused);
        let synced = process.run(process.coordinator.records().sync()).await;
        let stopped = matches!(synced, None | Some(Err(SyncError::Stopped)));
        let sent = process.run(process.coordinator.records().send_immediate()).await;
        let lane_stopped = matches!(sent, None | Some(Err(SyncError::Stopped)));
        if !refused || !stopped || !lane_stopped {
            let what = format!("{} goes on while it is paused", process.name);
            self.observer().report(Breach::new(Invariant::RecordsCrashSafe, what));
        }
    }
}

/// The person leaves the app, which sends what it can within the deadline.
fn leave(process: Arc<Process>, deadline: u32) {
    if process.manner.sides != Sides::BOTH {
        return;
    }
    tokio::spawn(async move {
        let _by_hand = process.by_hand();
        process.urgent.trouble();
        let deadline = Duration::from_millis(deadline.into());
        drop(process.run(process.coordinator.background(deadline)).await);
    });
}
