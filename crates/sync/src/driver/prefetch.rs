//! Fetches the next bootstrap page while the current one is applied.
//!
//! So the server and the device work at the same time. The response is kept until the machine requests that page. If
//! the machine requests something else, the response is dropped; that costs only bandwidth, because a bootstrap changes
//! nothing on the server.

use super::{Engine, meanwhile::SharedPass};
use crate::{
    SyncError,
    machine::{Event, Outcome},
};
use fieldpost_remote::{BootstrapRequest, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, StorageResult};
use std::future::Future;

/// A request and its response, fetched ahead of time.
#[derive(Default)]
pub(super) struct Prefetch(Option<(BootstrapRequest, Event)>);

impl Prefetch {
    /// Adjusts the outcome of the pass: if the store failed and the unused response was "rate limited", the server's
    /// wait still counts.
    pub(super) fn with_prefetched_wait(self, mut outcome: Outcome) -> Outcome {
        if let (Some((_, Event::Bootstrapped(Err(answer)))), Some(SyncError::Storage(_))) = (self.0, &outcome.error)
            && answer.kind() == RemoteErrorKind::RateLimited
        {
            outcome.error = Some(answer.into());
        }
        outcome
    }

    /// The response to this request, if it was prefetched.
    fn take(&mut self, request: &BootstrapRequest) -> Option<Event> {
        self.0.take().filter(|(asked, _)| asked == request).map(|(_, answer)| answer)
    }
}

impl Engine {
    pub(super) async fn bootstrap(
        &self,
        pass: &SharedPass<'_>,
        request: BootstrapRequest,
        prefetch: &mut Prefetch,
    ) -> Event {
        match prefetch.take(&request) {
            Some(answer) => answer,
            None => self.call_bootstrap(pass, request).await,
        }
    }

    /// Applies a page and fetches the next one at the same time. If applying fails, the fetch is dropped.
    pub(super) async fn apply_and_fetch(
        &self,
        pass: &SharedPass<'_>,
        apply: impl Future<Output = StorageResult<ApplyReport>>,
        next: Option<BootstrapRequest>,
        prefetch: &mut Prefetch,
    ) -> Event {
        let fetch = async {
            match next {
                Some(request) => Ok(Some((request.clone(), self.call_bootstrap(pass, request).await))),
                None => Ok(None),
            }
        };
        match tokio::try_join!(apply, fetch) {
            Ok((applied, answer)) => {
                prefetch.0 = answer;
                Event::BootstrapApplied(applied)
            }
            Err(error) => Event::StorageFailed(error),
        }
    }
}
