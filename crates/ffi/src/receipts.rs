//! Who has received and read a message.

use crate::{Client, Result, ThreadMessage, moment};
use fieldpost::{MessageId, PersonId};
use std::time::SystemTime;

/// How far one person has got with a message.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Receipt {
    /// The person.
    pub person_id: PersonId,
    /// The name that the reader sees.
    pub name: String,
    /// It is on one of their devices.
    pub delivered: bool,
    /// It was displayed to them.
    pub read: bool,
    /// When it arrived, if that is known.
    pub delivered_at: Option<SystemTime>,
    /// When they read it, if that is known.
    pub read_at: Option<SystemTime>,
}

/// What is known about the way of a message.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct MessageInfo {
    /// The message.
    pub message: ThreadMessage,
    /// The other participants: who has read it first, then by name.
    pub receipts: Vec<Receipt>,
}

#[uniffi::export]
impl Client {
    /// Who has received and read a message, as far as this device knows.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn message_info(&self, message: MessageId) -> Result<MessageInfo> {
        self.run(|client| async move { Ok(client.message_info(message).await?.into()) }).await
    }
}

impl From<fieldpost::Receipt> for Receipt {
    fn from(receipt: fieldpost::Receipt) -> Self {
        Self {
            person_id: receipt.person_id,
            name: receipt.name,
            delivered: receipt.delivered,
            read: receipt.read,
            delivered_at: receipt.delivered_at.map(moment::out),
            read_at: receipt.read_at.map(moment::out),
        }
    }
}

impl From<fieldpost::MessageInfo> for MessageInfo {
    fn from(info: fieldpost::MessageInfo) -> Self {
        Self { message: info.message.into(), receipts: info.receipts.into_iter().map(Into::into).collect() }
    }
}
