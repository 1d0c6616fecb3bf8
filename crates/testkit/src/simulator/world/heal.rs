//! Healing: all faults end, and everybody syncs until nothing is left to do.

use super::{Device, World, process::Manner};
use crate::simulator::{Breach, Invariant, verdict};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// The most rounds of syncs until nothing may be left. A lane that made whole calls fail is tried last and alone, and
/// reduced batches grow back by doubling.
const ROUNDS: u32 = 12;

/// The same where large batches and pages never fit. A full page of 2,500 rows is a single row after twelve halvings, and a
/// pass in which every page takes too long halves it once. A size that the server refuses is halved within the pass.
const NARROW_ROUNDS: u32 = ROUNDS + 12;

/// By then every call in flight has arrived.
const ARRIVAL: Duration = Duration::from_secs(300);

impl World {
    pub(super) async fn heal(&mut self) {
        self.observer().say(|| "· the network heals".to_owned());
        self.strangers_end().await;
        // Calls in flight arrive, and attempts of devices that sync on their own fail.
        self.nobody_is_reached(ARRIVAL);
        sleep(ARRIVAL).await;
        self.hub.uplink.heal();
        self.hub.outages.heal();
        for device in &self.devices {
            device.network.heal();
            device.live.heal();
            device.troubles.heal();
        }
        self.wake().await;
        self.heal_beside_poison().await;
        self.hub.poisoned().clear();
        self.observer().say(|| "· everything heals".to_owned());
        self.outage().await;
        if self.hub.narrow.is_narrow() {
            self.newcomer();
        }
        if !self.hub.narrow.is_slow() {
            // On a slow line they may have more to fetch first.
            self.hints_are_heard(self.seed).await;
            self.live_is_kept().await;
        }
        let mut calm = 0;
        let rounds = self.rounds();
        for _ in 0..rounds {
            let quiet = self.round(calm > 0).await;
            calm = if quiet { calm + 1 } else { 0 };
            if calm >= 2 || self.observer().is_broken() {
                return self.open_all().await;
            }
        }
        let what = format!("after {rounds} syncs of everybody there is still something to do");
        self.observer().report(Breach::new(Invariant::Liveness, what));
    }

    /// Somebody gets another device. Its app is a process for each pass, and has everything to load.
    fn newcomer(&mut self) {
        let number = self.devices.len();
        let owner = self.devices[0].owner.clone();
        let disk = self.disks.make();
        let mut device = Device::new(number, owner, &self.setup, self.seed, disk, Arc::clone(&self.hub));
        device.manner = Manner { one_shot: true, ..Manner::default() };
        self.devices.push(device);
    }

    fn rounds(&self) -> u32 {
        if self.hub.narrow.is_narrow() { NARROW_ROUNDS } else { ROUNDS }
    }

    /// Opens every app, so that what it shows can be judged.
    async fn open_all(&mut self) {
        for device in 0..self.devices.len() {
            drop(self.process(device, 0).await);
        }
    }

    /// A lane that always fails delays no other.
    async fn heal_beside_poison(&mut self) {
        if self.hub.poisoned().is_empty() {
            return;
        }
        for _ in 0..self.rounds() {
            self.round(false).await;
        }
        for device in &self.devices {
            let verdict = verdict::isolation(device, &self.hub).await;
            self.observer().judge(verdict);
        }
    }

    /// Everybody syncs once, or is left to do so. Returns whether nobody had anything to do; a device that was idle
    /// before needs a single request to find that out.
    async fn round(&mut self, idle: bool) -> bool {
        let mut quiet = true;
        for device in 0..self.devices.len() {
            if self.syncs_by_itself(device) {
                continue;
            }
            let deliveries = self.hub.deliveries();
            let Some(pass) = self.begin_sync(device, 0).await else { return false };
            match pass.await {
                Ok(Some(Ok(report))) => {
                    quiet &= report.pushed + report.failed + report.retrying + report.rows + report.repaired == 0;
                    // What a page has brought before is told to have arrived, uncounted.
                    let delivered = self.hub.deliveries() > deliveries;
                    quiet &= !delivered;
                    if idle && quiet && report.requests > 1 {
                        let what = format!("device {device} makes {} requests for nothing", report.requests);
                        self.observer().report(Breach::new(Invariant::Bounded, what));
                    }
                }
                Ok(_) => quiet = false,
                Err(error) => {
                    self.observer().report(Breach::new(Invariant::CrashSafe, format!("the engine panicked: {error}")));
                }
            }
            // Time passes between two syncs, so that delayed retries become due.
            sleep(Duration::from_secs(60)).await;
        }
        self.leave_alone().await && quiet
    }
}
