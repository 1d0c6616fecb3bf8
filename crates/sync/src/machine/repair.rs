//! The repair phase: fetches missing parts of threads.

use super::{Effect, Pass, follow::is_oversized};
use fieldpost_domain::{Changes, ConversationId, HistoryPage, Seq, SeqRange, ServerLimits, UnreadableRow};
use fieldpost_remote::{HistoryRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{ApplyReport, MissingRange, SyncState};
use std::collections::HashSet;

/// How many missing parts to read at once.
const BATCH: u32 = 50;
/// How many pages of history one pass fetches; the next pass fetches the rest.
const PAGES: u32 = 200;
/// How many messages to request per page.
const PAGE_MESSAGES: u32 = 100;

/// The state of the repair phase.
#[derive(Debug, Default)]
pub(super) struct Repair {
    waiting: Vec<MissingRange>,
    /// What this pass has requested. The same request would bring the same page.
    requested: HashSet<(ConversationId, Option<Seq>)>,
    current: Option<MissingRange>,
    pages: u32,
    /// The page size, once a full page was too large.
    reduced: Option<u32>,
}

impl Pass {
    #[expect(clippy::unused_self, reason = "reads like the other steps of a pass")]
    pub(super) const fn read_missing(&mut self) -> Effect {
        Effect::ReadMissing { limit: BATCH }
    }

    pub(super) fn on_missing(&mut self, mut ranges: Vec<MissingRange>) -> Effect {
        ranges.retain(|range| !self.repair.requested.contains(&(range.conversation_id, range.before)));
        // The store lists the newest activity first; `pop` takes from the end.
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
        self.repair.requested.insert((range.conversation_id, range.before));
        self.repair.current = Some(range);
        self.history(range)
    }

    fn history(&self, range: MissingRange) -> Effect {
        Effect::History(HistoryRequest {
            conversation_id: range.conversation_id,
            before: range.before,
            limit: Some(self.history_rows()),
            bytes: self.page_bytes(),
        })
    }

    fn history_rows(&self) -> u32 {
        let rows = self.repair.reduced.unwrap_or(PAGE_MESSAGES);
        self.page_limit().map_or(rows, |fit| rows.min(fit))
    }

    /// How many messages and bytes of a thread to request outside of a pass, by what passes have learned.
    pub(crate) fn older_page(state: &SyncState) -> (u32, Option<u32>) {
        let mut pass = Self { memory: state.memory.clone(), ..Self::new() };
        pass.know_server(state.server.as_ref());
        (pass.history_rows(), pass.page_bytes())
    }

    /// Requests a page that is too large again at half the size. A single message that is too large is recorded as an
    /// unreadable row, so that it is not requested again and again.
    fn on_oversized_history(&mut self, range: MissingRange) -> Effect {
        let size = self.history_rows();
        self.repair.reduced = Some((size / 2).max(1));
        if size > 1 {
            return self.history(range);
        }
        self.report.oversized += 1;
        Effect::ApplyHistory(Box::new(placeholder_page(range.conversation_id, range.newest, self.memory.limits)))
    }

    /// Whether to request the page again in this pass, now that it is smaller.
    fn may_get_less_history(&mut self, error: &RemoteError) -> bool {
        match error.kind() {
            RemoteErrorKind::StatementTimeout => {
                let rows = self.history_rows();
                self.repair.reduced = Some((rows / 2).max(1));
                rows > 1
            }
            RemoteErrorKind::TimedOut => {
                self.page_was_cut_off();
                self.retries_slow_page()
            }
            _ => false,
        }
    }

    pub(super) fn on_history(&mut self, answer: RemoteResult<HistoryPage>) -> Effect {
        if self.repeats(&answer)
            && let Some(range) = self.repair.current
        {
            self.page_was_cut_off();
            return self.history(range);
        }
        match answer {
            Ok(page) => {
                self.measure_down(page.transfer, page.changes.len());
                self.repair.reduced = self.repair.reduced.map(|rows| rows * 2).filter(|rows| *rows < PAGE_MESSAGES);
                Effect::ApplyHistory(Box::new(page))
            }
            // The conversation is not visible any more; the next pull says so.
            Err(error) if error.kind() == RemoteErrorKind::NotFound => self.fetch_missing(),
            Err(error) => match { self.repair.current } {
                Some(range) if is_oversized(&error) => self.on_oversized_history(range),
                Some(range) if self.may_get_less_history(&error) => self.history(range),
                _ => self.fail(error),
            },
        }
    }

    pub(super) fn on_history_applied(&mut self, report: &ApplyReport) -> Effect {
        self.report.add_page(report);
        self.report.repaired += 1;
        self.fetch_missing()
    }
}

/// A page that replaces a single message which is too large: it covers the seq and holds an unreadable row.
pub(crate) fn placeholder_page(conversation_id: ConversationId, seq: Seq, limits: ServerLimits) -> HistoryPage {
    let row = UnreadableRow {
        list: "messages".to_owned(),
        payload: format!("{{\"conversation_id\":\"{conversation_id}\",\"seq\":{seq}}}"),
        reason: "too large to be transferred".to_owned(),
    };
    HistoryPage {
        transfer: fieldpost_domain::Transfer::default(),
        conversation_id,
        conversation: None,
        changes: Changes { unreadable: vec![row], ..Changes::default() },
        range: SeqRange { from: seq, to: seq },
        complete: seq <= Seq::new(1),
        limits,
    }
}
