//! Older messages, when a person scrolls up. Runs beside passes: nobody waits for a pass to see yesterday's messages.

use super::Engine;
use crate::{SyncError, machine::repair::passed_over};
use fieldpost_domain::{ConversationId, HistoryPage, Seq, ServerLimits};
use fieldpost_remote::{HistoryRequest, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, StorageErrorKind};

/// How often a page is asked for because a bootstrap came between.
const ATTEMPTS: u32 = 3;

/// How many messages a page has.
const PAGE_MESSAGES: u32 = 100;

impl Engine {
    /// Fetches one page of older messages of a thread. A page that was on its way while a bootstrap began is out of date and
    /// asked for anew.
    ///
    /// # Errors
    /// As the call and the store.
    pub async fn load_older(&self, conversation_id: ConversationId, before: Seq) -> Result<ApplyReport, SyncError> {
        let mut attempt = 1;
        loop {
            let generation = self.replica.sync_state().await?.generation;
            let page = self.older(conversation_id, before).await?;
            match self.replica.apply_history(generation, page).await {
                Err(error) if error.kind() == StorageErrorKind::Superseded && attempt < ATTEMPTS => attempt += 1,
                applied => return Ok(applied?),
            }
        }
    }

    /// A page, by half as long as it is too large. A single message that is too large is passed over.
    async fn older(&self, conversation_id: ConversationId, before: Seq) -> Result<HistoryPage, SyncError> {
        let mut limit = PAGE_MESSAGES;
        loop {
            let request = HistoryRequest { conversation_id, before: Some(before), limit: Some(limit) };
            match self.call("history", |token| async move { self.api.history(&token, request).await }).await? {
                Err(error) if matches!(error.kind(), RemoteErrorKind::Oversized | RemoteErrorKind::TooLarge) => {
                    if limit == 1 {
                        return Ok(passed_over(conversation_id, before.previous(), ServerLimits::default()));
                    }
                    limit /= 2;
                }
                page => return Ok(page?),
            }
        }
    }
}
