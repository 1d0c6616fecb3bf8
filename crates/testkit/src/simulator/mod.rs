//! Storms: whole runs of devices, people, a server and a network that does its worst, from one number.
//!
//! A [`Simulation`] makes a [`Schedule`] from a seed: who there is, and what happens when. Then it lets it happen. The engine is
//! the real one, on any store ([`Disks`]); the server is the reference server, with transactions that stay open; time is
//! virtual, so hours pass in milliseconds. Everything that chance decides follows from the seed, so a run that fails fails
//! again, and can be made smaller.
//!
//! What can go wrong, each at any moment and all of it at once:
//!
//! * The network delays, loses requests and answers, doubles and reorders them, goes away, says 429 or 503.
//! * Apps are killed at any await, with what is on its way still on its way; two of them share one store.
//! * Clocks are wrong and jump.
//! * Tokens run out, sessions end, people sign out and in.
//! * The server restarts, is restored, forgets its tombstones, gives small pages.
//! * Stores fail: busy, full, broken, before the write is committed.
//! * On some devices the engine's own runner decides when to sync: it is told of networks, of people who come and go, of hints;
//!   it is paused and resumed; the app owns the session; somebody signs out and wipes the device; messages may not wait for ever.
//! * In some runs the project hides messages from some of those who see the conversation, and refuses some.
//! * Other clients write, edit, delete, hand over, rename, remove people and take them back.
//!
//! Afterwards it heals, and the eleven invariants of docs/invariants.md have to hold; those that can be seen on the way are
//! looked at on the way. What is judged, and how, is in `verdict`.
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
//! A store has to answer on the thread that asks it: while others work, virtual time does not know that it should wait.

mod app_events;
mod clocks;
mod dice;
mod disk;
mod interruptible;
mod invariant;
mod life;
mod minimise;
mod network;
mod observer;
mod policy;
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
pub use run::{Run, Simulation};
pub use schedule::{Schedule, Setup};
pub use step::Step;
pub use violation::Violation;

use world::World;
