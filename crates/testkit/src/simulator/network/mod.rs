//! The network between one device and the server.
//!
//! A sent call continues on its own: an app that is killed, or that times out, cannot take back a request that is
//! already in flight. So the server may execute a request long after its sender has given up on it, twice, or after a
//! later one.

mod delivery;
mod habits;
mod link;
mod watch;

pub(super) use delivery::NetworkConditions;
pub(super) use habits::{ByHand, Habits};
pub(super) use link::{Hub, Link};
pub(super) use watch::Tracks;
