//! The simulator's side of the network: what each process does is checked, and each call is part of the trace.

mod beside;
mod habits;
mod hub;
mod link;
mod outage;
mod watch;

pub(super) use beside::Beside;
pub(super) use habits::{ByHand, Habits};
pub(super) use hub::Hub;
pub(super) use link::Link;
pub(super) use outage::{Outage, Outages};
pub(super) use watch::Tracks;
