//! The engine with the in-memory store, the reference server, and a network that fails on command.

#![expect(clippy::unwrap_used, reason = "a step that fails has to fail its test")]

mod converge;
mod counts;
mod expiring;
mod first_load;
mod given;
mod healing;
mod history;
mod keychain;
mod lifecycle;
mod live;
mod live_week;
mod mocks;
mod one_shot;
mod probe;
mod runner;
mod sessions;
mod status;
mod tokens;
mod traces;
mod turns;
