//! The SDK against PostgreSQL and Supabase Lite, with supabase-js as a stranger.
#![expect(clippy::unwrap_used, reason = "a step that fails has to fail its test")]

mod backend;
mod converge;
mod importing;
mod realtime;
mod requests;
mod rewind;
