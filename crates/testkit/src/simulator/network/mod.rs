//! The network between one device and the server.
//!
//! A call that has been sent lives on by itself: an app that is killed, or that has lost patience, does not take back what is
//! already on its way. So the server may carry out a request long after its sender has given up on it, twice, or after a
//! later one.

mod delivery;
mod habits;
mod link;
mod watch;

pub(super) use delivery::NetworkConditions;
pub(super) use habits::{ByHand, Habits};
pub(super) use link::{Hub, Link};
pub(super) use watch::Tracks;
