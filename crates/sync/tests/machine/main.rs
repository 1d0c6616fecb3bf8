//! The machine as a table of events and decisions.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails has to fail its test")]

mod check;
mod expiry;
mod first_screen;
mod follow;
mod given;
mod live;
mod meanwhile;
mod memory;
mod push;
mod quiet;
mod repair;
mod schedule;
mod sizes;
