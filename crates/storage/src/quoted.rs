//! The message that another one replies to, as a thread shows it.

use fieldpost_domain::{MessageId, MessageKind, preview};

/// A quoted message: what is shown above a reply. It follows edits, deletions and loads of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quoted {
    /// It is stored in the same conversation.
    Here(Quote),
    /// It was deleted, or taken out of the reader's sight.
    Deleted(MessageId),
    /// It is not in this conversation on this device: it is older than what is loaded, or the reader may not see it.
    NotHere(MessageId),
}

/// What is shown of a quoted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Its id, to jump to it.
    pub id: MessageId,
    /// The name of its author, as in the thread.
    pub sender_name: String,
    /// Whether the signed-in person wrote it.
    pub mine: bool,
    /// What it is.
    pub kind: MessageKind,
    /// The start of its text as it shows now, cut as a preview ([`fieldpost_domain::preview`]); none if it has none, or
    /// if that was omitted.
    pub text: Option<String>,
}

impl Quote {
    /// The quote of a message with this text, or with the start of it.
    pub fn new(id: MessageId, sender_name: String, mine: bool, kind: MessageKind, text: Option<&str>) -> Self {
        Self { id, sender_name, mine, kind, text: text.map(preview) }
    }
}

impl Quoted {
    /// The id of the quoted message.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        match self {
            Self::Here(quote) => quote.id,
            Self::Deleted(id) | Self::NotHere(id) => *id,
        }
    }

    /// The quote, if the message is here.
    #[must_use]
    pub const fn quote(&self) -> Option<&Quote> {
        match self {
            Self::Here(quote) => Some(quote),
            Self::Deleted(_) | Self::NotHere(_) => None,
        }
    }
}
