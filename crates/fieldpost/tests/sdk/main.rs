//! The SDK over the reference store, as an app uses it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step of a test that fails has to fail the test")]

mod connections;
mod exporting;
mod limits;
mod owner;
#[cfg(feature = "supabase")]
mod secrets;
mod timeline;
#[cfg(feature = "records")]
mod typed;
mod watching;
