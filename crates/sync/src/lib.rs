//! The sync engine of Fieldpost. It stands between a store and a server and decides what to do when.
//!
//! [`machine`] decides: a pass is a state machine that takes what happened and returns what to do next. It does no I/O,
//! reads no clock and holds no token, so every decision can be tested as a table. [`driver`] acts: it carries out one
//! effect after the other, keeps the session fresh, lets only one pass run at a time, and publishes the status.
//!
//! Neither names an implementation of storage or remote.

pub mod driver;
pub mod machine;

#[cfg(feature = "records")]
pub mod coordinator;

mod env;
mod error;
mod session;
mod status;
mod steady;

pub use driver::{CursorHealth, Engine, Parts, Probe, Runner};
pub use env::{Clock, Entropy, Env, OsEntropy, SystemClock};
pub use error::SyncError;
pub use machine::{LiveRhythm, LiveStatus, Rhythm, RhythmError, SyncReport, Writing};
pub use session::{ProvidedToken, SessionKeeper, TokenError, TokenProvider};
pub use status::{MessageSyncStatus, Progress, Status, SyncStatus};

#[cfg(feature = "records")]
pub use coordinator::{ConnectionKind, ContextReport, ContextRunner, ContextState, ContextWatch, Coordinator, Left};
#[cfg(feature = "records")]
pub use driver::records::{RecordClock, RecordEngine, RecordParts, RecordStatus};
#[cfg(feature = "records")]
pub use machine::records::RecordReport;
