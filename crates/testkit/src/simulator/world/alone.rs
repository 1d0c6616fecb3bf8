//! Devices that sync on their own, after healing: they get the platform's notices, and nobody asks them to sync.

use super::{Process, World};
use crate::simulator::{Breach, Invariant, dice::branch};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// By then a device that was told about a network has called the server, whatever it was waiting for.
pub(super) const PROMPT: Duration = Duration::from_secs(90);

/// Longer than any device waits for its timer, or after any failure.
const LONG: Duration = Duration::from_secs(11 * 60);

impl World {
    pub(super) fn syncs_by_itself(&self, device: usize) -> bool {
        self.devices[device].manner.by_itself
    }

    pub(super) fn by_themselves(&self) -> Vec<usize> {
        (0..self.devices.len()).filter(|device| self.syncs_by_itself(*device)).collect()
    }

    /// Takes devices that sync on their own offline for a while; their attempts fail.
    pub(super) fn nobody_is_reached(&self, lasting: Duration) {
        for device in self.by_themselves() {
            self.devices[device].network.offline_for(lasting);
        }
    }

    /// Every app runs with an open store, a signed-in person and a network; those that sync on their own do so soon.
    pub(super) async fn wake(&mut self) {
        let now = self.observer().now();
        let mut woken = Vec::new();
        for device in 0..self.devices.len() {
            woken.extend(self.wake_one(device, 0).await.map(|process| (device, process)));
            if self.devices[device].running(1).is_some() {
                drop(self.wake_one(device, 1).await);
            }
        }
        if self.by_themselves().is_empty() {
            return;
        }
        sleep(PROMPT).await;
        // Another process on the file may have found that the session ended; then the person must sign in.
        let signed_in = |process: &Process| process.engine.status().borrow().signed_in;
        // While another process on the file syncs, this one waits for its turn.
        let other_syncs = |device: usize| self.devices[device].running(1).is_some_and(|other| other.last_call() >= now);
        let idle = |(device, process): &&(usize, Arc<Process>)| {
            let calls = process.last_call() >= now || other_syncs(*device);
            process.manner.by_itself && !process.is_dead() && !calls && signed_in(process)
        };
        if let Some((_, process)) = woken.iter().find(idle) {
            let what = format!("{} does nothing {} s after its network is back", process.name, PROMPT.as_secs());
            self.observer().report(Breach::new(Invariant::Liveness, what));
        }
    }

    pub(super) async fn wake_one(&mut self, device: usize, number: u8) -> Option<Arc<Process>> {
        let process = self.process(device, number).await?;
        if process.is_paused() {
            self.stored(device, process.run(process.resume()).await?)?;
        }
        let owner = self.devices[device].owner.clone();
        drop(process.run(process.sign_in(&owner)).await?);
        process.engine.set_online(true);
        Some(process)
    }

    /// A hint causes a pass that starts after it, even if one is already running.
    pub(super) async fn hints_are_heard(&mut self, seed: u64) {
        for device in self.by_themselves() {
            let Some(process) = self.wake_one(device, 0).await else { continue };
            sleep(PROMPT).await;
            let owner = self.devices[device].owner.id;
            let Some(row) = self.hub.server.conversations_of(owner).into_iter().next() else { continue };
            let sender = self.roster.of_org(&self.hub.server, row.id).into_iter().next().unwrap_or(owner);
            process.engine.hint();
            sleep(Duration::from_millis(1 + branch(seed, 7_000 + device as u64).below(200))).await;
            let text = format!("told by a hint to device {device}");
            let Some(message) = self.hub.server.insert_message(row.id, sender, &text) else { continue };
            let shown = self.hub.messages_for(owner, row.id).iter().any(|shown| shown.id == message.id);
            process.engine.hint();
            sleep(PROMPT).await;
            let here = match self.devices[device].look().await {
                Ok(store) => matches!(store.message(message.id).await, Ok(Some(_))),
                Err(_) => false,
            };
            // A session may have ended unnoticed; then the person must sign in.
            let signed_in = process.engine.status().borrow().signed_in;
            if shown && !here && signed_in && !process.is_dead() {
                let what = format!("{} was told of {} and has not fetched it", process.name, message.id);
                self.observer().report(Breach::new(Invariant::Liveness, what));
            }
        }
    }

    /// Lets time pass for devices that sync on their own. Returns whether they had nothing to do.
    pub(super) async fn leave_alone(&mut self) -> bool {
        let alone = self.by_themselves();
        if alone.is_empty() {
            return true;
        }
        let before = self.hub.server.commits();
        for device in &alone {
            // A person whose app was killed, or whose session has ended, opens the app again.
            let Some(process) = self.process(*device, 0).await else { return false };
            let owner = self.devices[*device].owner.clone();
            drop(process.run(process.sign_in(&owner)).await);
        }
        sleep(LONG).await;
        let mut quiet = self.hub.server.commits() == before;
        for device in alone {
            quiet &= self.has_nothing_to_do(device).await;
        }
        quiet
    }

    async fn has_nothing_to_do(&self, device: usize) -> bool {
        let Ok(store) = self.devices[device].look().await else { return false };
        let waits = store.counts().await.is_ok_and(|counts| counts.pending > 0);
        let missing = store.missing_ranges(1).await.is_ok_and(|missing| !missing.is_empty());
        !waits && !missing && self.devices[device].running(0).is_some()
    }
}
