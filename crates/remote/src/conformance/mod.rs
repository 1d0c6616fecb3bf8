//! The suite that every implementation of the remote contract must pass.
//!
//! Each test is a plain async function over a [`Backend`], so the same stories are told to the reference server, to
//! `remote-supabase` over the devserver, and to `remote-supabase` over a real Supabase stack. `remote_conformance!` makes
//! one `#[tokio::test]` of each; the build lists them, so a story that is written is run:
//!
//! ```ignore
//! fieldpost_remote::remote_conformance!(MyBackend::start().await);
//! ```
//!
//! The stories follow docs/protocol.md, sentence by sentence where a sentence can be seen through the contract. They make
//! their own world (an org, an admin, some medics) and look at nothing else, so they may run side by side on one server.
//! What a backend cannot do behind the engine's back it answers with [`Unsupported`], and the test says that it was
//! skipped.
//!
//! What a server may decide for itself is not tested: the text of cursors, the size of pages below the limits, the order
//! of rows that do not name each other.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "the suite is test code behind a feature: a panic is a failed test, an error a skipped one"
)]

mod actor;
mod backend;
mod fresh;
mod registry;
mod scene;

pub mod access;
pub mod bootstrap;
pub mod edit;
pub mod history;
pub mod mark;
pub mod open;
pub mod paging;
pub mod privacy;
pub mod pull;
pub mod reference;
pub mod retry;
pub mod send;
pub mod sessions;

pub use actor::{Actor, Caught};
pub use backend::{Action, Backend, Member, Unsupported, Verdict, World};
pub use fresh::fresh_bytes;
pub use registry::conclude;
pub use scene::Scene;
