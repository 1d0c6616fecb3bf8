//! The repair phase: parts of threads that are missing.

use super::{Effect, Pass, follow::is_oversized};
use fieldpost_domain::{Changes, ConversationId, HistoryPage, Seq, SeqRange, ServerLimits, UnreadableRow};
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
    asked: HashSet<(ConversationId, Option<Seq>)>,
    current: Option<MissingRange>,
    pages: u32,
    /// How many messages a page has, once a whole one was too large.
    reduced: Option<u32>,
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
        self.history(range)
    }

    fn history(&self, range: MissingRange) -> Effect {
        Effect::History(HistoryRequest {
            conversation_id: range.conversation_id,
            before: range.before,
            limit: Some(self.repair.reduced.unwrap_or(PAGE_MESSAGES)),
        })
    }

    /// A page that is too large is asked for again by half. A single message that is too large is passed over: what is missing of
    /// the thread is known, so that nobody asks for it for ever, and it is kept in mind as a row that cannot be read.
    fn on_oversized_history(&mut self, range: MissingRange) -> Effect {
        let asked = self.repair.reduced.unwrap_or(PAGE_MESSAGES);
        self.repair.reduced = Some((asked / 2).max(1));
        if asked > 1 {
            return self.history(range);
        }
        self.report.oversized += 1;
        Effect::ApplyHistory(Box::new(passed_over(range.conversation_id, range.newest, self.memory.limits)))
    }

    pub(super) fn on_history(&mut self, answer: RemoteResult<HistoryPage>) -> Effect {
        if self.repeats(&answer)
            && let Some(range) = self.repair.current
        {
            return self.history(range);
        }
        match answer {
            Ok(page) => {
                self.repair.reduced = self.repair.reduced.map(|rows| rows * 2).filter(|rows| *rows < PAGE_MESSAGES);
                Effect::ApplyHistory(Box::new(page))
            }
            // Sight of it was lost meanwhile; the next pull says so.
            Err(error) if error.kind() == RemoteErrorKind::NotFound => self.fetch_missing(),
            Err(error) => match self.repair.current.filter(|_| is_oversized(&error)) {
                Some(range) => self.on_oversized_history(range),
                None => self.fail(error),
            },
        }
    }

    pub(super) fn on_history_applied(&mut self, report: &ApplyReport) -> Effect {
        self.report.add_page(report);
        self.report.repaired += 1;
        self.fetch_missing()
    }
}

/// A page of history in the place of one that is too large to be had, of a single message.
pub(crate) fn passed_over(conversation_id: ConversationId, seq: Seq, limits: ServerLimits) -> HistoryPage {
    let row = UnreadableRow {
        list: "messages".to_owned(),
        payload: format!("{{\"conversation_id\":\"{conversation_id}\",\"seq\":{seq}}}"),
        reason: "too large for the way from the server".to_owned(),
    };
    HistoryPage {
        conversation_id,
        conversation: None,
        changes: Changes { unreadable: vec![row], ..Changes::default() },
        range: SeqRange { from: seq, to: seq },
        complete: seq <= Seq::new(1),
        limits,
    }
}
