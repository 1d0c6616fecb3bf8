//! The storage contract of Fieldpost.
//!
//! A [`Store`] is the local truth of one account on one device: what the person sees, what they did that the server does
//! not know yet (the outbox), and how far the device has followed the server (the replica's position). The contract is cut
//! into traits by role, so that whoever uses one role can be tested with a mock of that role alone.
//!
//! What every implementation must keep, whatever happens in between:
//!
//! * Each method is atomic. When it returns `Ok` its effect is there as a whole; when it fails or the process dies, as if it
//!   had never been called. What [`Outbox`] accepted survives a power cut.
//! * Rows carry a version; an older state never replaces a newer one. Tombstones and revocations are remembered with theirs.
//! * An id is resolved through aliases everywhere: an open screen may hold the id that a conversation had before the server
//!   gave its canonical one.
//!
//! [`memory::MemoryStore`] is the reference implementation; the suite in `conformance` (feature `conformance`) is run on it
//! and on every other.

mod conversations;
mod error;
mod messages;
mod outbox;
mod people;
mod replica;
mod sessions;

pub mod memory;
pub mod unreadable;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use conversations::{ConversationSummary, Conversations};
pub use error::{StorageError, StorageErrorKind, StorageResult};
pub use messages::{Messages, Older, ThreadMessage, ThreadWindow, Window};
pub use outbox::{BatchLimits, EntryState, NewDirect, Outbox, OutboxCounts, OutboxEntry, SettleReport};
pub use people::People;
pub use replica::{ApplyReport, BootstrapReason, MissingRange, Replica, SyncPosition, SyncState};
pub use sessions::Sessions;

#[cfg(feature = "mock")]
pub use self::{
    conversations::MockConversations, messages::MockMessages, outbox::MockOutbox, people::MockPeople,
    replica::MockReplica, sessions::MockSessions,
};

use async_trait::async_trait;

/// All roles of one local database.
#[async_trait]
pub trait Store: Conversations + Messages + People + Outbox + Replica + Sessions {
    /// Finishes what is running and lets go of the file. Calls after it fail with [`StorageErrorKind::Closed`]; closing
    /// twice is allowed.
    async fn close(&self) -> StorageResult<()>;
}
