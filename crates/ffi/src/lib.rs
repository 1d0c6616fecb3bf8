//! Fieldpost for Swift, Kotlin, TypeScript and Python.
//!
//! UniFFI makes the bindings of these languages from this crate. It has no logic of its own: each function calls one of
//! [`fieldpost`], and each type is one of its types in a form that all four languages have. What the functions do, and why they
//! fail, is told there.
//!
//! ```text
//!  Swift, Kotlin, TypeScript, Python
//!        │ call                                  ▲ listener
//!        ▼                                       │ one thread calls all listeners (`listening`)
//!  Client, Timeline, … ── spawn, await ──► runtime (two workers) ──► fieldpost
//! ```
//!
//! - **Every call runs on a runtime of this crate.** A write that was begun goes on if the caller gives up waiting.
//! - **Records, not objects.** A conversation, a message or a diff is data. Objects are only what has a life: a client, a timeline,
//!   a subscription, a search, an export.
//! - **A listener may throw.** That is logged, and the subscription goes on.
//! - **What is wrong is a typed error** ([`FieldpostError`]): ids that are none, calls after [`Client::shutdown`], a panic of the
//!   library.

mod client;
mod conversations;
mod diffs;
mod doctor;
mod drafts;
mod error;
mod export;
mod ids;
mod key;
mod lifecycle;
mod listening;
mod logging;
mod messages;
mod moment;
mod options;
mod outbox;
mod people;
mod receipts;
mod records;
mod reporting;
mod runtime;
mod searching;
mod secrets;
mod server_search;
mod sessions;
mod settings;
mod syncing;
mod timeline;
mod tokens;
mod typing;
mod watching;

pub use client::Client;
pub use conversations::*;
pub use diffs::*;
pub use doctor::*;
pub use drafts::*;
pub use error::*;
pub use export::*;
pub use key::*;
pub use listening::*;
pub use logging::*;
pub use messages::*;
pub use options::*;
pub use outbox::*;
pub use people::*;
pub use receipts::*;
pub use records::*;
pub use reporting::*;
pub use searching::*;
pub use secrets::*;
pub use server_search::*;
pub use sessions::*;
pub use syncing::*;
pub use timeline::*;
pub use tokens::*;
pub use typing::*;
pub use watching::*;

uniffi::setup_scaffolding!();

/// The version of the library. The hand-written layer of each language compares it with its own when it is loaded.
#[uniffi::export]
#[must_use]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
