//! Shared by the workspace's integration tests: phones, and access to a real Supabase stack.
#![expect(clippy::panic, clippy::expect_used, reason = "test code: a step that fails has to fail its test")]

pub mod crash;
pub mod fuzz;
mod keys;
pub mod lines;
mod old_app;
mod phone;
mod picky;
mod stack;

pub use keys::a_key;
pub use old_app::OldApp;
pub use phone::{Phone, thread};
pub use picky::{Picky, REFUSED, picky_demo};
pub use stack::{Account, Org, Stack, node, sql};
