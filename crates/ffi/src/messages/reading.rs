//! Reading a thread, a window at a time.

use super::ThreadMessage;
use crate::{Client, Result};
use fieldpost::{ConversationId, Seq};

/// What is below the oldest message of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Older {
    /// More messages are on this device: read on with `before`.
    Here {
        /// The seq.
        before: u64,
    },
    /// The server may have more: [`Client::load_older`].
    OnServer {
        /// The seq.
        before: u64,
    },
    /// Nothing.
    Nothing,
}

/// Which part of a thread to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Window {
    /// The most messages.
    #[uniffi(default = 50)]
    pub limit: u32,
    /// Only messages below this seq; none for the newest.
    #[uniffi(default = None)]
    pub before: Option<u64>,
}

/// Part of a thread, oldest first.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct ThreadWindow {
    /// The messages.
    pub messages: Vec<ThreadMessage>,
    /// What is below them.
    pub older: Older,
    /// The highest seq: a screen that shows the window has displayed up to here.
    pub last_seq: Option<u64>,
}

#[uniffi::export]
impl Client {
    /// Part of a thread, oldest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the conversation is not on this device.
    pub async fn messages(&self, conversation: ConversationId, window: Window) -> Result<ThreadWindow> {
        self.run(|client| async move { Ok(client.conversation(conversation).messages(window.into()).await?.into()) })
            .await
    }

    /// Fetches older messages when a window says that the server has them. Returns the window.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Offline`], [`crate::ErrorKind::NotFound`].
    pub async fn load_older(&self, conversation: ConversationId, window: Window) -> Result<ThreadWindow> {
        self.run(|client| async move { Ok(client.conversation(conversation).load_older(window.into()).await?.into()) })
            .await
    }

    /// Marks a thread as read up to the last displayed message ([`ThreadWindow::last_seq`]). Returns the position of the marker.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn mark_read(&self, conversation: ConversationId, up_to: u64) -> Result<u64> {
        self.run(|client| async move { Ok(client.conversation(conversation).mark_read(Seq::new(up_to)).await?.get()) })
            .await
    }
}

impl From<fieldpost::Older> for Older {
    fn from(older: fieldpost::Older) -> Self {
        match older {
            fieldpost::Older::Here(before) => Self::Here { before: before.get() },
            fieldpost::Older::OnServer(before) => Self::OnServer { before: before.get() },
            fieldpost::Older::Nothing => Self::Nothing,
        }
    }
}

impl From<Window> for fieldpost::Window {
    fn from(window: Window) -> Self {
        Self { limit: window.limit, before: window.before.map(Seq::new) }
    }
}

impl From<fieldpost::ThreadWindow> for ThreadWindow {
    fn from(window: fieldpost::ThreadWindow) -> Self {
        let last_seq = window.last_seq().map(Seq::get);
        Self { messages: window.messages.into_iter().map(Into::into).collect(), older: window.older.into(), last_seq }
    }
}
