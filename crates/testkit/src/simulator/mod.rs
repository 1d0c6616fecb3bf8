//! Simulates whole runs: devices, people, a server and a very bad network, all from one number.
//!
//! A [`Simulation`] makes a [`Schedule`] from a seed: the participants, and what happens when. Then it runs the
//! schedule. The engine is the real one, on any store ([`Disks`]); the server is the reference server, with
//! transactions that stay open; time is virtual, so hours pass in milliseconds. Everything random follows from the
//! seed, so a failing run fails again and can be shrunk.
//!
//! Faults, each at any moment and all of them at once:
//!
//! * The network delays, loses requests and responses, duplicates and reorders them, disconnects, answers 429 or 503.
//! * Apps are killed at any await, while their requests stay in flight; two of them share one store.
//! * Clocks are wrong and jump.
//! * Tokens expire, sessions end, people sign out and in.
//! * The server restarts, is restored, removes its tombstones, sends small pages.
//! * Captive portals answer instead of the server, its functions are missing, or it refuses its own tokens.
//! * Stores fail: busy, full, broken, before the write is committed.
//! * On some devices the engine's own runner decides when to sync. It is told about networks, foreground and
//!   background, and hints; it is paused and resumed; the app owns the session; somebody signs out and wipes the
//!   device; messages expire.
//! * In some runs the project hides messages from some of those who see the conversation, and refuses some.
//! * In some runs large batches and pages never fit: the server refuses them, or the line is too slow. This never heals.
//! * Other clients write, edit, delete, reassign, rename, remove people and add them again.
//!
//! A [`RecordSimulation`] does the same with records beside the messages (`records`).
//!
//! Afterwards the world heals, and the invariants of docs/invariants.md must hold. Those that can be checked
//! during the run are checked then. The checks are in `verdict`.
//!
//! # On an app's own store
//!
//! ```
//! use async_trait::async_trait;
//! use fieldpost_storage::{StorageResult, Store, memory::MemoryStore};
//! use fieldpost_testkit::simulator::{Disk, Disks, Simulation};
//! use std::sync::Arc;
//!
//! /// What stays when the app is killed.
//! #[derive(Default)]
//! struct OwnDisk(MemoryStore);
//!
//! #[async_trait]
//! impl Disk for OwnDisk {
//!     async fn open(&self) -> StorageResult<Arc<dyn Store>> {
//!         Ok(Arc::new(self.0.reopen()))
//!     }
//! }
//!
//! // In a `#[test]`, not in a `#[tokio::test]`: the run brings its own runtime.
//! let disks = Disks::new(OwnDisk::default);
//! for seed in 0..3 {
//!     if let Err(violation) = Simulation::new(seed).on(disks.clone()).run() {
//!         panic!("{violation}");
//!     }
//! }
//! ```
//!
//! A store must answer on the thread that calls it: virtual time does not wait for work on other threads.

mod app_events;
mod clocks;
mod dice;
mod disk;
mod extras;
mod interruptible;
mod invariant;
mod life;
mod minimise;
mod narrow;
mod network;
mod observer;
mod policy;
mod records;
mod rules;
mod run;
mod schedule;
mod step;
mod troubles;
mod verdict;
mod violation;
mod world;

pub use disk::{Disk, Disks, MemoryDisk};
pub use invariant::Invariant;
pub use observer::{Breach, Counts};
pub use records::{RecordSchedule, RecordSetup, RecordSimulation, RecordStep};
pub use run::{Run, Simulation};
pub use schedule::{Schedule, Setup};
pub use step::Step;
pub use violation::Violation;

use world::World;
