//! The domain types of Fieldpost: no I/O, no async, no clock.
//!
//! Layers exchange only these types, so the store never sees a wire format and the remote never sees a row. The
//! glossary (`docs/glossary.md`) has one word per idea, and this crate uses those words.
//!
//! Values that this version does not know, sent by a newer server, are kept and never refused: wire enums are open (see
//! [`MessageKind`]), and unknown fields go to `extra`.

mod open_enum;

pub mod capability;
pub mod change;
pub mod content;
pub mod conversation;
pub mod cursor;
pub mod digest;
pub mod id;
mod key;
pub mod message;
pub mod metadata;
pub mod mutation;
pub mod names;
pub mod omitted;
pub mod outcome;
pub mod page;
pub mod person;
pub mod planted;
pub mod position;
mod push_tag;
pub mod reaction;
pub mod read_marker;
pub mod records;
pub mod report;
pub mod retry;
pub mod search;
pub mod session;
pub mod settings;

pub use capability::{Capabilities, Capability};
pub use change::{Access, AccessChange, Changes, Covered, Tombstone, TombstoneOf, UnreadableRow};
pub use content::{ContentError, MessageContent, preview};
pub use conversation::{Conversation, ConversationKind};
pub use cursor::{Continuation, Cursor, CursorError, ServerEpoch};
pub use digest::{ConversationDigest, Fingerprint, SetFingerprint};
pub use id::{AuditId, ConversationId, IdError, MedicId, MessageId, MutationId, OrgId, PersonId, RecordId, ReportId};
pub use key::{Key, KeyError};
pub use message::{Changeable, MENTIONS_MAX, Mentions, Message, MessageKind, MessageStatus, NewMessage};
pub use metadata::{Extra, Metadata, MetadataError};
// The fields of every kind of mutation.
pub use mutation::*;
pub use omitted::{Omitted, OmittedReason};
pub use outcome::{Acknowledgement, MessageAck, PushOutcome, PushResult, Refusal, RefusalCode, RetryCode};
pub use page::{BootstrapPage, FoundPage, HistoryPage, PullPage, SeqRange, ServerInfo, ServerLimits, Transfer};
pub use person::{Person, Role};
pub use position::{Seq, Version};
pub use push_tag::{NoPushTag, PushTag};
pub use reaction::{EMOJI_BYTES, Emoji, EmojiError, REACTIONS_MAX, ReactedBy, Reaction};
pub use read_marker::ReadMarker;
pub use report::{
    MessageReport, REPORT_NOTE_CHARS, REPORT_REASON_BYTES, ReportError, ReportNote, ReportPage, ReportReason,
};
pub use retry::Retry;
pub use search::{SearchRank, SearchText, SearchTextError, Snippet, TextPart};
pub use session::{AccessToken, Password, RefreshToken, Secret, Session};
pub use settings::{Archived, ConversationSettings, Settings, SettingsChange};

/// A moment, always in UTC. Fieldpost keeps microseconds, the resolution of PostgreSQL.
pub type Time = chrono::DateTime<chrono::Utc>;
