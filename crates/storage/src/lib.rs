//! The storage contract of Fieldpost.
//!
//! A [`Store`] holds the data of one person on one device: what the person sees, the outbox, and the position in the
//! server's feed. The contract consists of one trait per role, so that code which uses one role can be tested with a
//! mock of that role.
//!
//! Every implementation must keep these rules:
//!
//! * Each method is atomic. If it returns `Ok`, its whole effect is stored. If it fails or the process dies, nothing is
//!   stored. Mutations that [`Outbox`] accepted survive a power failure.
//! * Rows carry a version; an older row never replaces a newer one. Tombstones and revocations are stored with their
//!   version.
//! * Every method resolves aliases: an open screen may hold the id that a conversation had before the server assigned
//!   the canonical one.
//!
//! [`memory::MemoryStore`] is the reference implementation. The suite in `conformance` (feature `conformance`) runs
//! against it and against every other implementation.

mod changes;
mod conversations;
mod drafts;
mod error;
mod import;
mod messages;
mod mutation_ids;
mod outbox;
mod people;
mod quoted;
pub mod reactions;
mod replica;
mod retention;
mod search;
pub mod secrets;
mod section;
mod sessions;
mod sync_memory;
mod turns;

pub mod memory;
#[cfg(feature = "records")]
pub mod records;
pub mod unreadable;
pub mod visibility;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use changes::{ChangeReceiver, ChangeSender, ChangeSet, Touched, TouchedTables};
pub use conversations::{ConversationFilter, ConversationSummary, Conversations};
pub use drafts::{Drafts, StoredDraft};
pub use error::{NotPossible, StorageError, StorageErrorKind, StorageResult};
pub use import::{
    DroppedObject, ImportNote, ImportOutcome, ImportReport, ImportedItems, ImportedQueue, ImportedTable, SetAside,
};
pub use messages::{Messages, Older, ReceiptCounts, ThreadMessage, ThreadWindow, Window};
pub use mutation_ids::{MutationIds, RandomIds};
pub use outbox::{
    BatchLimits, EntryState, NewBroadcast, NewDirect, Outbox, OutboxCounts, OutboxEntry, OutgoingMessage, SettleReport,
};
pub use people::People;
pub use quoted::{Quote, Quoted};
pub use reactions::ThreadReaction;
pub use replica::{ApplyReport, BootstrapReason, Checkable, MissingRange, Replica, SyncPosition, SyncState};
pub use retention::{Keep, TRIMMED_AT_ONCE, Trimmed};
pub use search::{Search, SearchHit, SearchOrder, SearchPage, SearchPosition, SearchPositionError, SearchQuery};
pub use secrets::{MemorySecrets, SecretError, SecretErrorKind, SecretName, SecretStore, TokenPlace, TokensApart};
pub use section::{End, Known, Section, ThreadSection};
pub use sessions::Sessions;
pub use sync_memory::{Health, LineSpeed, ReducedSize, SyncMemory};
pub use turns::{Turn, Turns};

#[cfg(feature = "mock")]
pub use self::{
    conversations::MockConversations, drafts::MockDrafts, messages::MockMessages, outbox::MockOutbox,
    people::MockPeople, replica::MockReplica, search::MockSearch, secrets::MockSecretStore, sessions::MockSessions,
    turns::MockTurns,
};

use async_trait::async_trait;

/// The result of [`Store::inspect`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// The version of its schema; none if it has no schema.
    pub schema_version: Option<u32>,
    /// Its size on disk in bytes; none if it is not on a disk.
    pub bytes: Option<u64>,
    /// What is wrong with it, in words for a person; empty if it is sound.
    pub faults: Vec<String>,
    /// The version of the cipher that it is encrypted with; none if it is not.
    pub encryption: Option<String>,
    /// Whether other users of the machine may read one of its files; none if that cannot be told, or there are none.
    pub readable_by_others: Option<bool>,
}

/// All roles of one local database.
#[async_trait]
pub trait Store: Conversations + Drafts + Messages + People + Search + Outbox + Replica + Sessions + Turns {
    /// Closes the file until [`Store::resume`]. Once this returns, there is no connection to it and no lock on it: an
    /// operating system may kill a suspended app that holds one. Running calls are finished first; the caller must drop
    /// its turn before. Calls then fail with [`StorageErrorKind::Paused`]. Pausing twice is allowed.
    ///
    /// # Errors
    /// [`StorageErrorKind::Closed`] if the store is closed.
    async fn pause(&self) -> StorageResult<()>;

    /// Opens the file again after [`Store::pause`]. Changes of other processes are visible then. Without a pause it
    /// does nothing.
    ///
    /// # Errors
    /// [`StorageErrorKind::Closed`] if the store is closed, and the errors of opening; then the store stays paused.
    async fn resume(&self) -> StorageResult<()>;

    /// The changes of each commit through this store from now on. Commits of other processes are reported with the next
    /// commit here, at the start of a pass ([`Turns::try_turn`]), by [`Store::resume`], and by [`Store::look_again`].
    fn changes(&self) -> ChangeReceiver;

    /// Reports what other processes may have changed in the file.
    fn look_again(&self);

    /// Checks the database and changes nothing. This may take a while for a large one.
    async fn inspect(&self) -> StorageResult<Inspection>;

    /// What came over from the app that Fieldpost replaces; none if nothing did.
    async fn imported(&self) -> StorageResult<Option<ImportReport>>;

    /// Deletes everything: messages, outbox, session and owner. The database is then like a new one that anybody can
    /// sign in to. No trace of its content stays in the file.
    async fn wipe(&self) -> StorageResult<()>;

    /// Finishes running calls and closes the file; the receivers of [`Store::changes`] end. Later calls fail with
    /// [`StorageErrorKind::Closed`]. Closing twice is allowed.
    async fn close(&self) -> StorageResult<()>;
}
