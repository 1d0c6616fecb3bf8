//! Exporting a conversation.

use crate::{Client, FieldpostError, Result, runtime};
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
    exporting: Arc<Mutex<Exporting>>,
}

struct Exporting {
    export: fieldpost::Export,
    /// Lines that were read and not fetched: whoever asked for them has given up.
    ready: Vec<String>,
    ended: bool,
}

/// How many lines a call gets at most, whatever it asks for.
const LINES: u32 = 10_000;

#[uniffi::export]
impl Client {
    /// Exports what this device has of a conversation.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`].
    pub async fn export(&self, conversation: ConversationId, format: ExportFormat) -> Result<Arc<Export>> {
        self.run(|client| async move {
            let export = client.conversation(conversation).export(format.into()).await?;
            let exporting = Exporting { export, ready: Vec::new(), ended: false };
            Ok(Arc::new(Export { exporting: Arc::new(Mutex::new(exporting)) }))
        })
        .await
    }
}

#[uniffi::export]
impl Export {
    /// The next lines, at most so many and at most 10,000; empty after the last. A call that is given up takes none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for no lines at all; if the store fails, or the conversation has left the device.
    #[uniffi::method(default(limit = 500))]
    pub async fn next_lines(&self, limit: u32) -> Result<Vec<String>> {
        if limit == 0 {
            return Err(FieldpostError::argument("ask for one line at least"));
        }
        let limit = limit.min(LINES) as usize;
        loop {
            let exporting = Arc::clone(&self.exporting);
            runtime::run(async move { exporting.lock().await.read(limit).await }).await?;
            let mut exporting = self.exporting.lock().await;
            let lines = exporting.take(limit);
            // Another call may have fetched what this one has read.
            if exporting.ended || !lines.is_empty() {
                return Ok(lines);
            }
        }
    }
}

impl Exporting {
    async fn read(&mut self, limit: usize) -> Result<()> {
        while !self.ended && self.ready.len() < limit {
            match self.export.next_line().await? {
                Some(line) => self.ready.push(line),
                None => self.ended = true,
            }
        }
        Ok(())
    }

    fn take(&mut self, limit: usize) -> Vec<String> {
        self.ready.drain(..limit.min(self.ready.len())).collect()
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
