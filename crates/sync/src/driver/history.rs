//! Fetches older messages when a person scrolls up. This does not wait for a running pass.

use super::Engine;
use crate::{
    SyncError,
    machine::{Pass, repair::placeholder_page},
};
use fieldpost_domain::{ConversationId, HistoryPage, Seq, ServerLimits};
use fieldpost_remote::{HistoryRequest, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, StorageErrorKind, SyncPosition, SyncState};

/// How often to request a page when a bootstrap began in between.
const ATTEMPTS: u32 = 3;

/// A page that took too long is requested again with this many times fewer messages: somebody is waiting.
const SLOW_DIVISOR: u32 = 4;

impl Engine {
    /// Fetches one page of older messages of a thread. If a bootstrap begins meanwhile, the page is out of date and is
    /// requested again. So is a page with a hole, if a pull is applied meanwhile: the pull may have brought the message
    /// that the page says is hidden or gone.
    ///
    /// # Errors
    /// Those of the call and the store.
    pub async fn load_older(&self, conversation_id: ConversationId, before: Seq) -> Result<ApplyReport, SyncError> {
        let mut attempt = 1;
        loop {
            let state = self.replica.sync_state().await?;
            let page = self.fetch_older(&state, conversation_id, before).await?;
            if attempt < ATTEMPTS && has_holes(&page) && self.has_pulled_since(&state).await? {
                attempt += 1;
                continue;
            }
            match self.replica.apply_history(state.generation, page).await {
                Err(error) if error.kind() == StorageErrorKind::Superseded && attempt < ATTEMPTS => attempt += 1,
                applied => return Ok(applied?),
            }
        }
    }

    async fn has_pulled_since(&self, before: &SyncState) -> Result<bool, SyncError> {
        let now = self.replica.sync_state().await?;
        let follows = |state: &SyncState| matches!(state.position, SyncPosition::Following(_));
        Ok(follows(before) && follows(&now) && before.position != now.position)
    }

    /// Requests a page of the size that passes have learned, and makes it smaller while it is too large or takes too
    /// long. A single message that is too large is recorded as unreadable.
    async fn fetch_older(
        &self,
        state: &SyncState,
        conversation_id: ConversationId,
        before: Seq,
    ) -> Result<HistoryPage, SyncError> {
        let (mut limit, bytes) = Pass::older_page(state);
        loop {
            let request = HistoryRequest { conversation_id, before: Some(before), limit: Some(limit), bytes };
            match self.call("history", |token| async move { self.api.history(&token, request).await }).await? {
                Err(error) if matches!(error.kind(), RemoteErrorKind::Oversized | RemoteErrorKind::TooLarge) => {
                    if limit == 1 {
                        return Ok(placeholder_page(conversation_id, before.previous(), ServerLimits::default()));
                    }
                    limit /= 2;
                }
                Err(error) if error.kind() == RemoteErrorKind::StatementTimeout && limit > 1 => limit /= 2,
                Err(error) if error.kind() == RemoteErrorKind::TimedOut && limit > 1 => {
                    limit = (limit / SLOW_DIVISOR).max(1);
                }
                page => return Ok(page?),
            }
        }
    }
}

/// Whether the page covers a seq that it has no row of.
fn has_holes(page: &HistoryPage) -> bool {
    let rows = page.changes.messages.len() + page.changes.tombstones.len() + page.changes.unreadable.len();
    let covered = (page.range.to.get() + 1).saturating_sub(page.range.from.get());
    (rows as u64) < covered
}
