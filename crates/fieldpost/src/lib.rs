//! Offline-first messaging for field teams on Supabase.
//!
//! An app opens a [`Client`] on a local file and a Supabase project. Reading, writing and marking read work on the file
//! at once, online or offline; [`Client::sync`] makes both sides agree when there is a network. A message that
//! [`Conversation::send`] has accepted survives a crash and reaches the server exactly once.
//!
//! ```text
//!  your app                  fieldpost                   a file                    your Supabase project
//! ┌──────────────────┐ send ┌─────────────────┐ commit  ┌─────────────────┐       ┌─────────────────────┐
//! │ conversation(id) │ ───► │ Client          │ ──────► │ messages        │       │ conversations       │
//! │   .send(…)       │ ◄─── │  ├ Conversation │         │ outbox          │       │ messages            │
//! │                  │handle│  └ SentMessage  │         │ conversations   │       │ …                   │
//! │                  │      │                 │ what it │                 │       │                     │
//! │ screens          │ ◄─── │ Updates         │ ◄────── │                 │       │                     │
//! │                  │ diffs│                 │ changed └─────────────────┘       │                     │
//! │                  │ sync │ engine          │  push: message id = key           │ fieldpost_push      │
//! │ sync(), start()  │ ───► │  one pass       │ ────────────────────────────────► │ fieldpost_pull      │
//! │                  │      │  at a time      │ ◄──────────────────────────────── │ fieldpost_bootstrap │
//! └──────────────────┘      └─────────────────┘  pull: from the server's cursor   └─────────────────────┘
//! ```
//!
//! [`Client::conversation`] and [`Conversation::send`] return handles, which are cheap and keep the client alive.
//! Streams ([`Client::watch_conversations`], [`Conversation::watch`]) do not keep it alive: they give a snapshot, then
//! its changes, and end with the client.
//!
//! ```
//! use fieldpost::{ConversationKind, ConversationSummary, Delivery, Fieldpost, VectorDiff, Window};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = fieldpost_devserver::DevServer::builder().start().await?;
//! # let (url, key) = (server.url().to_string(), server.anon_key().to_string());
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("ada.db");
//! // One client per account; clone it freely.
//! let client = Fieldpost::builder().url(url).anon_key(key).database(file).open().await?;
//! client.sign_in("ada@fieldpost.test", "fieldpost-demo").await?;
//! client.sync().await?;
//!
//! // From here on everything works without a network.
//! let conversations = client.conversations().await?;
//! let direct = |one: &&ConversationSummary| one.kind == ConversationKind::Direct;
//! let line = conversations.iter().find(direct).ok_or("no conversation yet")?;
//! let conversation = client.conversation(line.id);
//! let shown = conversation.messages(Window::newest(50)).await?;
//! conversation.mark_read(shown.last_seq().unwrap_or_default()).await?;
//! let sent = conversation.send("On my way to gate 3").await?;
//! assert_eq!(sent.message().status.as_str(), "queued");
//!
//! // What is on a screen follows by itself.
//! let (_shown, mut updates) = conversation.watch(Window::newest(50)).await?;
//!
//! // And when there is a network, both sides converge.
//! client.sync().await?;
//! assert!(matches!(sent.delivered().await?, Delivery::Sent(_)));
//! let update = updates.next().await.ok_or("the client has ended")??;
//! assert!(matches!(update.diffs[..], [VectorDiff::Set { .. }]));
//! # client.close().await?;
//! # server.shutdown().await;
//! # Ok(())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     tokio::runtime::Runtime::new()?.block_on(example())
//! # }
//! ```
//!
//! Store, server, clock and entropy can be replaced ([`Builder::store`], [`Builder::remote`], [`Builder::env`]). The
//! folder `examples` has a small chat, an app that owns the session, and an app with its own store.

mod broadcasts;
mod builder;
mod client;
mod conversation;
mod conversations;
mod deleting;
mod doctor;
mod drafts;
mod editing;
mod error;
mod export;
mod lifecycle;
mod messages;
mod no_server;
mod outbox;
mod people;
mod protection;
mod reacting;
mod receipts;
#[cfg(feature = "records")]
pub mod records;
mod reporting;
mod retention;
mod searching;
mod server_search;
mod sessions;
mod settings;
mod sides;
mod syncing;
mod timeline;
mod watch;

pub use builder::{Builder, Fieldpost};
pub use client::Client;
pub use conversation::Conversation;
pub use doctor::{Diagnosis, Finding, Lane};
pub use error::{Error, Result};
pub use export::{Export, ExportFormat};
pub use messages::{Delivery, Draft, SentMessage};
pub use outbox::OutboxRef;
pub use protection::{Protection, Safety};
pub use receipts::{MessageInfo, Receipt};
pub use reporting::ReportQuery;
pub use retention::Retention;
pub use server_search::{FoundHit, FoundHits, HitSource, NotSearched, ServerSearch};
pub use sessions::Wipe;
pub use timeline::Timeline;
pub use watch::{ConversationQuery, OutboxEvent, ThreadUpdate, Updates};

pub use async_trait::async_trait;
pub use eyeball_im::{Vector, VectorDiff};
pub use fieldpost_domain::{
    AccessToken, Archived, Capability, ContentError, Continuation, ConversationId, ConversationKind, Emoji, EmojiError,
    IdError, Key, KeyError, MedicId, Mentions, MessageContent, MessageId, MessageKind, MessageReport, MessageStatus,
    Metadata, MetadataError, MutationId, MutationKind, Omitted, OmittedReason, OrgId, Password, Person, PersonId,
    Refusal, RefusalCode, ReportError, ReportId, ReportPage, ReportReason, Retry, RetryCode, Role, SearchRank,
    SearchText, SearchTextError, Secret, Seq, SeqRange, ServerInfo, Settings, Snippet, Time,
};
pub use fieldpost_remote::{
    Auth, Credentials, LiveConnection, LiveEvent, LiveHints, MessagingApi, RemoteError, RemoteErrorKind, SQL_VERSION,
    Topic,
};
#[cfg(feature = "supabase")]
pub use fieldpost_remote_supabase::Proxy;
pub use fieldpost_storage::{
    ConversationSummary, DroppedObject, EntryState, Health, ImportNote, ImportOutcome, ImportReport, ImportedItems,
    ImportedQueue, ImportedTable, Inspection, MemorySecrets, NotPossible, Older, OutboxCounts, OutboxEntry, Quote,
    Quoted, ReceiptCounts, ReducedSize, SearchHit, SearchOrder, SearchPage, SearchPosition, SearchPositionError,
    SearchQuery, SecretError, SecretErrorKind, SecretName, SecretStore, SetAside, StorageError, StorageErrorKind,
    Store, StoredDraft, SyncMemory, SyncPosition, SyncState, ThreadMessage, ThreadReaction, ThreadWindow, TokenPlace,
    Window,
};
#[cfg(feature = "sqlite")]
pub use fieldpost_storage_sqlite::{
    ImportError, ImportProgress, KeyChange, KeyProgress, Occupied, change_key, import_watermelon,
    import_watermelon_encrypted,
};
pub use fieldpost_sync::{
    Clock, CursorHealth, Entropy, Env, LiveStatus, MessageSyncStatus, OsEntropy, Probe, Progress, ProvidedToken,
    Rhythm, RhythmError, Status, SyncError, SyncReport, SyncStatus, SystemClock, TokenError, TokenProvider,
};

pub use fieldpost_timeline::{
    Direction, Edge, Ends, ItemId, NaiveDate, OpenAt, TimelineItem, TimelineMessage, TimelineOptions, TimelineUpdate,
    Zone,
};

#[cfg(feature = "records")]
pub use fieldpost_remote::RecordsApi;
#[cfg(feature = "records")]
pub use fieldpost_storage::records::RecordStore;
#[cfg(feature = "records")]
pub use fieldpost_sync::{ConnectionKind, ContextReport, ContextState, ContextWatch, RecordReport, RecordStatus};

/// The domain types, of which the types above are made.
pub use fieldpost_domain as domain;
/// The contract of a remote, for [`Builder::remote`].
pub use fieldpost_remote as remote;
/// The contract of a store, for [`Builder::store`].
pub use fieldpost_storage as storage;

/// The example of the crate's README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
