//! Outages that a person can do nothing about, after healing: the apps that sync on their own must go on once they are
//! over.

use super::{Process, World, alone::PROMPT};
use crate::simulator::{Breach, Invariant, dice::branch, network::Outage};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// So short that the waits after a failure have not grown beyond [`PROMPT`], and the timer has not come.
const SHORT: Duration = Duration::from_secs(5);

/// Long enough for several refreshes of a session, if nothing limits them.
const MINUTES: Duration = Duration::from_secs(3 * 60);

/// After an outage of [`MINUTES`], longer than the longest wait.
const LONG: Duration = Duration::from_secs(11 * 60);

/// In seconds. Tokens that live shorter are refreshed every few seconds where a clock is wrong by a minute.
const LIFETIME: u32 = 600;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Portal,
    Server(Outage),
}

impl Kind {
    /// None in some runs.
    fn roll(seed: u64, token_lifetime: u32) -> Option<Self> {
        let mut dice = branch(seed, 8);
        match dice.below(10) {
            0..2 => Some(Self::Portal),
            2..4 => Some(Self::Server(Outage::Missing)),
            4..6 => (token_lifetime >= LIFETIME).then_some(Self::Server(Outage::Tokens)),
            _ => None,
        }
    }

    fn lasting(self) -> Duration {
        if self == Self::Server(Outage::Tokens) { MINUTES } else { SHORT }
    }

    /// By then every app that syncs on its own has called the server again.
    fn patience(self) -> Duration {
        if self == Self::Server(Outage::Tokens) { LONG } else { PROMPT }
    }
}

impl World {
    /// Nobody does anything: the apps must go on by themselves, and everybody stays signed in.
    pub(super) async fn outage(&mut self) {
        let Some(kind) = Kind::roll(self.seed, self.setup.token_lifetime) else { return };
        let apps = self.fresh_apps().await;
        self.observer().say(|| format!("· {kind:?} begins"));
        self.begin_outage(kind);
        for app in &apps {
            app.judge_refreshes();
            app.engine.hint();
        }
        sleep(kind.lasting()).await;
        let over = self.observer().now();
        self.observer().say(|| format!("· {kind:?} is over"));
        sleep(kind.patience()).await;
        for app in apps.iter().filter(|app| !app.is_dead()) {
            let breach = |what: &str| Breach::new(Invariant::Liveness, format!("{} {what} {kind:?}", app.name));
            if !app.engine.status().borrow().signed_in {
                self.observer().report(breach("was signed out by"));
            } else if app.last_call() < over {
                self.observer().report(breach("does nothing after"));
            }
        }
    }

    /// The apps that sync on their own, one for each device, with a session that has just been renewed: whatever ended
    /// it earlier has been noticed.
    async fn fresh_apps(&mut self) -> Vec<Arc<Process>> {
        let devices = self.by_themselves();
        for device in &devices {
            if let Some(other) = self.devices[*device].running(1) {
                other.kill_after(0);
            }
            self.hub.server.expire_tokens(self.devices[*device].owner.id);
            if let Some(app) = self.wake_one(*device, 0).await {
                app.engine.hint();
            }
        }
        if !devices.is_empty() {
            sleep(PROMPT).await;
        }
        let mut apps = Vec::new();
        for device in devices {
            apps.extend(self.wake_one(device, 0).await);
        }
        sleep(PROMPT).await;
        apps.retain(|app| app.engine.status().borrow().signed_in);
        // A failure of before must not make anybody wait now.
        for app in &apps {
            app.engine.set_online(true);
        }
        apps
    }

    fn begin_outage(&self, kind: Kind) {
        match kind {
            Kind::Server(outage) => self.hub.outages.begin(outage, kind.lasting()),
            Kind::Portal => {
                for device in &self.devices {
                    device.network.intercepted_for(kind.lasting());
                }
            }
        }
    }
}
