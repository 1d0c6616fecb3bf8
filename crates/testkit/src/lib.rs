//! The tools for tests of Fieldpost, and of apps that embed it: time that moves only on command, repeatable randomness,
//! and a network that fails on command.
//!
//! ```
//! use fieldpost_remote::reference::ReferenceServer;
//! use fieldpost_testkit::{Network, env};
//! use std::sync::Arc;
//!
//! # let server = ReferenceServer::demo();
//! // Everything that goes to the server passes here.
//! let network = Arc::new(Network::new(server));
//! network.lose_next_answer();
//! network.go_offline();
//! // The same seed gives the same ids.
//! assert_eq!(env(7).0.message_id(), env(7).0.message_id());
//! ```

mod chance;
mod clock;
mod network;
pub mod simulator;

pub use chance::SeededEntropy;
pub use clock::ManualClock;
pub use fieldpost_remote::reference::SeededRandom;
pub use network::{Call, Fault, LiveCall, LiveNetwork, Network};

use fieldpost_sync::Env;
use std::sync::Arc;

/// The clock and ids of one device: the clock stands at [`ManualClock::START`], and the ids follow from `seed`.
#[must_use]
pub fn env(seed: u64) -> (Env, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (Env::new(clock.clone(), Arc::new(SeededEntropy::new(seed))), clock)
}
