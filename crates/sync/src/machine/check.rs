//! The check: compares a part of a thread with the server.
//!
//! There should never be a difference, because pulls bring every change. But a bug, here or in a trigger of the
//! project, may lose a change, and nothing else would show that. So each pass of the timer fetches the newest stored
//! part of one conversation, in turn. Applying the page repairs what differs, even content of the same version, and the
//! report counts the differences. After the last conversation, the digest of all of them is recomputed.

use super::{Effect, Pass};
use fieldpost_domain::{Changes, HistoryPage};
use fieldpost_remote::{
    HistoryRequest,
    RemoteErrorKind::{NotFound, Oversized, StatementTimeout, TooLarge},
    RemoteResult,
};
use fieldpost_storage::{ApplyReport, Checkable};

/// How many messages are compared. Missing messages further up are found without this, because seqs have no holes.
const MESSAGES: u32 = 20;

/// The state of the check.
#[derive(Debug, Default)]
pub(super) struct Check {
    wanted: bool,
    current: Option<Checkable>,
    /// The fetched page lies within the range that was stored.
    within_range: bool,
}

impl Pass {
    /// Also checks one conversation after everything else, if `wanted`.
    #[must_use]
    pub const fn checking(mut self, wanted: bool) -> Self {
        self.check.wanted = wanted;
        self
    }

    /// Whether it is a pass of the timer.
    pub(super) const fn is_periodic(&self) -> bool {
        self.check.wanted
    }

    /// The repair is complete.
    pub(super) fn after_repair(&mut self) -> Effect {
        if self.check.wanted {
            self.check.wanted = false;
            return Effect::NextCheck { after: self.memory.checked };
        }
        self.end_well()
    }

    pub(super) fn on_checkable(&mut self, checkable: Option<Checkable>) -> Effect {
        // After the last conversation, the next round starts with the first.
        self.memory.checked = checkable.map(|checkable| checkable.conversation_id);
        self.check.current = checkable;
        // Each round ends with the digest.
        checkable.map_or(Effect::CheckDigest, |checkable| self.check_page(checkable))
    }

    fn check_page(&self, checkable: Checkable) -> Effect {
        Effect::Check(HistoryRequest {
            conversation_id: checkable.conversation_id,
            before: Some(checkable.range.to.next()),
            limit: Some(self.page_limit().map_or(MESSAGES, |fit| fit.min(MESSAGES))),
            bytes: self.page_bytes(),
        })
    }

    pub(super) fn on_checked(&mut self, answer: RemoteResult<HistoryPage>) -> Effect {
        let repeat = self.repeats(&answer);
        let Some(checkable) = self.check.current else { return self.end_well() };
        if repeat {
            return self.check_page(checkable);
        }
        match answer {
            Ok(page) => {
                self.check.within_range = page.range.from >= checkable.range.from;
                // Only the messages and their reactions: the next pull brings everything else. A reaction belongs to its
                // message: of one that was not stored, no pull brings the reactions that it has already.
                let messages = Changes {
                    messages: page.changes.messages,
                    reactions: page.changes.reactions,
                    unreadable: page.changes.unreadable,
                    ..Changes::default()
                };
                Effect::ApplyCheck(Box::new(HistoryPage { conversation: None, changes: messages, ..page }))
            }
            // Not visible any more, or too large to be fetched.
            Err(error) if matches!(error.kind(), NotFound | Oversized | StatementTimeout | TooLarge) => self.end_well(),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn on_check_applied(&mut self, applied: &ApplyReport) -> Effect {
        self.report.checked += 1;
        self.report.diverged += u64::from(self.check.within_range && applied.applied > 0);
        self.end_well()
    }
}

impl Pass {
    pub(super) fn on_digest_checked(&mut self, right: bool) -> Effect {
        self.report.diverged += u64::from(!right);
        self.end_well()
    }
}
