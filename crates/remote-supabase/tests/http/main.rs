//! The client against a scripted server on loopback: what it sends, what it reads, and how it classifies every failure.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a step that fails has to fail its test")]

mod bad_input;
mod calls;
mod failures;
mod live;
mod live_faults;
mod logs;
mod protocol_examples;
mod pushes;
mod robustness;
mod rows;
mod sessions;
mod support;
