//! Exporting a conversation.

use crate::{Client, Result, runtime};
use fieldpost::ConversationId;
use std::{fmt, sync::Arc};
use tokio::sync::Mutex;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ExportFormat {
    /// One JSON object per line.
    JsonLines,
    /// Text for people.
    Text,
}

/// An export of a conversation, line by line.
#[derive(uniffi::Object)]
pub struct Export {
    lines: Arc<Mutex<fieldpost::Export>>,
}

#[uniffi::export]
impl Client {
    /// Exports what this device has of a conversation.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn export(&self, conversation: ConversationId, format: ExportFormat) -> Result<Arc<Export>> {
        self.run(|client| async move {
            let export = client.conversation(conversation).export(format.into()).await?;
            Ok(Arc::new(Export { lines: Arc::new(Mutex::new(export)) }))
        })
        .await
    }
}

#[uniffi::export]
impl Export {
    /// The next lines, at most so many; empty after the last.
    ///
    /// # Errors
    /// If the store fails, or the conversation has left the device.
    #[uniffi::method(default(limit = 500))]
    pub async fn next_lines(&self, limit: u32) -> Result<Vec<String>> {
        let export = Arc::clone(&self.lines);
        runtime::run(async move {
            let mut export = export.lock().await;
            let mut lines = Vec::new();
            while lines.len() < limit as usize {
                match export.next_line().await? {
                    Some(line) => lines.push(line),
                    None => break,
                }
            }
            Ok(lines)
        })
        .await
    }
}

impl From<ExportFormat> for fieldpost::ExportFormat {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::JsonLines => Self::JsonLines,
            ExportFormat::Text => Self::Text,
        }
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").finish_non_exhaustive()
    }
}
