//! What the process says on its standard output, one JSON value to a line. It may be killed between any two of them.
//!
//! What has returned is said after it: that is a promise. What can take something away or change it is said before it too, so
//! that nobody takes the promise of before for broken when the kill lands in between.

use fieldpost::{ConversationId, MedicId, MessageId};
use serde::{Deserialize, Serialize};

/// One line.
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
    /// It has returned: with the new text, or saying that the message is as it was.
    Edited { id: MessageId, done: bool },
    /// `cancel` is about to be called for a message or for a conversation that was not opened yet.
    Cancelling { id: Option<MessageId>, conversation: Option<ConversationId> },
    /// It has returned: these are taken back, and nothing else is.
    Cancelled { messages: Vec<MessageId>, conversation: Option<ConversationId> },
    /// It has returned, saying that nothing was taken back.
    NotCancelled { id: Option<MessageId>, conversation: Option<ConversationId> },
}
