//! Syncing, and what must hold right after it.

use super::{Process, World};
use crate::simulator::{Breach, Invariant, verdict};
use fieldpost_remote::Credentials;
use fieldpost_sync::{SyncError, SyncReport};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// No pass takes longer than this, whatever the network does: each call gives up after a while, and their number is bounded.
const TOO_LONG: Duration = Duration::from_secs(24 * 3600);

/// How a pass ended.
pub(super) type Ended = Option<Result<SyncReport, SyncError>>;

impl World {
    /// Lets an app sync, beside whatever else goes on.
    pub(super) async fn sync(&mut self, device: usize, number: u8) {
        drop(self.begin_sync(device, number).await);
    }

    /// The same, to be waited for.
    pub(super) async fn begin_sync(&mut self, device: usize, number: u8) -> Option<JoinHandle<Ended>> {
        let process = self.process(device, number).await?;
        let device = &self.devices[device];
        let hub = Arc::clone(&self.hub);
        let (reader, credentials) = (device.owner.id, device.owner.credentials.clone());
        let (tracks, read) = (Arc::clone(&device.tracks), Arc::clone(&device.read));
        Some(tokio::spawn(async move {
            let before = verdict::Before::new(&hub, reader, read);
            let ended = timeout(TOO_LONG, process.run(sync(&process, &credentials))).await;
            let Ok(ended) = ended else {
                let what = format!("a pass of {} does not end", process.name);
                hub.observer.report(Breach::new(Invariant::Liveness, what));
                return None;
            };
            hub.observer.say(|| format!("{} syncs: {}", process.name, said(&ended)));
            if let Some(Ok(report)) = &ended {
                hub.observer.judge(verdict::patience(&process, report).await);
                hub.observer.judge(before.judge(&hub, &process, &tracks).await);
            }
            ended
        }))
    }
}

/// As the app does it: whoever is signed out signs in again.
async fn sync(process: &Process, credentials: &Credentials) -> Result<SyncReport, SyncError> {
    if !process.engine.session().is_signed_in().await? {
        process.engine.sign_in(credentials).await?;
    }
    process.engine.sync().await
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
