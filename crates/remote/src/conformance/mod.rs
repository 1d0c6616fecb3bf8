//! The suite that every implementation of the remote contract must pass.
//!
//! Each story is a plain async function over a [`Backend`]. So the same stories run against the reference server,
//! against `remote-supabase` over the devserver, and against `remote-supabase` over a real Supabase stack.
//! `remote_conformance!` turns each into one `#[tokio::test]`; the build lists them, so no story is left out:
//!
//! ```ignore
//! fieldpost_remote::remote_conformance!(MyBackend::start().await);
//! ```
//!
//! The stories follow docs/protocol.md, sentence by sentence where the contract makes a sentence observable. Each
//! creates its own world (an org, an admin, some medics) and looks at nothing else, so they may run side by side on one
//! server. If a backend cannot perform an action, it returns [`Unsupported`], and the test reports that it was skipped.
//!
//! The suite does not test what a server may decide for itself: the text of cursors, the size of pages below the
//! limits, the order of rows that do not reference each other.

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
pub mod addressed;
pub mod bootstrap;
pub mod delete;
pub mod deliver;
pub mod edit;
pub mod history;
pub mod live;
pub mod mark;
pub mod open;
pub mod paging;
pub mod privacy;
pub mod pull;
pub mod quiet;
pub mod reacting;
#[cfg(feature = "records")]
pub mod records;
pub mod reference;
pub mod reporting;
pub mod retry;
pub mod searching;
pub mod send;
pub mod sessions;
pub mod setting;

pub use actor::{Actor, Caught};
pub use backend::{Action, Backend, Member, Unsupported, Verdict, World};
pub use fresh::fresh_bytes;
pub use registry::conclude;
pub use scene::Scene;
