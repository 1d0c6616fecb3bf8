//! Healing: nothing goes wrong any more, and everybody syncs until nothing is left to do.

use super::World;
use crate::simulator::{Breach, Invariant, verdict};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::sleep;

/// How often everybody syncs at most before nothing may be left. A lane that made whole calls fail is tried last and alone,
/// and batches that shrank grow back by doubling.
const ROUNDS: u32 = 12;

/// By then whatever was on its way has arrived.
const ARRIVAL: Duration = Duration::from_secs(300);

impl World {
    pub(super) async fn heal(&mut self) {
        self.observer().say(|| "· the network heals".to_owned());
        self.strangers_end().await;
        // Whatever is still on its way arrives, and those who try by themselves do so in vain.
        self.nobody_is_reached(ARRIVAL);
        sleep(ARRIVAL).await;
        self.hub.down_until.store(0, Ordering::SeqCst);
        for device in &self.devices {
            device.conditions().heal();
            device.troubles.heal();
        }
        self.wake().await;
        self.heal_beside_poison().await;
        self.hub.poisoned().clear();
        self.observer().say(|| "· everything heals".to_owned());
        self.hints_are_heard(self.seed).await;
        let mut calm = 0;
        for _ in 0..ROUNDS {
            let quiet = self.round(calm > 0).await;
            calm = if quiet { calm + 1 } else { 0 };
            if calm >= 2 || self.observer().is_broken() {
                return;
            }
        }
        let what = format!("after {ROUNDS} syncs of everybody there is still something to do");
        self.observer().report(Breach::new(Invariant::Liveness, what));
    }

    /// A lane that fails for good delays no other.
    async fn heal_beside_poison(&mut self) {
        if self.hub.poisoned().is_empty() {
            return;
        }
        for _ in 0..ROUNDS {
            self.round(false).await;
        }
        for device in &self.devices {
            let verdict = verdict::isolation(device, &self.hub).await;
            self.observer().judge(verdict);
        }
    }

    /// Everybody syncs once, or is left to do so. Whether nobody had anything to do; when that is no news, asking takes a
    /// single request.
    async fn round(&mut self, idle: bool) -> bool {
        let mut quiet = true;
        for device in 0..self.devices.len() {
            if self.syncs_by_itself(device) {
                continue;
            }
            let Some(pass) = self.begin_sync(device, 0).await else { return false };
            match pass.await {
                Ok(Some(Ok(report))) => {
                    quiet &= report.pushed + report.failed + report.retrying + report.rows + report.repaired == 0;
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
            // Time passes between two syncs, for whatever waits for its turn.
            sleep(Duration::from_secs(60)).await;
        }
        self.leave_alone().await && quiet
    }
}
