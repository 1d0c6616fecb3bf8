//! The machine as a table: what has happened, and what it decides.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails has to fail its test")]

mod check;
mod expiry;
mod follow;
mod given;
mod glimpse;
mod push;
mod repair;
mod schedule;
