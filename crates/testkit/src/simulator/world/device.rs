//! A device: a disk, a clock, a network, and one or two processes of the app.

use super::{
    Process, Wishes,
    process::{Ground, Manner},
    roster::Character,
};
use crate::{
    LiveNetwork,
    network::Courier,
    simulator::{
        Disk,
        clocks::RunningClock,
        network::{Hub, Link, Tracks},
        schedule::Setup,
        troubles::Troubles,
    },
};
use fieldpost_domain::{ConversationId, MessageId, Seq};
use fieldpost_storage::{MemorySecrets, StorageResult, Store};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A text that somebody gave her message later.
#[derive(Debug, Clone)]
pub(crate) struct Amended {
    /// The number of her device.
    pub(crate) device: usize,
    pub(crate) words: String,
    /// The app was not killed before it was told.
    pub(crate) certain: bool,
}

/// A message that a device has accepted.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) content: String,
    /// The texts that its author gave it later. Of the edits of two devices the one that arrives later counts, and a refused
    /// one never shows.
    pub(crate) amended: Vec<Amended>,
    /// Its author has decided about a change that was refused, or the server was restored: any of the texts may count.
    pub(crate) unsure: bool,
    /// The texts that it had before its author changed it in the outbox.
    pub(crate) before: Vec<String>,
    /// Its author has cancelled it.
    pub(crate) taken_back: bool,
    /// Another device of the author resends it, after the server had it and lost it.
    pub(crate) sent_elsewhere: bool,
}

impl Accepted {
    /// The texts of which one must be the last: of each device that has changed it the last one, and those of which it was
    /// never told whether they were accepted.
    pub(crate) fn last_words(&self) -> Vec<&str> {
        let mut last: Vec<&str> = Vec::new();
        let devices: BTreeSet<usize> = self.amended.iter().map(|one| one.device).collect();
        for device in devices {
            let hers = self.amended.iter().rev().filter(|one| one.device == device);
            let sure = hers.clone().take_while(|one| !one.certain).count() + 1;
            last.extend(hers.take(sure).map(|one| one.words.as_str()));
        }
        if self.unsure || !self.amended.iter().any(|one| one.certain) {
            last.push(&self.content);
        }
        if self.unsure {
            last.extend(self.amended.iter().map(|one| one.words.as_str()));
        }
        last
    }
}

/// How far a person was told that she has read, by conversation.
pub(crate) type ReadUpTo = Arc<Mutex<BTreeMap<ConversationId, Seq>>>;

pub(crate) struct Device {
    pub(crate) number: usize,
    pub(crate) owner: Character,
    pub(crate) clock: Arc<RunningClock>,
    pub(crate) tracks: Arc<Tracks>,
    seed: u64,
    disk: Arc<dyn Disk>,
    hub: Arc<Hub>,
    pub(crate) network: Arc<Courier>,
    pub(crate) live: LiveNetwork,
    pub(crate) troubles: Arc<Troubles>,
    pub(crate) manner: Manner,
    /// The keychain of the device, on every other one. Its app keeps tokens there.
    keychain: Option<MemorySecrets>,
    processes: [Option<Arc<Process>>; 2],
    starts: u64,
    /// In the order of writing.
    pub(crate) written: Vec<Accepted>,
    /// How many messages the person tried to write, including those no longer listed.
    pub(crate) notes: u64,
    /// How far the person was told that she has read.
    pub(crate) read: ReadUpTo,
    /// What the person has set.
    pub(crate) wishes: Wishes,
    /// The texts of the drafts that the person has left.
    pub(crate) drafts: Vec<String>,
}

impl Device {
    pub(crate) fn new(
        number: usize,
        owner: Character,
        setup: &Setup,
        seed: u64,
        disk: Arc<dyn Disk>,
        hub: Arc<Hub>,
    ) -> Self {
        let seed = seed.wrapping_mul(31).wrapping_add(number as u64);
        let skew = setup.skews.get(number).copied().unwrap_or(0);
        let among = |all: &[bool]| all.get(number).copied().unwrap_or(false);
        let manner = Manner {
            // An app that syncs on its own continues after a pass.
            one_shot: among(&setup.one_shot) && !among(&setup.by_itself),
            by_itself: among(&setup.by_itself),
            owns_session: among(&setup.app_sessions),
            send_ttl: setup.send_ttl.map(|seconds| Duration::from_secs(seconds.into())),
        };
        Self {
            number,
            owner,
            clock: Arc::new(RunningClock::new(skew)),
            tracks: Arc::default(),
            seed,
            disk,
            network: Arc::new(Courier::with_delays(Arc::clone(&hub.uplink), seed)),
            live: rough_hints(&hub, seed),
            hub,
            troubles: Arc::default(),
            manner,
            keychain: (number % 2 == 1).then(MemorySecrets::new),
            processes: [None, None],
            starts: 0,
            written: Vec::new(),
            notes: 0,
            read: Arc::default(),
            wishes: Wishes::new(),
            drafts: Vec::new(),
        }
    }

    /// The app, started again if it is not running.
    pub(crate) async fn process(&mut self, number: u8) -> StorageResult<Arc<Process>> {
        let slot = usize::from(number % 2);
        if let Some(process) = self.processes[slot].as_ref().filter(|process| !process.is_dead()) {
            return Ok(Arc::clone(process));
        }
        self.starts += 1;
        let who = self.starts;
        let store = self.disk.open().await?;
        let name = format!("device {}{}", self.number, if slot == 0 { "" } else { "'" });
        let (tracks, network) = (Arc::clone(&self.tracks), Arc::clone(&self.network));
        let link = Link::new(Arc::clone(&self.hub), name.clone(), (network, Arc::clone(&store)), tracks, who);
        let env = fieldpost_sync::Env::new(
            self.clock.clone(),
            Arc::new(crate::SeededEntropy::new(self.seed.wrapping_mul(1009).wrapping_add(who))),
        );
        let (hub, troubles) = (Arc::clone(&self.hub), Arc::clone(&self.troubles));
        let ground =
            Ground { store, hub, troubles, link, env, live: self.live.clone(), keychain: self.keychain.clone() };
        let process = Process::start(name, who, self.manner, &self.owner, ground);
        self.processes[slot] = Some(Arc::clone(&process));
        Ok(process)
    }

    /// How far the person was told that she has read.
    pub(crate) fn read(&self) -> MutexGuard<'_, BTreeMap<ConversationId, Seq>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the app was killed and not restarted.
    pub(crate) fn has_died(&self, number: u8) -> bool {
        self.processes[usize::from(number % 2)].as_ref().is_some_and(|process| process.is_dead())
    }

    /// The running app, if any.
    pub(crate) fn running(&self, number: u8) -> Option<&Arc<Process>> {
        self.processes[usize::from(number % 2)].as_ref().filter(|process| !process.is_dead())
    }

    /// The data, read without the app.
    pub(crate) async fn look(&self) -> StorageResult<Arc<dyn Store>> {
        self.disk.open().await
    }
}

/// Live hints of the server, until the world heals by way of a bad line.
fn rough_hints(hub: &Hub, seed: u64) -> LiveNetwork {
    let live = LiveNetwork::new(hub.server.clone());
    live.rough(seed);
    live
}
