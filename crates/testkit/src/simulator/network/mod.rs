//! The simulator's side of the network: what each process does is checked, and each call is part of the trace.

mod habits;
mod hub;
mod link;
mod watch;

pub(super) use habits::{ByHand, Habits};
pub(super) use hub::Hub;
pub(super) use link::Link;
pub(super) use watch::Tracks;
