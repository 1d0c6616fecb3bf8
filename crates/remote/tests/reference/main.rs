//! The reference server by itself: behaviour that the contract does not show, and a random walk over all of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests: a failure here is the test's failure")]

mod behaviour;
mod device;
mod limits;
mod open;
mod projects;
#[cfg(feature = "records")]
mod record_walk;
#[cfg(feature = "records")]
mod records;
mod walk;
