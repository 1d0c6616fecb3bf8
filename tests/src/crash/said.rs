//! The output of the process, one JSON value per line. It may be killed between any two lines.
//!
//! A result is reported after the call has returned: that is a promise. A call that can remove or change something is
//! also reported before it starts, so that an earlier promise does not count as broken if the kill lands in between.

use fieldpost::{ConversationId, MedicId, MessageId, records::RecordId};
use serde::{Deserialize, Serialize};

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Said {
    /// The file is open; the work begins.
    Busy,
    /// A sync found the server out of reach.
    Offline,
    /// A sync failed for another reason.
    Trouble(String),
    /// `send` has accepted a message.
    Accepted { id: MessageId, number: u64, conversation: ConversationId },
    /// A conversation with a medic is in the list.
    Here { conversation: ConversationId, medic: MedicId },
    /// `edit` is about to be called.
    Editing { id: MessageId, text: String },
    /// `edit` has returned: the message has the new text, or is unchanged.
    Edited { id: MessageId, done: bool },
    /// `cancel` is about to be called for a message or for a conversation that is not opened yet.
    Cancelling { id: Option<MessageId>, conversation: Option<ConversationId> },
    /// `cancel` has returned: these are cancelled, and nothing else is.
    Cancelled { messages: Vec<MessageId>, conversation: Option<ConversationId> },
    /// `cancel` has returned: nothing was cancelled.
    NotCancelled { id: Option<MessageId>, conversation: Option<ConversationId> },
    /// `create` has accepted a record.
    RecordCreated { id: RecordId, reference: String },
    /// `update` is about to be called.
    RecordChanging { id: RecordId, notes: String },
    /// `update` has returned.
    RecordChanged { id: RecordId },
    /// `delete` is about to be called.
    RecordDeleting { id: RecordId },
    /// `delete` has returned.
    RecordDeleted { id: RecordId },
}
