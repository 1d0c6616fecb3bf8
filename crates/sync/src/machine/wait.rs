//! What a pass does once the server has asked to slow down.
//!
//! Two loops may be calling the server: the pass, and the one that pushes beside it. The wait is for both: whichever was
//! asked, neither makes another call, and the pass ends with that error, so that the schedule waits too.

use super::{Effect, Outcome, Pass};
use crate::SyncError;
use fieldpost_domain::Retry;
use fieldpost_remote::{RemoteError, RemoteErrorKind};

impl Pass {
    /// Remembers that the server has asked to slow down, if that is the error.
    pub(super) fn note_wait(&mut self, error: &SyncError) {
        if matches!(error, SyncError::Remote(error) if error.kind() == RemoteErrorKind::RateLimited) {
            self.told_to_wait = Some(error.clone());
        }
    }

    /// Whether the server has asked to slow down.
    #[must_use]
    pub const fn is_told_to_wait(&self) -> bool {
        self.told_to_wait.is_some()
    }

    /// The answer with which the server has asked to slow down.
    #[must_use]
    pub fn named_wait(&self) -> Option<RemoteError> {
        let Some(SyncError::Remote(told)) = &self.told_to_wait else { return None };
        let error = RemoteError::new(told.kind(), told.operation());
        Some(if let Retry::After(wait) = told.retry() { error.with_retry_after(wait) } else { error })
    }

    /// Ends the pass instead of making another call.
    pub(super) fn heed_wait(&mut self, effect: Effect) -> Effect {
        if let Some(error) = effect.outcome().and_then(|outcome| outcome.error.clone()) {
            self.note_wait(&error);
        }
        let Some(error) = &self.told_to_wait else { return effect };
        match effect {
            Effect::Bootstrap(_) | Effect::Pull(_) | Effect::History(_) | Effect::Check(_) => {
                Effect::Finish(Outcome::failed(error.clone(), self.report))
            }
            // A call that was under way has failed by itself. The schedule has to wait all the same.
            Effect::Finish(outcome) if outcome.error.as_ref().is_some_and(passes_by_itself) => {
                Effect::Finish(Outcome { error: Some(error.clone()), ..outcome })
            }
            Effect::ApplyBootstrap { after, page, .. } => Effect::ApplyBootstrap { after, page, next: None },
            Effect::ApplyFirstScreen { page, .. } => Effect::ApplyFirstScreen { page, next: None },
            other => other,
        }
    }
}

fn passes_by_itself(error: &SyncError) -> bool {
    matches!(error, SyncError::Remote(error) if matches!(error.retry(), Retry::After(_) | Retry::WhenOnline))
}
