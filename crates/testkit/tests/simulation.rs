//! The simulator as part of the ordinary tests: some hundreds of seeds, and tests of the simulator itself.
#![expect(clippy::panic, reason = "a step that fails has to fail its test")]

use fieldpost_storage::{StorageResult, Store, memory::MemoryStore};
use fieldpost_testkit::simulator::{Disk, Disks, RecordSimulation, Simulation};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A few seconds' worth of seeds without optimisation; `cargo xtask simulate` runs ten thousand.
const SEEDS: std::ops::Range<u64> = 100_000..100_150;

fn calm(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        if let Err(violation) = Simulation::new(seed).run() {
            panic!("{violation}");
        }
    }
}

#[test]
fn every_invariant_holds_in_any_storm() {
    calm(SEEDS);
}

#[test]
fn seeds_that_once_found_something_stay_calm() {
    // A reassigned conversation that was partly loaded; a cancelled read mark; a person in two orgs; a removed admin's
    // own messages; a refused mark; a run of pages with an empty rest; queued marks in a partly loaded thread; messages
    // read while the server was rolled back; a token that arrived after signing out; signing in while signing out; a
    // session that another process started; a 429 to a push beside a pass; a wipe during a sync; a lost message that two
    // devices send again; a 429 to a push while a pull fetches a token; a message that was hidden, came back and was
    // trimmed; a page of history that names a message of a conversation which is hidden before it can be fetched;
    // a pass that finds nobody signed in while another call finds the next session; a lost message that one device sends
    // again and another deletes; signing in before a wipe.
    calm(
        [
            42, 55, 113, 403, 3913, 9770, 1559, 8254, 9692, 5954, 6664, 1066, 6943, 4859, 9503, 1393, 3880, 27943,
            32893, 35548, 201_100, 201_244, 301_148, 401_127, 403_763, 410_519,
        ]
        .into_iter(),
    );
}

fn calm_with_records(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        if let Err(violation) = RecordSimulation::new(seed).run() {
            panic!("{violation}");
        }
    }
}

#[test]
fn every_invariant_of_records_holds_in_any_storm() {
    calm_with_records(SEEDS);
}

#[test]
fn seeds_with_records_that_once_found_something_stay_calm() {
    // A repeated request applied over a later change; a create that had to wait and was overtaken by what refers to it; a
    // lost answer whose repetition was refused, so that the next change was folded into what the server had; a tombstone
    // of an earlier row of the record; an app that was killed while it waited, and held its turn.
    calm_with_records([923, 485, 173, 1259, 14_140, 11_940, 8821, 8040].into_iter());
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 42, 113, 1309] {
        let with_records = || RecordSimulation::new(seed).trace().trace;
        assert_eq!(with_records(), with_records(), "seed {seed} with records");
        let (first, second) = (Simulation::new(seed).trace(), Simulation::new(seed).trace());
        assert!(first.trace.len() > 50, "a trace of {} lines", first.trace.len());
        assert_eq!(first.trace, second.trace, "seed {seed}");
    }
}

/// An app's own disk: this one counts how often it is opened.
struct Counting {
    store: MemoryStore,
    opened: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl Disk for Counting {
    async fn open(&self) -> StorageResult<Arc<dyn Store>> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(self.store.reopen()))
    }
}

#[test]
fn an_app_brings_its_own_store() {
    let opened = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&opened);
    let disks = Disks::new(move || Counting { store: MemoryStore::new(), opened: Arc::clone(&count) });
    Simulation::new(8).on(disks).run().unwrap();
    assert!(opened.load(Ordering::SeqCst) > 2);
}

/// A store that loses accepted messages when it is closed.
struct Forgetful;

#[async_trait::async_trait]
impl Disk for Forgetful {
    async fn open(&self) -> StorageResult<Arc<dyn Store>> {
        Ok(Arc::new(MemoryStore::new()))
    }
}

#[test]
fn a_store_that_forgets_is_found_and_the_report_says_how() {
    let disks = Disks::new(|| Forgetful);
    let mut found = (0..20).filter_map(|seed| Simulation::new(seed).on(disks.clone()).run().err());
    let report = found.next().unwrap().to_string();
    assert!(report.contains("seed ") && report.contains("steps are enough"), "{report}");
}
