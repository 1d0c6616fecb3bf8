//! Searches the server's history, when a person asks for it. This does not wait for a running pass, and stores nothing.

use super::Engine;
use crate::{SyncError, machine::Pass};
use fieldpost_domain::{Capability, FoundPage};
use fieldpost_remote::SearchRequest;

impl Engine {
    /// Whether the server searches its history, by what it last said.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn server_searches(&self) -> Result<bool, SyncError> {
        let state = self.replica.sync_state().await?;
        Ok(state.server.is_some_and(|server| server.capabilities.contains(&Capability::SearchServer)))
    }

    /// Fetches one page of hits, of the size that passes have learned.
    ///
    /// # Errors
    /// Those of the call and the store.
    pub async fn search_server(&self, request: SearchRequest) -> Result<FoundPage, SyncError> {
        let (_, bytes) = Pass::older_page(&self.replica.sync_state().await?);
        let request = SearchRequest { bytes, ..request };
        let answer = self.call("search", |token| {
            let request = request.clone();
            async move { self.api.search(&token, request).await }
        });
        Ok(answer.await??)
    }
}
