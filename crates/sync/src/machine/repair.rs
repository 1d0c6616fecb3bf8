//! The repair phase: parts of threads that are missing.

use super::{Effect, Pass};
use fieldpost_domain::HistoryPage;
use fieldpost_remote::{HistoryRequest, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{ApplyReport, MissingRange};
use std::collections::HashSet;

/// How many missing parts are read at once.
const BATCH: u32 = 50;
/// How many pages of history one pass fetches; what is left waits for the next pass.
const PAGES: u32 = 200;
/// How many messages a page of history has.
const PAGE_MESSAGES: u32 = 100;

/// What the repair phase remembers.
#[derive(Debug, Default)]
pub(super) struct Repair {
    waiting: Vec<MissingRange>,
    /// What was asked for in this pass. Asking again would bring the same.
    asked: HashSet<(fieldpost_domain::ConversationId, Option<fieldpost_domain::Seq>)>,
    current: Option<MissingRange>,
    pages: u32,
}

impl Pass {
    #[expect(clippy::unused_self, reason = "reads like the other steps of a pass")]
    pub(super) const fn read_missing(&mut self) -> Effect {
        Effect::ReadMissing { limit: BATCH }
    }

    pub(super) fn on_missing(&mut self, mut ranges: Vec<MissingRange>) -> Effect {
        ranges.retain(|range| !self.repair.asked.contains(&(range.conversation_id, range.before)));
        // The newest activity is listed first and popped last.
        ranges.reverse();
        self.repair.waiting = ranges;
        if self.repair.waiting.is_empty() { self.after_repair() } else { self.fetch_missing() }
    }

    fn fetch_missing(&mut self) -> Effect {
        if self.repair.pages >= PAGES {
            return self.after_repair();
        }
        let Some(range) = self.repair.waiting.pop() else {
            return self.read_missing();
        };
        self.repair.pages += 1;
        self.repair.asked.insert((range.conversation_id, range.before));
        self.repair.current = Some(range);
        history(range)
    }

    pub(super) fn on_history(&mut self, answer: RemoteResult<HistoryPage>) -> Effect {
        if self.repeats(&answer)
            && let Some(range) = self.repair.current
        {
            return history(range);
        }
        match answer {
            Ok(page) => Effect::ApplyHistory(Box::new(page)),
            // Sight of it was lost meanwhile; the next pull says so.
            Err(error) if error.kind() == RemoteErrorKind::NotFound => self.fetch_missing(),
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn on_history_applied(&mut self, report: &ApplyReport) -> Effect {
        self.report.add_page(report);
        self.report.repaired += 1;
        self.fetch_missing()
    }
}

const fn history(range: MissingRange) -> Effect {
    Effect::History(HistoryRequest {
        conversation_id: range.conversation_id,
        before: range.before,
        limit: Some(PAGE_MESSAGES),
    })
}
