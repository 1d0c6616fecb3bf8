//! The next page of a first load, fetched while the one before it is applied.
//!
//! Server and device then work at the same time. What came ahead is an answer like any other: it waits here until the machine
//! asks for it, and if the machine asks for something else, nobody has asked for it. Bootstraps are read-only on the server,
//! so that costs nothing but the way.

use super::Engine;
use crate::{
    SyncError,
    machine::{Event, Outcome},
};
use fieldpost_remote::{BootstrapRequest, RemoteErrorKind};
use fieldpost_storage::{ApplyReport, StorageResult};
use std::future::Future;

/// An answer that came before it was asked for.
#[derive(Default)]
pub(super) struct Prefetch(Option<(BootstrapRequest, Event)>);

impl Prefetch {
    /// The end of the pass. If the store has ended it before the machine asked, what the server said of when to come back
    /// still counts.
    pub(super) fn heard_at_the_end(self, mut outcome: Outcome) -> Outcome {
        if let (Some((_, Event::Bootstrapped(Err(answer)))), Some(SyncError::Storage(_))) = (self.0, &outcome.error)
            && answer.kind() == RemoteErrorKind::RateLimited
        {
            outcome.error = Some(answer.into());
        }
        outcome
    }

    /// The answer to this request, if it is here.
    fn take(&mut self, request: &BootstrapRequest) -> Option<Event> {
        self.0.take().filter(|(asked, _)| asked == request).map(|(_, answer)| answer)
    }
}

impl Engine {
    pub(super) async fn bootstrap(&self, request: BootstrapRequest, prefetch: &mut Prefetch) -> Event {
        match prefetch.take(&request) {
            Some(answer) => answer,
            None => self.call_bootstrap(request).await,
        }
    }

    /// Applies a page and fetches the next one. A page that cannot be applied does not wait for the other.
    pub(super) async fn apply_and_fetch(
        &self,
        apply: impl Future<Output = StorageResult<ApplyReport>>,
        next: Option<BootstrapRequest>,
        prefetch: &mut Prefetch,
    ) -> Event {
        let fetch = async {
            match next {
                Some(request) => Ok(Some((request.clone(), self.call_bootstrap(request).await))),
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
