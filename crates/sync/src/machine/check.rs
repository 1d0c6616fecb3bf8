//! The check: a look at a part of a thread that should be the same here and on the server.
//!
//! Nothing should ever differ there: pulls bring every change. But a bug, here or in somebody's trigger, may have lost one,
//! and then nothing would ever tell. So now and then a pass fetches the newest part of what is here of one conversation, each
//! in its turn. Applying that repairs what differs, in content too where the version is the same, and the report says how often
//! there was something to repair. After the last conversation the fingerprint of all of them is worked out anew.

use super::{Effect, Pass};
use fieldpost_domain::{Changes, HistoryPage};
use fieldpost_remote::{
    HistoryRequest,
    RemoteErrorKind::{NotFound, Oversized, TooLarge},
    RemoteResult,
};
use fieldpost_storage::{ApplyReport, Checkable};

/// How many messages are looked at. What differs further up is found by other means: seqs have no holes.
const MESSAGES: u32 = 20;

/// What the check remembers.
#[derive(Debug, Default)]
pub(super) struct Check {
    wanted: bool,
    current: Option<Checkable>,
    /// The page that is being applied is not longer than what was here.
    within: bool,
}

impl Pass {
    /// Looks at one conversation when everything else is done.
    #[must_use]
    pub const fn checking(mut self, wanted: bool) -> Self {
        self.check.wanted = wanted;
        self
    }

    /// Everything that is known to be missing is here.
    pub(super) fn after_repair(&mut self) -> Effect {
        if self.check.wanted {
            self.check.wanted = false;
            return Effect::NextCheck { after: self.memory.checked };
        }
        self.end_well()
    }

    pub(super) fn on_checkable(&mut self, checkable: Option<Checkable>) -> Effect {
        // After the last one it begins again with the first.
        self.memory.checked = checkable.map(|checkable| checkable.conversation_id);
        self.check.current = checkable;
        // With each round, what is kept of all of them is looked at too.
        checkable.map_or(Effect::CheckDigest, |checkable| Effect::Check(request(checkable)))
    }

    pub(super) fn on_checked(&mut self, answer: RemoteResult<HistoryPage>) -> Effect {
        let repeat = self.repeats(&answer);
        let Some(checkable) = self.check.current else { return self.end_well() };
        if repeat {
            return Effect::Check(request(checkable));
        }
        match answer {
            Ok(page) => {
                self.check.within = page.range.from >= checkable.range.from;
                // The messages alone: what else has changed since the pull is for the next one to tell.
                let messages = Changes {
                    messages: page.changes.messages,
                    unreadable: page.changes.unreadable,
                    ..Changes::default()
                };
                Effect::ApplyCheck(Box::new(HistoryPage { conversation: None, changes: messages, ..page }))
            }
            // Out of sight, or too large to be looked at from here.
            Err(error) if matches!(error.kind(), NotFound | Oversized | TooLarge) => self.end_well(),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn on_check_applied(&mut self, applied: &ApplyReport) -> Effect {
        self.report.checked += 1;
        self.report.diverged += u64::from(self.check.within && applied.applied > 0);
        self.end_well()
    }
}

impl Pass {
    pub(super) fn on_digest_checked(&mut self, right: bool) -> Effect {
        self.report.diverged += u64::from(!right);
        self.end_well()
    }
}

const fn request(checkable: Checkable) -> HistoryRequest {
    HistoryRequest {
        conversation_id: checkable.conversation_id,
        before: Some(checkable.range.to.next()),
        limit: Some(MESSAGES),
    }
}
