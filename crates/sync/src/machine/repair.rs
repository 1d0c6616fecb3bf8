//! The repair phase: fetches missing parts of threads.
//!
//! The store knows which parts are missing. Beside that, a bootstrap page that is cut short for a slow line brings only the
//! newest messages of a long conversation. The pass fetches the rest of its recent messages here, so that a slow line costs
//! time and nothing else. If the pass ends before that, they are history like all older ones, and come when somebody
//! scrolls there.

use super::{Effect, Pass, follow::is_oversized};
use fieldpost_domain::{
    BootstrapPage, Changes, ConversationId, HistoryPage, Seq, SeqRange, ServerLimits, UnreadableRow,
};
use fieldpost_remote::{HistoryRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{ApplyReport, MissingRange, SyncState};
use std::collections::{HashMap, HashSet};

/// How many missing parts to read at once.
const BATCH: u32 = 50;
/// How many pages of history one pass fetches; the next pass fetches the rest.
const PAGES: u32 = 200;
/// How many messages to request per page.
const PAGE_MESSAGES: u32 = 100;

/// The state of the repair phase.
#[derive(Debug, Default)]
pub(super) struct Repair {
    waiting: Vec<Gap>,
    /// Conversations of which a small page has brought too few messages.
    short: Vec<Gap>,
    /// What this pass has requested. The same request would bring the same page.
    requested: HashSet<(ConversationId, Option<Seq>)>,
    current: Option<Gap>,
    pages: u32,
    /// The page size, once a full page was too large.
    reduced: Option<u32>,
}

/// A part of a thread to fetch.
#[derive(Debug, Clone, Copy)]
struct Gap {
    range: MissingRange,
    /// How many messages to request at most.
    rows: u32,
    /// Fetch the rest too if the page brings less; the store does not list it.
    is_short: bool,
}

impl Pass {
    #[expect(clippy::unused_self, reason = "reads like the other steps of a pass")]
    pub(super) const fn read_missing(&mut self) -> Effect {
        Effect::ReadMissing { limit: BATCH }
    }

    /// Notes the conversations of a page for a slow line that came with fewer messages than a full page brings.
    pub(super) fn note_short_threads(&mut self, page: &BootstrapPage) {
        if self.page_bytes().is_none() && self.page_limit().is_none() {
            return;
        }
        let mut came: HashMap<ConversationId, (u32, Seq)> = HashMap::new();
        for message in &page.changes.messages {
            let (count, lowest) = came.entry(message.conversation_id).or_insert((0, message.seq));
            *count += 1;
            *lowest = message.seq.min(*lowest);
        }
        // In the order of the page: the newest activity first, and the same in every run.
        let gaps = page.changes.conversations.iter().filter_map(|conversation| {
            let (count, lowest) = *came.get(&conversation.id)?;
            (count < PAGE_MESSAGES && lowest > Seq::new(1)).then(|| Gap {
                range: MissingRange {
                    conversation_id: conversation.id,
                    before: Some(lowest),
                    newest: lowest.previous(),
                },
                rows: PAGE_MESSAGES - count,
                is_short: true,
            })
        });
        self.repair.short.extend(gaps);
    }

    pub(super) fn on_missing(&mut self, ranges: Vec<MissingRange>) -> Effect {
        let missing = ranges.into_iter().map(|range| Gap { range, rows: PAGE_MESSAGES, is_short: false });
        let short = std::mem::take(&mut self.repair.short);
        let mut gaps: Vec<Gap> = missing.chain(short).collect();
        gaps.retain(|Gap { range, .. }| !self.repair.requested.contains(&(range.conversation_id, range.before)));
        // The store lists the newest activity first; `pop` takes from the end.
        gaps.reverse();
        self.repair.waiting = gaps;
        if self.repair.waiting.is_empty() { self.after_repair() } else { self.fetch_missing() }
    }

    fn fetch_missing(&mut self) -> Effect {
        if self.repair.pages >= PAGES {
            return self.after_repair();
        }
        let Some(gap) = self.repair.waiting.pop() else {
            return self.read_missing();
        };
        self.repair.pages += 1;
        self.repair.requested.insert((gap.range.conversation_id, gap.range.before));
        self.repair.current = Some(gap);
        self.history(gap)
    }

    fn history(&self, gap: Gap) -> Effect {
        Effect::History(HistoryRequest {
            conversation_id: gap.range.conversation_id,
            before: gap.range.before,
            limit: Some(self.rows_for(gap)),
            bytes: self.page_bytes(),
        })
    }

    fn rows_for(&self, gap: Gap) -> u32 {
        self.history_rows().min(gap.rows)
    }

    /// Fetches what a page has left of a conversation that came with too few messages.
    fn note_rest(&mut self, page: &HistoryPage) {
        let Some(gap) = self.repair.current.filter(|gap| gap.is_short && !page.complete) else { return };
        let came = u32::try_from(page.changes.messages.len() + page.changes.tombstones.len()).unwrap_or(u32::MAX);
        let rows = gap.rows.saturating_sub(came.max(1));
        if rows > 0 {
            let from = page.range.from;
            let range = MissingRange { before: Some(from), newest: from.previous(), ..gap.range };
            self.repair.waiting.push(Gap { range, rows, ..gap });
        }
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
    fn on_oversized_history(&mut self, gap: Gap) -> Effect {
        let size = self.rows_for(gap);
        self.repair.reduced = Some((size / 2).max(1));
        if size > 1 {
            return self.history(gap);
        }
        self.report.oversized += 1;
        Effect::ApplyHistory(Box::new(placeholder_page(
            gap.range.conversation_id,
            gap.range.newest,
            self.memory.limits,
        )))
    }

    /// Whether to request the page again in this pass, now that it is smaller.
    fn may_get_less_history(&mut self, gap: Gap, error: &RemoteError) -> bool {
        match error.kind() {
            RemoteErrorKind::StatementTimeout => {
                let rows = self.rows_for(gap);
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
            && let Some(gap) = self.repair.current
        {
            self.page_was_cut_off();
            return self.history(gap);
        }
        match answer {
            Ok(page) => {
                self.measure_down(page.transfer, page.changes.len());
                self.note_rest(&page);
                self.repair.reduced = self.repair.reduced.map(|rows| rows * 2).filter(|rows| *rows < PAGE_MESSAGES);
                Effect::ApplyHistory(Box::new(page))
            }
            // The conversation is not visible any more; the next pull says so.
            Err(error) if error.kind() == RemoteErrorKind::NotFound => self.fetch_missing(),
            Err(error) => self.on_history_error(error),
        }
    }

    fn on_history_error(&mut self, error: RemoteError) -> Effect {
        let Some(gap) = self.repair.current else { return self.fail(error) };
        if is_oversized(&error) {
            return self.on_oversized_history(gap);
        }
        if self.may_get_less_history(gap, &error) { self.history(gap) } else { self.fail(error) }
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
