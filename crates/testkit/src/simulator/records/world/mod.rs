//! The world of a run with records: a server, people, their devices, and a dashboard.

mod dashboard;
mod device;
mod events;
mod heal;
mod notices;
mod outcome;
mod pass;
mod people;
mod process;

pub(super) use device::Device;
pub(super) use outcome::Outcome;
pub(super) use process::Process;

use super::{
    link::Shared,
    schedule::{RecordSchedule, RecordSetup},
    step::{Act, RecordStep},
    tables, verdict,
};
use crate::simulator::{
    Breach, Invariant, Setup, clocks::RunningClock, network::Hub, observer::Observer, troubles::was_ordered,
    world::Roster,
};
use fieldpost_domain::ServerLimits;
use fieldpost_remote::reference::{Backup, ReferenceServer};
use fieldpost_storage::{StorageError, StorageErrorKind};
use fieldpost_sync::Clock;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::sleep};

/// One of the two sides of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Records,
    Messages,
}

impl Side {
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Records => 0,
            Self::Messages => 1,
        }
    }
}

/// The sides that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) records: bool,
    pub(super) messages: bool,
}

impl Sides {
    pub(super) const BOTH: Self = Self { records: true, messages: true };
    pub(super) const RECORDS: Self = Self { records: true, messages: false };
    pub(super) const MESSAGES: Self = Self { records: false, messages: true };
}

pub(super) struct World {
    pub(super) sides: Sides,
    pub(super) setup: RecordSetup,
    pub(super) hub: Arc<Hub>,
    pub(super) shared: Arc<Shared>,
    roster: Roster,
    pub(super) devices: Vec<Device>,
    backup: Option<Backup>,
    dashboards: Vec<JoinHandle<()>>,
    /// Makes the words of records and messages differ.
    notes: u64,
    /// The same for those of the dashboard.
    dashboard_notes: u64,
}

impl World {
    pub(super) fn new(schedule: &RecordSchedule, sides: Sides, traced: bool) -> Self {
        let observer = Arc::new(Observer::new(traced));
        let setup = &schedule.setup;
        let limits = ServerLimits { page_rows: setup.page_rows, push_rows: setup.push_rows, ..ServerLimits::default() };
        let clock = RunningClock::new(0);
        let server = ReferenceServer::builder()
            .seed(schedule.seed)
            .limits(limits)
            .token_lifetime(Duration::from_secs(setup.token_lifetime.into()))
            .clock(move || clock.now());
        let server = setup.policy.into_iter().fold(server, |server, policy| server.project(policy)).build();
        tables::tables().iter().for_each(|table| server.offer_table(table));
        let roster = Roster::new(&server, &Setup::plain());
        let hub = Arc::new(Hub::plain(server, observer));
        let shared = Arc::new(Shared::new(Arc::clone(&hub), setup.policy, setup.no_audit));
        let device = |(number, owner): (usize, &u8)| {
            Device::new(number, roster.person(*owner), schedule, sides, Arc::clone(&shared))
        };
        let devices = setup.owners.iter().enumerate().map(device).collect();
        let mut world = Self {
            sides,
            setup: setup.clone(),
            hub,
            shared,
            roster,
            devices,
            backup: None,
            dashboards: Vec::new(),
            notes: 0,
            dashboard_notes: 0,
        };
        world.write_backlog();
        world
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.hub.observer
    }

    /// Runs all steps, heals, and checks. Ends early when an invariant is broken.
    pub(super) async fn live(&mut self, steps: &[RecordStep]) {
        for device in 0..self.devices.len() {
            self.sync_by_hand(device, 0).await;
        }
        // Everybody has signed in, and nobody meets a fault before.
        sleep(Duration::from_secs(30)).await;
        for step in steps {
            sleep(Duration::from_millis(step.after.into())).await;
            self.observer().say(|| format!("· {:?}", step.act));
            self.perform(&step.act).await;
            if self.observer().is_broken() {
                return;
            }
        }
        self.heal().await;
        if !self.observer().is_broken() {
            let verdict = verdict::judge(self).await;
            self.observer().judge(verdict);
        }
    }

    async fn perform(&mut self, act: &Act) {
        match act {
            Act::Create { device, process, pick } => self.create(self.at(*device), *process, *pick).await,
            Act::Update { device, process, pick } => self.update(self.at(*device), *process, *pick).await,
            Act::Delete { device, process, pick } => self.delete(self.at(*device), *process, *pick).await,
            Act::Decide { device, pick, decision } => self.decide(self.at(*device), *pick, *decision).await,
            Act::Read { device, process, pick } => self.read(self.at(*device), *process, *pick).await,
            Act::Write { device, process, pick } => self.write(self.at(*device), *process, *pick).await,
            Act::Sync { device, process } => self.sync(self.at(*device), *process).await,
            Act::SyncMessages { device, process } => self.sync_messages(self.at(*device), *process).await,
            Act::Kill { device, process, polls } => self.kill(self.at(*device), *process, *polls).await,
            Act::SignOut { device } => self.sign_out(self.at(*device)).await,
            Act::Jump { device, seconds } => {
                self.observer().count("clock jumps");
                self.devices[self.at(*device)].clock.jump((*seconds).into());
            }
            Act::Fault { device, side, skip, fault } => {
                self.devices[self.at(*device)].network(*side).order((*skip).into(), *fault);
            }
            Act::Rough { device, side, seed, lasting, per_mille } => {
                let lasting = Duration::from_millis((*lasting).into());
                self.devices[self.at(*device)].network(*side).rough(*seed, lasting, (*per_mille).into());
            }
            Act::Offline { device, lasting } => {
                let lasting = Duration::from_millis((*lasting).into());
                self.devices[self.at(*device)].networks.iter().for_each(|network| network.offline_for(lasting));
            }
            Act::Trouble { device, side, skip, trouble } => {
                self.observer().count(trouble.name());
                self.devices[self.at(*device)].troubles[side.index()].order(*skip, *trouble);
            }
            Act::Tell { device, process, notice } => self.tell(self.at(*device), *process, *notice).await,
            Act::Server(event) => self.event(*event).await,
            Act::Dashboard { ops, holding, roll_back } => self.dashboard(ops, *holding, *roll_back).await,
        }
    }

    fn at(&self, device: u8) -> usize {
        usize::from(device) % self.devices.len()
    }

    /// A store that fails although no failure was ordered.
    fn store_failed(&self, device: usize, error: &StorageError) {
        let paused = self.devices[device].is_paused();
        if was_ordered(error) || (paused && error.kind() == StorageErrorKind::Paused) {
            return;
        }
        let what = format!("the store of device {device}: {error}");
        self.observer().report(Breach::new(Invariant::RecordsCrashSafe, what));
    }
}
