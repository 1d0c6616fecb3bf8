//! Offline-first messaging for field teams on Supabase.
//!
//! An app opens a [`Client`] on a local file and a Supabase project. Everything a person does (reading, writing, marking
//! read) works on the file at once, with or without a network; [`Client::trigger_message_sync`] makes both sides agree
//! whenever there is one. What [`Client::send`] accepted survives a crash, and reaches the server exactly once.
//!
//! ```
//! use fieldpost::{ConversationKind, ConversationSummary, Fieldpost, Window};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = fieldpost_devserver::DevServer::builder().start().await?;
//! # let (url, key) = (server.url().to_string(), server.anon_key().to_string());
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("ada.db");
//! // One client per account; clone it freely.
//! let client = Fieldpost::builder().url(url).anon_key(key).database(file).open().await?;
//! client.sign_in("ada@fieldpost.test", "fieldpost-demo").await?;
//! client.trigger_message_sync().await?;
//!
//! // From here on everything works without a network.
//! let conversations = client.conversations().await?;
//! let direct = |one: &&ConversationSummary| one.kind == ConversationKind::Direct;
//! let thread = conversations.iter().find(direct).ok_or("no conversation yet")?;
//! let shown = client.messages(thread.id, Window::newest(50)).await?;
//! client.mark_read(thread.id, shown.last_seq().unwrap_or_default()).await?;
//! let written = client.send(thread.id, "On my way to gate 3").await?;
//! assert_eq!(written.status.as_str(), "queued");
//!
//! // And when there is one, both sides converge.
//! client.trigger_message_sync().await?;
//! let window = client.messages(thread.id, Window::newest(50)).await?;
//! assert_eq!(window.messages.last().map(|message| message.status.as_str()), Some("sent"));
//! # client.close().await?;
//! # server.shutdown().await;
//! # Ok(())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     tokio::runtime::Runtime::new()?.block_on(example())
//! # }
//! ```
//!
//! Store and server can be swapped ([`Builder::store`], [`Builder::remote`]); time and chance too ([`Builder::env`]).

mod builder;
mod client;
mod conversations;
mod doctor;
mod error;
mod lifecycle;
mod messages;
mod no_server;
mod observing;
mod outbox;
mod people;
mod sessions;
mod syncing;

pub use builder::{Builder, Fieldpost};
pub use client::Client;
pub use doctor::{Diagnosis, Finding, Lane};
pub use error::{Error, Result};
pub use messages::Draft;
pub use observing::{Delivery, OutboxEvent};
pub use outbox::Waiting;
pub use sessions::Wipe;

pub use fieldpost_domain::{
    AccessToken, ConversationId, ConversationKind, MedicId, Mentions, MessageContent, MessageId, MessageKind,
    MessageStatus, Metadata, MetadataError, MutationId, Omitted, OmittedReason, OrgId, Person, PersonId, Refusal,
    RefusalCode, Retry, Role, Seq, ServerInfo, Time,
};
pub use fieldpost_remote::SQL_VERSION;
pub use fieldpost_storage::{
    ConversationSummary, EntryState, Health, Inspection, Older, OutboxCounts, OutboxEntry, ReducedSize, Store,
    SyncMemory, SyncPosition, SyncState, ThreadMessage, ThreadWindow, Window,
};
pub use fieldpost_sync::{
    Clock, CursorHealth, Entropy, Env, MessageSyncStatus, Probe, Progress, ProvidedToken, Rhythm, Status, SyncReport,
    SyncStatus, TokenError, TokenProvider,
};
