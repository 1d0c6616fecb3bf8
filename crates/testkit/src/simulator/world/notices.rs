//! Notices from the platform and the person to apps, and what must hold then.

use super::{Accepted, Process, World};
use crate::simulator::{Breach, Invariant, step::Notice};
use fieldpost_storage::{OutboxEntry, StorageErrorKind, StorageResult};
use fieldpost_sync::SyncError;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

impl World {
    pub(super) async fn tell(&mut self, device: usize, number: u8, notice: Notice) {
        let Some(process) = self.process(device, number).await else { return };
        self.observer().count(notice.name());
        self.observer().say(|| format!("{} is told {notice:?}", process.name));
        match notice {
            Notice::Online(online) => process.engine.set_online(online),
            Notice::Foreground => process.engine.foreground(),
            Notice::Background(deadline) => leave(process, deadline),
            Notice::Hint => process.engine.hint(),
            Notice::Pause => self.pause(&process).await,
            Notice::Resume => drop(process.run(process.resume()).await),
            Notice::SessionChanged => drop(process.run(process.engine.session_changed()).await),
            Notice::Refresh => self.sync_by_hand(device, number).await,
            Notice::Wipe => self.wipe(device).await,
        }
    }

    /// A released store refuses every call and says why; so does the engine.
    async fn pause(&self, process: &Process) {
        if !matches!(process.run(process.pause()).await, Some(Ok(()))) {
            return;
        }
        let _by_hand = process.by_hand();
        let refused = matches!(&process.outbox.counts().await, Err(error) if error.kind() == StorageErrorKind::Paused);
        let stopped = matches!(process.run(process.engine.sync()).await, None | Some(Err(SyncError::Stopped)));
        if !refused || !stopped {
            let what = format!("{} goes on while it is paused", process.name);
            self.observer().report(Breach::new(Invariant::CrashSafe, what));
        }
    }

    /// Signs the person out and wipes the device, as an app does: what it reports is all that is given up.
    async fn wipe(&mut self, device: usize) {
        let Some(process) = self.process(device, 0).await.filter(|process| !process.is_paused()) else { return };
        // No file is wiped while another process uses it.
        if let Some(other) = self.devices[device].running(1) {
            other.kill_after(0);
        }
        process.is_wiped();
        let unsent = process.run(wipe(&process)).await;
        // A pass may have begun in between, before the file was empty.
        process.is_wiped();
        let emptied =
            matches!(self.devices[device].look().await, Ok(store) if matches!(store.account().await, Ok(None)));
        // Those that waited are gone with the file, and apps say so before they ask.
        self.deleted.clear();
        self.settings_are_undecided(device);
        // What was changed here and never sent is gone, too.
        let changed = |one: &&mut Accepted| one.amended.iter().any(|one| one.device == device);
        self.devices.iter_mut().flat_map(|other| &mut other.written).filter(changed).for_each(|one| one.unsure = true);
        if emptied || matches!(unsent, Some(Ok(_))) {
            self.devices[device].wishes.clear();
            self.devices[device].drafts.clear();
        }
        let Some(Ok(unsent)) = unsent else {
            if emptied {
                // Killed after the wipe, before it reported. The person had seen the unsent messages: apps show them
                // before they ask.
                self.devices[device].written.clear();
                self.devices[device].read().clear();
            }
            return;
        };
        let told: BTreeSet<_> = unsent.iter().filter_map(|entry| entry.message_id).collect();
        let written = std::mem::take(&mut self.devices[device].written);
        for one in written.iter().filter(|one| !one.taken_back) {
            if !told.contains(&one.id) && !self.hub.reached().contains(&one.id) {
                let what = format!("{} was wiped from device {device} without a word", one.id);
                self.observer().report(Breach::new(Invariant::NoLoss, what));
            }
        }
        self.devices[device].read().clear();
    }
}

/// The person leaves the app, which sends what it can within the deadline.
fn leave(process: Arc<Process>, deadline: u32) {
    tokio::spawn(async move {
        let _by_hand = process.by_hand();
        let deadline = Duration::from_millis(deadline.into());
        drop(process.run(process.engine.background(deadline)).await);
    });
}

async fn wipe(process: &Process) -> Result<Vec<OutboxEntry>, SyncError> {
    process.engine.sign_out().await?;
    process.engine.pause().await;
    let wiped = forget(process).await;
    process.engine.forget().await;
    process.engine.resume();
    Ok(wiped?)
}

async fn forget(process: &Process) -> StorageResult<Vec<OutboxEntry>> {
    let unsent = process.store.entries(u32::MAX).await?;
    process.store.wipe().await?;
    Ok(unsent)
}
