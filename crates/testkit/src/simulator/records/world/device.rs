//! A device: a disk, a clock, a network for each side, and one or two processes of the app.

use super::{
    Process, Side, Sides,
    process::{Ground, Manner},
};
use crate::{
    network::Courier,
    simulator::{
        clocks::RunningClock,
        records::{link::Shared, schedule::RecordSchedule, tables},
        troubles::Troubles,
        world::Character,
    },
};
use fieldpost_storage::{StorageResult, memory::MemoryStore, records::Records};
use std::sync::Arc;

pub(in crate::simulator::records) struct Device {
    pub(in crate::simulator::records) number: usize,
    pub(in crate::simulator::records) owner: Character,
    pub(super) clock: Arc<RunningClock>,
    /// A handle of nobody's, to look at the data.
    pub(in crate::simulator::records) disk: MemoryStore,
    /// One for each side, so that the calls of one never change the faults of the other.
    pub(super) networks: [Arc<Courier>; 2],
    pub(super) troubles: [Arc<Troubles>; 2],
    pub(super) manner: Manner,
    seed: u64,
    shared: Arc<Shared>,
    processes: [Option<Arc<Process>>; 2],
    starts: u64,
}

impl Device {
    pub(super) fn new(
        number: usize,
        owner: Character,
        schedule: &RecordSchedule,
        sides: Sides,
        shared: Arc<Shared>,
    ) -> Self {
        let seed = schedule.seed.wrapping_mul(37).wrapping_add(number as u64);
        let skew = schedule.setup.skews.get(number).copied().unwrap_or(0);
        let among = |all: &[bool]| all.get(number).copied().unwrap_or(false);
        let (by_itself, one_shot) = (among(&schedule.setup.by_itself), among(&schedule.setup.one_shot));
        let network = |side: u64| {
            Arc::new(Courier::with_delays(Arc::clone(&shared.hub.uplink), seed.wrapping_mul(2).wrapping_add(side)))
        };
        let (records, messages) = (network(0), network(1));
        Self {
            number,
            owner,
            clock: Arc::new(RunningClock::new(skew)),
            disk: MemoryStore::new().with_mutation_ids(Arc::new(crate::env(0).0)),
            networks: [records, messages],
            troubles: [Arc::default(), Arc::default()],
            manner: Manner { sides, by_itself, one_shot },
            seed,
            shared,
            processes: [None, None],
            starts: 0,
        }
    }

    pub(super) fn network(&self, side: Side) -> &Courier {
        &self.networks[side.index()]
    }

    /// The app, started again if it is not running.
    pub(super) async fn process(&mut self, number: u8) -> StorageResult<Arc<Process>> {
        let slot = usize::from(number % 2);
        if let Some(process) = self.processes[slot].as_ref().filter(|process| !process.is_dead()) {
            return Ok(Arc::clone(process));
        }
        self.starts += 1;
        let store = Arc::new(self.disk.reopen());
        store.declare(&tables::tables()).await?;
        let ground = Ground {
            name: format!("device {}{}", self.number, if slot == 0 { "" } else { "'" }),
            device: self.number,
            owner: self.owner.clone(),
            start: (self.starts, self.seed.wrapping_mul(1013).wrapping_add(self.starts)),
            store,
            clock: Arc::clone(&self.clock),
            networks: self.networks.clone(),
            troubles: self.troubles.clone(),
            shared: Arc::clone(&self.shared),
        };
        let process = Process::start(self.manner, ground);
        self.processes[slot] = Some(Arc::clone(&process));
        Ok(process)
    }

    /// Whether the app was killed and not restarted.
    pub(super) fn has_died(&self, number: u8) -> bool {
        self.processes[usize::from(number % 2)].as_ref().is_some_and(|process| process.is_dead())
    }

    /// The running app, if any.
    pub(super) fn running(&self, number: u8) -> Option<&Arc<Process>> {
        self.processes[usize::from(number % 2)].as_ref().filter(|process| !process.is_dead())
    }

    /// Whether only one process runs.
    pub(super) fn is_one_process(&self) -> bool {
        self.running(0).is_none() || self.running(1).is_none()
    }

    /// Whether a second process was ever started.
    pub(super) fn has_second_process(&self) -> bool {
        self.processes[1].is_some()
    }

    pub(super) fn is_paused(&self) -> bool {
        [0, 1].into_iter().any(|number| self.running(number).is_some_and(|process| process.is_paused()))
    }
}
