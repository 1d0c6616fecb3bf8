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

mod changes;
mod conversations;
mod error;
mod messages;
mod mutation_ids;
mod outbox;
mod people;
mod replica;
mod sessions;
mod sync_memory;
mod turns;

pub mod memory;
pub mod unreadable;
pub mod visibility;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use changes::{ChangeReceiver, ChangeSender, ChangeSet, Touched};
pub use conversations::{ConversationSummary, Conversations};
pub use error::{NotPossible, StorageError, StorageErrorKind, StorageResult};
pub use messages::{Messages, Older, ThreadMessage, ThreadWindow, Window};
pub use mutation_ids::{MutationIds, RandomIds};
pub use outbox::{
    BatchLimits, EntryState, NewDirect, Outbox, OutboxCounts, OutboxEntry, OutgoingMessage, SettleReport,
};
pub use people::People;
pub use replica::{ApplyReport, BootstrapReason, Checkable, MissingRange, Replica, SyncPosition, SyncState};
pub use sessions::Sessions;
pub use sync_memory::{Health, LineSpeed, ReducedSize, SyncMemory};
pub use turns::{Turn, Turns};

#[cfg(feature = "mock")]
pub use self::{
    conversations::MockConversations, messages::MockMessages, outbox::MockOutbox, people::MockPeople,
    replica::MockReplica, sessions::MockSessions, turns::MockTurns,
};

use async_trait::async_trait;

/// What [`Store::inspect`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// The version of its tables; none if it has no such thing.
    pub schema_version: Option<u32>,
    /// How much room it takes; none if it takes none on a disk.
    pub bytes: Option<u64>,
    /// What is wrong with it, in words for a person; nothing if it is sound.
    pub faults: Vec<String>,
}

/// All roles of one local database.
#[async_trait]
pub trait Store: Conversations + Messages + People + Outbox + Replica + Sessions + Turns {
    /// Lets go of the file: when this returns there is no connection to it and no lock on it, as a system asks that kills
    /// suspended apps which hold one. What is running is finished first; a turn has to be given back before. Calls fail with
    /// [`StorageErrorKind::Paused`] until [`Store::resume`]. Letting go twice is allowed.
    ///
    /// # Errors
    /// [`StorageErrorKind::Closed`] after closing.
    async fn pause(&self) -> StorageResult<()>;

    /// Takes the file back after [`Store::pause`]; what others wrote to it meanwhile is there. Without a pause it does
    /// nothing.
    ///
    /// # Errors
    /// [`StorageErrorKind::Closed`] after closing, and those of opening; then it stays let go of.
    async fn resume(&self) -> StorageResult<()>;

    /// What is committed from now on, through this store; after the commit. What others commit to the same file is reported with the
    /// next commit here, when a pass begins ([`Turns::try_turn`]), by [`Store::resume`] and by [`Store::look_again`].
    fn changes(&self) -> ChangeReceiver;

    /// Others may have written to the file: reports what may look different because of that.
    fn look_again(&self);

    /// Looks the database over, which may take a while for a large one, and changes nothing.
    async fn inspect(&self) -> StorageResult<Inspection>;

    /// Forgets everything: messages, outbox, session, and whose database it is. It is as new then, for anybody to sign in to.
    /// No trace of what was in it stays in the file.
    async fn wipe(&self) -> StorageResult<()>;

    /// Finishes what is running and lets go of the file for good; [`Store::changes`] come to their end. Calls after it fail with [`StorageErrorKind::Closed`];
    /// closing twice is allowed.
    async fn close(&self) -> StorageResult<()>;
}
