//! Syncing records: the machine as a table, the driver with mocks, and both with the reference store and server.
#![cfg(feature = "records")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails has to fail its test")]

mod apart;
mod audit;
mod end_to_end;
mod given;
mod last_write;
mod mocks;
mod phones;
mod pull;
mod push;
mod state;
