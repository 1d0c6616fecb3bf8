//! Syncs, and what must hold right after them.

use super::{Character, Process, World};
use crate::simulator::{Breach, Invariant, verdict};
use fieldpost_sync::{SyncError, SyncReport};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// The longest pass, whatever the network does: each call times out, and their number is bounded.
const TOO_LONG: Duration = Duration::from_secs(24 * 3600);

/// The result of a pass.
pub(super) type Ended = Option<Result<SyncReport, SyncError>>;

impl World {
    /// Syncs an app while other things go on. An app that syncs on its own is only checked; if needed, the person signs
    /// in.
    pub(super) async fn sync(&mut self, device: usize, number: u8) {
        if !self.syncs_by_itself(device) {
            return self.sync_by_hand(device, number).await;
        }
        let Some(process) = self.process(device, number).await else { return };
        let owner = self.devices[device].owner.clone();
        tokio::spawn(async move {
            drop(process.run(process.sign_in(&owner)).await);
            process.engine.foreground();
        });
    }

    /// The same, asked for by a person.
    pub(super) async fn sync_by_hand(&mut self, device: usize, number: u8) {
        drop(self.begin_sync(device, number).await);
    }

    /// The same; the caller waits for the returned task.
    pub(super) async fn begin_sync(&mut self, device: usize, number: u8) -> Option<JoinHandle<Ended>> {
        let process = self.process(device, number).await?;
        let device = &self.devices[device];
        let hub = Arc::clone(&self.hub);
        let (reader, owner) = (device.owner.id, device.owner.clone());
        let (tracks, read) = (Arc::clone(&device.tracks), Arc::clone(&device.read));
        Some(tokio::spawn(async move {
            let _by_hand = process.by_hand();
            if !process.engine.status().borrow().syncing {
                process.beside.calm();
            }
            let before = verdict::Before::new(&hub, &process, reader, read).await;
            let ended = timeout(TOO_LONG, process.run(sync(&process, &owner))).await;
            let Ok(ended) = ended else {
                let what = format!("a pass of {} does not end", process.name);
                hub.observer.report(Breach::new(Invariant::Liveness, what));
                return None;
            };
            hub.observer.say(|| format!("{} syncs: {}", process.name, said(&ended)));
            if let Some(Ok(report)) = &ended {
                hub.observer.judge(verdict::patience(&process, report).await);
                hub.observer.judge(before.loads_only_what_it_must(&process, report));
                hub.observer.judge(before.judge(&hub, &process, &tracks).await);
            } else if ended.as_ref().is_some_and(|ended| !is_of_the_store(ended)) {
                hub.observer.judge(before.judge_failed(&hub, &process, &tracks).await);
            }
            process.has_synced();
            ended
        }))
    }
}

/// Syncs like an app: a person who is signed out signs in again.
async fn sync(process: &Process, owner: &Character) -> Result<SyncReport, SyncError> {
    process.sign_in(owner).await?;
    process.engine.sync().await
}

/// The store may have failed to save what the server sent.
const fn is_of_the_store(ended: &Result<SyncReport, SyncError>) -> bool {
    matches!(ended, Err(SyncError::Storage(_)))
}

fn said(ended: &Ended) -> String {
    match ended {
        None => "killed".to_owned(),
        Some(Ok(report)) => format!(
            "ok, {} requests, {} pushed, {} failed, {} retrying, {} rows, {} first loads",
            report.requests, report.pushed, report.failed, report.retrying, report.rows, report.bootstraps
        ),
        Some(Err(SyncError::Remote(error))) => format!("{:?}", error.kind()),
        Some(Err(SyncError::Storage(error))) => format!("{:?}", error.kind()),
        Some(Err(_)) => "signed out".to_owned(),
    }
}
