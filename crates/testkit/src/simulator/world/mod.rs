//! The world of a run: a server, people, their devices, and other clients.

mod alone;
mod app_session;
mod decisions;
mod device;
mod events;
mod heal;
mod live;
mod notices;
mod ops;
mod outage;
mod pass;
mod people;
mod process;
mod roster;
mod screen;
mod settings;
mod third_party;

pub(super) use device::{Accepted, Device, ReadUpTo};
pub(super) use ops::BY_OTHERS;
pub(super) use process::Process;
pub(super) use roster::{Character, Roster};
pub(super) use settings::Wishes;

use super::{
    Breach, Disks, Invariant, Schedule, Setup,
    clocks::RunningClock,
    network::Hub,
    observer::Observer,
    step::{Act, Step},
    troubles::was_ordered,
};
use crate::Fault;
use fieldpost_domain::{MessageId, ServerLimits};
use fieldpost_remote::reference::{Backup, ReferenceServer};
use fieldpost_storage::{StorageError, StorageErrorKind};
use fieldpost_sync::Clock;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::sleep};

pub(super) struct World {
    seed: u64,
    setup: Setup,
    disks: Disks,
    pub(super) hub: Arc<Hub>,
    pub(super) roster: Roster,
    pub(super) devices: Vec<Device>,
    backup: Option<Backup>,
    /// Messages that a restore removed from the server.
    pub(super) rolled_back: BTreeSet<MessageId>,
    /// Messages that their author has deleted for sure.
    pub(super) deleted: BTreeSet<MessageId>,
    third_parties: Vec<JoinHandle<()>>,
    /// The timeline that is open on a device.
    screen: Option<screen::Screen>,
    /// Whether a device drops old messages.
    trims: bool,
}

impl World {
    pub(super) fn new(schedule: &Schedule, disks: &Disks, traced: bool) -> Self {
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
        let roster = Roster::new(&server, setup);
        let hub = Arc::new(Hub::new(server, setup.policy, setup.narrow, observer));
        let device = |(number, owner): (usize, &u8)| {
            Device::new(number, roster.person(*owner), setup, schedule.seed, disks.make(), Arc::clone(&hub))
        };
        let devices = setup.owners.iter().enumerate().map(device).collect();
        Self {
            seed: schedule.seed,
            setup: setup.clone(),
            disks: disks.clone(),
            hub,
            devices,
            roster,
            backup: None,
            rolled_back: BTreeSet::new(),
            deleted: BTreeSet::new(),
            third_parties: Vec::new(),
            screen: None,
            trims: screen::may_trim(schedule.seed, &schedule.steps),
        }
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.hub.observer
    }

    /// Runs all steps, heals, and checks. Ends early when an invariant is broken.
    pub(super) async fn live(&mut self, steps: &[Step]) {
        for device in 0..self.devices.len() {
            self.sync_by_hand(device, 0).await;
        }
        for (number, step) in steps.iter().enumerate() {
            sleep(Duration::from_millis(step.after.into())).await;
            self.observer().say(|| format!("· {:?}", step.act));
            self.perform(&step.act).await;
            self.look_at_screen(number as u64).await;
            if self.observer().is_broken() {
                return;
            }
        }
        self.heal().await;
        if !self.observer().is_broken() {
            let verdict = super::verdict::judge(self).await;
            self.observer().judge(verdict);
        }
    }

    async fn perform(&mut self, act: &Act) {
        match act {
            Act::Write { device, pick } => self.write(self.at(*device), *pick).await,
            Act::Read { device, pick, share } => self.read(self.at(*device), *pick, *share).await,
            Act::Open { device, pick } => self.open(self.at(*device), *pick).await,
            Act::Decide { device, pick, decision } => self.decide(self.at(*device), *pick, *decision).await,
            Act::Set { device, pick, wish } => self.set(self.at(*device), *pick, *wish).await,
            Act::Draft { device, pick } => self.draft(self.at(*device), *pick).await,
            Act::LookBack { device, process, pick, slowly } => {
                if *slowly > 0 {
                    self.devices[self.at(*device)].network.order(0, Fault::SlowBack(*slowly));
                }
                self.look_back(self.at(*device), *process, *pick).await;
            }
            Act::Sync { device, process } => self.sync(self.at(*device), *process).await,
            Act::Tell { device, process, notice } => self.tell(self.at(*device), *process, *notice).await,
            Act::Trouble { device, skip, trouble } => {
                self.observer().count(trouble.name());
                self.devices[self.at(*device)].troubles.order(*skip, *trouble);
            }
            Act::Kill { device, process, polls } => self.kill(self.at(*device), *process, *polls).await,
            Act::SignOut { device } => self.sign_out(self.at(*device)).await,
            Act::Jump { device, seconds } => {
                self.observer().count("clock jumps");
                self.devices[self.at(*device)].clock.jump((*seconds).into());
            }
            Act::Fault { device, skip, fault } => self.devices[self.at(*device)].network.order((*skip).into(), *fault),
            Act::Rough { device, seed, lasting, per_mille } => {
                let lasting = Duration::from_millis((*lasting).into());
                self.devices[self.at(*device)].network.rough(*seed, lasting, (*per_mille).into());
            }
            Act::Offline { device, lasting } => {
                self.devices[self.at(*device)].network.offline_for(Duration::from_millis((*lasting).into()));
            }
            Act::Portal { device, lasting } => {
                self.observer().count("captive portals");
                self.devices[self.at(*device)].network.intercepted_for(Duration::from_millis((*lasting).into()));
            }
            Act::Server(event) => self.event(*event).await,
            Act::ThirdPartyClient { ops, holding, roll_back } => self.third_party(ops, *holding, *roll_back),
        }
    }

    fn at(&self, device: u8) -> usize {
        usize::from(device) % self.devices.len()
    }

    /// A store that fails although no failure was ordered.
    fn store_failed(&self, device: usize, error: &StorageError) {
        let paused = self.devices[device].running(0).is_some_and(|process| process.is_paused());
        if was_ordered(error) || (paused && error.kind() == StorageErrorKind::Paused) {
            return;
        }
        let what = format!("the store of device {device}: {error}");
        self.observer().report(Breach::new(Invariant::CrashSafe, what));
    }
}
