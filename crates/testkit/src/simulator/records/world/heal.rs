//! Healing: all faults end, and everybody syncs until nothing is left to do.

use super::{Process, World};
use crate::simulator::{Breach, Invariant};
use fieldpost_storage::{Outbox, records::RecordQueue};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// The most rounds of syncs until nothing may be left: reduced batches grow back by doubling.
const ROUNDS: u32 = 14;

/// By then every call in flight has arrived.
const ARRIVAL: Duration = Duration::from_secs(300);

/// By then a device that was told about a network has called the server, whatever it was waiting for.
const PROMPT: Duration = Duration::from_secs(90);

/// Longer than any device waits for its timer, or after any failed call.
const LONG: Duration = Duration::from_secs(11 * 60);

impl World {
    pub(super) async fn heal(&mut self) {
        self.observer().say(|| "· everything heals".to_owned());
        self.dashboards_end().await;
        for device in self.by_themselves() {
            self.devices[device].networks.iter().for_each(|network| network.offline_for(ARRIVAL));
        }
        sleep(ARRIVAL).await;
        self.hub.uplink.heal();
        self.hub.outages.heal();
        self.shared.heal_audit();
        for device in &self.devices {
            device.networks.iter().for_each(|network| network.heal());
            device.troubles.iter().for_each(|troubles| troubles.heal());
        }
        self.wake().await;
        let mut calm = 0;
        for _ in 0..ROUNDS {
            let quiet = self.round(calm > 0).await;
            calm = if quiet { calm + 1 } else { 0 };
            if calm >= 2 || self.observer().is_broken() {
                return;
            }
        }
        let what = format!("after {ROUNDS} syncs of everybody there is still something to do");
        self.observer().report(Breach::new(Invariant::RecordsLiveness, what));
    }

    fn by_themselves(&self) -> Vec<usize> {
        (0..self.devices.len()).filter(|device| self.devices[*device].manner.by_itself).collect()
    }

    /// Every app runs with an open store, a signed-in person and a network; those that sync on their own do so soon.
    async fn wake(&mut self) {
        let now = self.observer().now();
        let mut woken = Vec::new();
        for device in 0..self.devices.len() {
            woken.extend(self.wake_one(device, 0).await);
            if self.devices[device].running(1).is_some() {
                drop(self.wake_one(device, 1).await);
            }
        }
        if self.by_themselves().is_empty() {
            return;
        }
        sleep(PROMPT).await;
        let signed_in = |process: &Process| process.coordinator.messages().status().borrow().signed_in;
        let (records, messages) = (self.sides.records, self.sides.messages);
        let idle = |process: &&Arc<Process>| {
            let [of_records, of_messages] = process.last_call();
            let silent = (records && of_records < now) || (messages && of_messages < now);
            process.manner.by_itself && !process.is_dead() && silent && signed_in(process)
        };
        if let Some(process) = woken.iter().find(idle) {
            let what = format!("{} does nothing {} s after its network is back", process.name, PROMPT.as_secs());
            self.observer().report(Breach::new(Invariant::RecordsLiveness, what));
        }
    }

    async fn wake_one(&mut self, device: usize, number: u8) -> Option<Arc<Process>> {
        let process = self.process(device, number).await?;
        if process.is_paused() {
            self.stored(device, process.run(process.resume()).await?)?;
        }
        let owner = self.devices[device].owner.clone();
        drop(process.run(process.sign_in(&owner)).await?);
        process.coordinator.set_online(true);
        Some(process)
    }

    /// Everybody syncs once, or is left to do so. Returns whether nobody had anything to do; a device that was idle
    /// before needs a single request on each side to find that out.
    async fn round(&mut self, idle: bool) -> bool {
        let mut quiet = true;
        for device in 0..self.devices.len() {
            if self.devices[device].manner.by_itself {
                continue;
            }
            let Some(pass) = self.begin_sync(device, 0).await else { return false };
            match pass.await {
                Ok(ended) => {
                    quiet &= self.had_nothing_to_do(device, &ended, idle && quiet) && self.is_drained(device).await
                }
                Err(error) => {
                    let what = format!("an engine panicked: {error}");
                    self.observer().report(Breach::new(Invariant::RecordsCrashSafe, what));
                }
            }
            // Time passes between two syncs, so that delayed retries become due.
            sleep(Duration::from_secs(60)).await;
        }
        self.leave_alone().await && quiet
    }

    fn had_nothing_to_do(&self, device: usize, ended: &super::pass::Ended, idle: bool) -> bool {
        let mut quiet = true;
        if self.sides.records {
            let Some(Ok(report)) = &ended.records else { return false };
            let done = report.won + report.lost + report.missing + report.failed + report.retrying;
            quiet &= done + report.changed + report.removed + report.audited == 0;
            // What the server never takes is offered once in each pass.
            let most = 1 + u64::from(self.setup.no_audit);
            if idle && quiet && report.requests > most {
                let what = format!("device {device} makes {} requests for nothing", report.requests);
                self.observer().report(Breach::new(Invariant::RecordsBounded, what));
            }
        }
        if self.sides.messages {
            let Some(Ok(report)) = &ended.messages else { return false };
            quiet &= report.pushed + report.failed + report.retrying + report.rows + report.repaired == 0;
        }
        quiet
    }

    /// Lets time pass for devices that sync on their own. Returns whether they had nothing to do.
    async fn leave_alone(&mut self) -> bool {
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
            quiet &= self.is_drained(device).await;
            quiet &= self.devices[device].running(0).is_some();
        }
        quiet
    }
    /// Whether nothing waits in either queue.
    async fn is_drained(&self, device: usize) -> bool {
        let disk = &self.devices[device].disk;
        let now = fieldpost_sync::Clock::now(self.devices[device].clock.as_ref());
        let records = disk.record_counts(now).await.is_ok_and(|counts| counts.pending > 0);
        let messages = disk.counts().await.is_ok_and(|counts| counts.pending > 0);
        !(records && self.sides.records || messages && self.sides.messages)
    }
}
