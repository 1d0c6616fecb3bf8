//! Fetches older messages when a person scrolls up. This does not wait for a running pass.

use super::Engine;
use crate::{SyncError, machine::repair::placeholder_page};
use fieldpost_domain::{ConversationId, HistoryPage, Seq, ServerLimits};
use fieldpost_remote::{HistoryRequest, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, StorageErrorKind};

/// How often to request a page when a bootstrap began in between.
const ATTEMPTS: u32 = 3;

/// How many messages to request per page.
const PAGE_MESSAGES: u32 = 100;

impl Engine {
    /// Fetches one page of older messages of a thread. If a bootstrap begins meanwhile, the page is out of date and is
    /// requested again.
    ///
    /// # Errors
    /// Those of the call and the store.
    pub async fn load_older(&self, conversation_id: ConversationId, before: Seq) -> Result<ApplyReport, SyncError> {
        let mut attempt = 1;
        loop {
            let generation = self.replica.sync_state().await?.generation;
            let page = self.fetch_older(conversation_id, before).await?;
            match self.replica.apply_history(generation, page).await {
                Err(error) if error.kind() == StorageErrorKind::Superseded && attempt < ATTEMPTS => attempt += 1,
                applied => return Ok(applied?),
            }
        }
    }

    /// Requests a page, and halves it while it is too large. A single message that is too large is recorded as
    /// unreadable.
    async fn fetch_older(&self, conversation_id: ConversationId, before: Seq) -> Result<HistoryPage, SyncError> {
        let mut limit = PAGE_MESSAGES;
        loop {
            let request = HistoryRequest { conversation_id, before: Some(before), limit: Some(limit), bytes: None };
            match self.call("history", |token| async move { self.api.history(&token, request).await }).await? {
                Err(error) if matches!(error.kind(), RemoteErrorKind::Oversized | RemoteErrorKind::TooLarge) => {
                    if limit == 1 {
                        return Ok(placeholder_page(conversation_id, before.previous(), ServerLimits::default()));
                    }
                    limit /= 2;
                }
                page => return Ok(page?),
            }
        }
    }
}
