//! Pushes after which nothing is left to pull.
//!
//! A device that is up to date sends its cursor along. If nothing that the person may see has changed since, but for what the
//! results hold, the server says so and names the cursor after that: the answer is quiet. The results and the new position
//! are stored in one write, and the pass ends without a pull. So a message that somebody sends while nothing else happens
//! costs one request.
//!
//! What must stay true:
//!
//! * A cursor is sent only if the device has everything up to it: it follows, no run of pages is open, and no bootstrap is due.
//! * Of several batches each must be quiet, each from the cursor of the one before. After one that is not, or that fails, the
//!   pass pulls as ever.
//! * A pass of the timer pulls. So the digest is compared at least that often, and the server's capabilities are read.
//! * What is pushed while a pass follows sends no cursor: the position is about to move.

use super::{Effect, Pass};
use fieldpost_domain::{Acknowledgement, Capability, Cursor, Intent, PushOutcome, PushResult};
use fieldpost_storage::{SyncPosition, SyncState};

/// Whether the pass may end without a pull.
#[derive(Debug, Default)]
pub(super) enum Quiet {
    /// It pulls.
    #[default]
    No,
    /// Everything up to this cursor is here. Nothing was pushed from it yet.
    From(Cursor),
    /// A quiet answer has led to this cursor, and is being stored.
    Storing(Cursor),
    /// Everything that the pass has pushed was quiet, up to this cursor.
    UpTo(Cursor),
}

impl Quiet {
    /// The cursor to send with the next batch.
    pub(super) const fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::From(cursor) | Self::UpTo(cursor) => Some(cursor),
            Self::No | Self::Storing(_) => None,
        }
    }

    /// Results were recorded, and the position moved with them or not.
    pub(super) fn settled(&mut self, moved: bool) {
        *self = match std::mem::take(self) {
            Self::Storing(cursor) if moved => Self::UpTo(cursor),
            _ => Self::No,
        };
    }
}

impl Pass {
    pub(super) fn may_be_quiet(&mut self, state: &SyncState) {
        let speaks = state.server.as_ref().is_some_and(|server| server.capabilities.contains(&Capability::QuietPush));
        if let SyncPosition::Following(cursor) = &state.position
            && speaks
            && !state.run_open
            && !self.is_periodic()
            && !self.has_new_capabilities()
        {
            self.know_server(state.server.as_ref());
            self.quiet = Quiet::From(cursor.clone());
        }
    }

    /// Records the results of the batch in flight.
    pub(super) fn settle(&mut self, results: Vec<PushResult>, quiet: Option<Cursor>) -> Effect {
        let from = self.quiet.cursor().cloned();
        self.quiet = Quiet::No;
        let (Some(from), Some(to)) = (from, quiet) else { return Effect::Settle(results) };
        if !self.have_rows(&results) {
            return Effect::Settle(results);
        }
        self.quiet = Quiet::Storing(to.clone());
        Effect::SettleQuiet { results, from, to }
    }

    /// Whether each result has what it is to bring. One whose row could not be read has not, and a pull brings the row.
    fn have_rows(&self, results: &[PushResult]) -> bool {
        let has_row = |(intent, result): (&Intent, &PushResult)| match &result.outcome {
            PushOutcome::Acknowledged(Acknowledgement::Bare) => matches!(intent, Intent::ReportMessage(_)),
            PushOutcome::Acknowledged(_) => true,
            PushOutcome::Rejected(_) | PushOutcome::Retry(_) => false,
        };
        self.push.batch().iter().map(|mutation| &mutation.intent).zip(results).all(has_row)
    }

    /// Nothing is left to push: the follow phase begins, or what comes after it.
    pub(super) fn after_push(&mut self) -> Effect {
        match std::mem::take(&mut self.quiet) {
            Quiet::UpTo(_) => {
                self.push.clear_batch();
                self.read_missing()
            }
            _ => Effect::ReadState,
        }
    }
}
