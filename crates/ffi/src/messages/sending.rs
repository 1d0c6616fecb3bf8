//! Sending a message, and what becomes of it.

use super::ThreadMessage;
use crate::{Client, ErrorKind, FieldpostError, Refusal, Result, runtime};
use fieldpost::{ConversationId, MessageId, PersonId};

/// A message to send, with more than text ([`fieldpost::Draft`]).
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The message that it replies to.
    #[uniffi(default = None)]
    pub reply_to: Option<MessageId>,
    /// The people that it mentions.
    #[uniffi(default = [])]
    pub mentions: Vec<PersonId>,
    /// What the app attaches: a JSON object.
    #[uniffi(default = None)]
    pub metadata: Option<String>,
}

/// The outcome of a sent message.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Delivery {
    /// The server has it.
    Sent {
        /// Its seq.
        seq: u64,
    },
    /// The server refused it; it waits for the person.
    Failed {
        /// Why.
        refusal: Refusal,
    },
    /// It is no longer on this device.
    Gone,
}

#[uniffi::export]
impl Client {
    /// Sends a message. When this returns, it is stored durably; the next sync sends it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidContent`], [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::SignedOut`].
    pub async fn send(&self, conversation: ConversationId, text: String) -> Result<ThreadMessage> {
        self.run(|client| async move {
            let sent = client.conversation(conversation).send(&text).await?;
            Ok(sent.message().clone().into())
        })
        .await
    }

    /// Like [`Client::send`], with more than text.
    ///
    /// # Errors
    /// As there; [`crate::ErrorKind::InvalidMetadata`], [`crate::ErrorKind::TooManyMentions`], [`crate::ErrorKind::NotPossible`].
    pub async fn send_draft(&self, conversation: ConversationId, draft: Draft) -> Result<ThreadMessage> {
        let draft: fieldpost::Draft = draft.try_into()?;
        self.run(|client| async move {
            let sent = client.conversation(conversation).send_draft(draft).await?;
            Ok(sent.message().clone().into())
        })
        .await
    }

    /// Waits for the outcome of one's own message; none if it is not on this device. It arrives only with a network and a sync.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn delivered(&self, message: MessageId) -> Result<Option<Delivery>> {
        // Waiting is no write: it ends with the caller.
        let client = self.sdk()?;
        let waiting = runtime::start_waiting(async move {
            match client.sent_message(message).await? {
                Some(sent) => Ok(Some(sent.delivered().await?.into())),
                None => Ok(None),
            }
        })?;
        self.closed_if_shut_down(waiting.await)
    }
}

/// What an app attaches, from its JSON.
pub(crate) fn metadata(json: &str) -> Result<fieldpost::Metadata> {
    let invalid = |reason: String| FieldpostError::new(ErrorKind::InvalidMetadata, reason);
    let object = serde_json::from_str(json).map_err(|_| invalid("metadata is a JSON object".to_owned()))?;
    fieldpost::Metadata::new(object).map_err(|error| invalid(error.to_string()))
}

pub(crate) fn metadata_text(metadata: &fieldpost::Metadata) -> String {
    // An object from the store is always JSON.
    serde_json::to_string(metadata.as_object()).unwrap_or_default()
}

impl TryFrom<Draft> for fieldpost::Draft {
    type Error = FieldpostError;

    fn try_from(draft: Draft) -> Result<Self> {
        let content = fieldpost::MessageContent::new(&draft.text).map_err(fieldpost::Error::from)?;
        let mut made = Self::new(content).mentioning(draft.mentions);
        if let Some(id) = draft.reply_to {
            made = made.in_reply_to(id);
        }
        if let Some(json) = draft.metadata {
            made = made.with_metadata(metadata(&json)?);
        }
        Ok(made)
    }
}

impl From<fieldpost::Delivery> for Delivery {
    fn from(delivery: fieldpost::Delivery) -> Self {
        match delivery {
            fieldpost::Delivery::Sent(seq) => Self::Sent { seq: seq.get() },
            fieldpost::Delivery::Failed(refusal) => Self::Failed { refusal: refusal.into() },
            _ => Self::Gone,
        }
    }
}
