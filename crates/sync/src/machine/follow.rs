//! The follow phase: bootstraps, or pulls from the cursor.

use super::{Effect, Pass, first_screen::FirstScreen, pace::Pace};
use crate::Progress;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{BootstrapPage, Capabilities, Capability, Continuation, ConversationDigest, Cursor, PullPage};
use fieldpost_remote::{
    BootstrapRequest, ExpiredReason, PullRequest, RemoteError, RemoteErrorKind, RemoteResult, client_capabilities,
};
use fieldpost_storage::{ApplyReport, BootstrapReason, SyncMemory, SyncPosition, SyncState};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// How many bootstraps one pass begins because the server says that its position has expired.
const EXPIRY_LIMIT: u32 = 2;

/// How often one pass pulls again because it cannot compare the digest.
const EXTRA_PULL_LIMIT: u32 = 3;

/// How many empty pages may follow each other.
const EMPTY_LIMIT: u32 = 10;

/// The state of the follow phase.
#[derive(Debug, Default)]
pub(super) struct Follow {
    pub(super) progress: Option<Progress>,
    /// The continuation that the current page was requested with.
    after: Option<Continuation>,
    pub(super) first_screen: FirstScreen,
    cursor: Option<Cursor>,
    /// What follows the page that is being applied.
    pub(super) then: Then,
    expiries: u32,
    /// Hashes of the requested positions. A server that returns one of them again would do so forever.
    requested: HashSet<u64>,
    empty_pages: u32,
    run: Run,
    extra_pulls: u32,
    reconciled: bool,
    /// A bootstrap begins that names other capabilities than the one before.
    names_anew: bool,
    /// Request the next bootstrap page without messages, because its first conversation is too large with them.
    without_messages: bool,
    /// A pull of a single row was too large, and a bootstrap has replaced it.
    skipped_oversized_row: bool,
    /// Applied pages have queued read marks that no push of this pass has sent.
    marked_again: bool,
    /// Applied pages have queued marks of what has arrived.
    delivered: bool,
}

#[derive(Debug, Default)]
pub(super) enum Then {
    BeginBootstrap,
    BootstrapFrom(Continuation),
    PullFrom(Cursor),
    #[default]
    Repair,
}

/// A run: pages that belong together. A digest describes the moment of its page, and the rows of a run describe the
/// moment of its first page. So they are comparable only in a run of one page whose beginning is known.
#[derive(Debug, Default)]
struct Run {
    /// The run began in this pass, not in an interrupted one.
    from_start: bool,
    pages: u32,
    end: Option<Cursor>,
    digest: Option<ConversationDigest>,
    /// A push was answered since the run began.
    disturbed: bool,
}

impl Follow {
    pub(super) const fn progress(&self) -> Option<Progress> {
        self.progress
    }

    /// A push was answered meanwhile.
    pub(super) const fn disturb(&mut self) {
        self.run.disturbed = true;
    }

    pub(super) const fn has_marked_again(&self) -> bool {
        self.marked_again
    }

    pub(super) const fn has_delivered(&self) -> bool {
        self.delivered
    }
}

impl Pass {
    pub(super) fn on_state(&mut self, state: SyncState) -> Effect {
        self.want_first_screen(&state);
        self.know_server(state.server.as_ref());
        match state.position {
            SyncPosition::Fresh | SyncPosition::FirstScreen => self.begin_bootstrap(BootstrapReason::First),
            // Another version of the app began it: its pages lack what this one names.
            SyncPosition::Bootstrapping { .. } if self.has_new_capabilities() => {
                self.begin_bootstrap(BootstrapReason::Reconcile)
            }
            SyncPosition::Bootstrapping { after, done, total } => {
                self.follow.progress = Some(Progress { done, total });
                self.bootstrap(after)
            }
            SyncPosition::Following(cursor) => {
                if self.has_new_capabilities() {
                    return self.begin_bootstrap(BootstrapReason::Reconcile);
                }
                let from_start = !state.run_open;
                self.follow.run = Run { from_start, ..Run::default() };
                if planted(PlantedBug::EveryPassLoadsAnew) {
                    return self.begin_bootstrap(BootstrapReason::Reconcile);
                }
                self.pull(cursor)
            }
        }
    }

    /// Whether this client names a capability that the client which loaded the stored copy did not name.
    pub(super) fn has_new_capabilities(&self) -> bool {
        !client_capabilities().is_subset(&self.named_capabilities())
    }

    fn named_capabilities(&self) -> Capabilities {
        // Older files do not record this. The clients that wrote them named these two.
        let before = || Capabilities::from([Capability::SetDigest, Capability::Ranges]);
        self.memory.named.clone().unwrap_or_else(before)
    }

    fn begin_bootstrap(&mut self, reason: BootstrapReason) -> Effect {
        if self.named_capabilities() != client_capabilities() {
            self.memory.named = Some(client_capabilities());
            self.follow.names_anew = true;
        }
        self.report.bootstraps += 1;
        self.follow.progress = Some(Progress { done: 0, total: None });
        Effect::BeginBootstrap(reason)
    }

    /// What is to be saved as soon as a bootstrap has begun that names other capabilities than the one before: if the pass is
    /// killed at its end, the next one must not load again.
    pub fn named_anew(&mut self) -> Option<SyncMemory> {
        std::mem::take(&mut self.follow.names_anew).then(|| self.unwritten()).flatten()
    }

    pub(super) fn on_bootstrap_begun(&mut self) -> Effect {
        self.bootstrap(None)
    }

    fn bootstrap(&mut self, after: Option<Continuation>) -> Effect {
        self.follow.after.clone_from(&after);
        let first_screen = self.follow.first_screen.is_on();
        Effect::Bootstrap(if first_screen { self.first_screen_request() } else { self.page_request(after) })
    }

    pub(super) fn page_request(&self, after: Option<Continuation>) -> BootstrapRequest {
        BootstrapRequest {
            after,
            limit: self.page_limit(),
            messages: self.follow.without_messages.then_some(0),
            bytes: self.page_bytes(),
        }
    }

    pub(super) fn on_bootstrapped(&mut self, answer: RemoteResult<BootstrapPage>) -> Effect {
        if self.repeats(&answer) {
            self.page_was_cut_off();
            return self.bootstrap_again();
        }
        match answer {
            Ok(page) if self.follow.first_screen.ends_with(&page) => self.on_first_screen(page),
            Ok(page) => self.on_bootstrap_page(page),
            Err(error) if is_oversized(&error) => self.on_oversized_bootstrap(error),
            Err(error) if self.may_get_smaller_page(&error) => self.bootstrap_again(),
            Err(error) => self.on_follow_error(error),
        }
    }

    fn bootstrap_again(&mut self) -> Effect {
        let after = self.follow.after.take();
        self.bootstrap(after)
    }

    /// Requests a page that is too large again at half the size. A single conversation is first requested without its
    /// messages; they come as history later.
    fn on_oversized_bootstrap(&mut self, error: RemoteError) -> Effect {
        if !self.halve_page_size() {
            if self.follow.without_messages {
                return self.fail(error);
            }
            self.report.oversized += 1;
            self.follow.without_messages = true;
        }
        self.bootstrap_again()
    }

    fn on_bootstrap_page(&mut self, page: BootstrapPage) -> Effect {
        self.follow.without_messages = false;
        self.measure_down(page.transfer, page.changes.len());
        self.know_server(Some(&page.server));
        self.note_short_threads(&page);
        self.note_page_received(page.limits.page_rows, page.next_after.is_some());
        self.memory.limits = page.limits;
        let done = self.follow.progress.map_or(0, |progress| progress.done) + page.changes.conversations.len() as u64;
        self.follow.progress = Some(Progress { done, total: Some(page.total_conversations) });
        let empty = page.changes.is_empty() && page.next_after.is_some();
        let repeated = page.next_after.as_ref().is_some_and(|next| self.was_requested(next));
        if repeated || self.too_many_empty(empty) {
            return self.fail(endless_paging("bootstrap"));
        }
        self.follow.run = Run { from_start: true, ..Run::default() };
        self.follow.then =
            page.next_after.clone().map_or_else(|| Then::PullFrom(page.cursor.clone()), Then::BootstrapFrom);
        let next = page.next_after.clone().map(|after| self.page_request(Some(after)));
        Effect::ApplyBootstrap { after: self.follow.after.take(), page: Box::new(page), next }
    }

    pub(super) fn on_bootstrap_applied(&mut self, applied: &ApplyReport) -> Effect {
        // The bootstrap brings the unreadable rows of a first screen again, and counts them then.
        let comes_again = matches!(self.follow.then, Then::BeginBootstrap);
        let unreadable = if comes_again { 0 } else { applied.unreadable };
        self.note_page(&ApplyReport { unreadable, ..applied.clone() });
        self.go_on()
    }

    fn note_page(&mut self, applied: &ApplyReport) {
        self.report.add_page(applied);
        self.follow.marked_again |= applied.marked_again > 0;
        self.follow.delivered |= applied.delivered > 0;
    }

    fn pull(&mut self, cursor: Cursor) -> Effect {
        self.follow.progress = None;
        self.follow.cursor = Some(cursor.clone());
        Effect::Pull(PullRequest { cursor, limit: self.page_limit(), bytes: self.page_bytes() })
    }

    pub(super) fn on_pulled(&mut self, answer: RemoteResult<PullPage>) -> Effect {
        let repeat = self.repeats(&answer);
        let Some(from) = self.follow.cursor.take() else {
            // A response without a request: read the position again.
            return Effect::ReadState;
        };
        if repeat {
            self.page_was_cut_off();
            return self.pull(from);
        }
        match answer {
            Ok(page) => self.on_pull_page(from, page),
            Err(error) if is_oversized(&error) => self.on_oversized_pull(from, error),
            Err(error) if self.may_get_smaller_page(&error) => self.pull(from),
            Err(error) => self.on_follow_error(error),
        }
    }

    /// As for a bootstrap page. A pull cannot skip a single row that is too large, but a bootstrap can.
    fn on_oversized_pull(&mut self, from: Cursor, error: RemoteError) -> Effect {
        if self.halve_page_size() {
            return self.pull(from);
        }
        if std::mem::replace(&mut self.follow.skipped_oversized_row, true) {
            return self.fail(error);
        }
        self.report.oversized += 1;
        self.begin_bootstrap(BootstrapReason::Reconcile)
    }

    /// Halves the page size. False if it was one row already.
    fn halve_page_size(&mut self) -> bool {
        let rows = self.memory.page_size.of(self.memory.limits.page_rows);
        self.memory.page_size.slow_down(rows);
        rows > 1
    }

    fn on_pull_page(&mut self, from: Cursor, page: PullPage) -> Effect {
        self.measure_down(page.transfer, page.changes.len());
        self.know_server(Some(&page.server));
        self.note_page_received(page.limits.page_rows, page.more);
        self.memory.limits = page.limits;
        let repeated = page.more && (page.cursor == from || self.was_requested(&page.cursor));
        if repeated || self.too_many_empty(page.more && page.changes.is_empty()) {
            return self.fail(endless_paging("pull"));
        }
        self.follow.run.pages += 1;
        self.follow.run.end = Some(page.cursor.clone());
        self.follow.run.digest.clone_from(&page.digest);
        self.follow.then = if page.more { Then::PullFrom(page.cursor.clone()) } else { Then::Repair };
        Effect::ApplyPull { from, page: Box::new(page) }
    }

    pub(super) fn on_pull_applied(&mut self, applied: &ApplyReport) -> Effect {
        self.note_page(applied);
        match applied.digest_matches {
            Some(false) => self.on_difference(),
            Some(true) => {
                self.memory.unresolved_digest = None;
                self.go_on()
            }
            None => self.go_on(),
        }
    }

    /// The device sees other conversations than the server. If that is certain (a run of a single page), a new
    /// bootstrap repairs it, unless a bootstrap has already failed to resolve the same difference.
    fn on_difference(&mut self) -> Effect {
        let disturbed = self.follow.run.disturbed && !planted(PlantedBug::DigestOfAnotherMoment);
        let comparable = self.follow.run.from_start && self.follow.run.pages == 1 && !disturbed;
        if !comparable
            && self.follow.extra_pulls < EXTRA_PULL_LIMIT
            && let Some(end) = self.follow.run.end.take()
        {
            self.follow.extra_pulls += 1;
            self.follow.run = Run { from_start: true, ..Run::default() };
            return self.pull(end);
        }
        if disturbed {
            return self.go_on();
        }
        let digest = self.follow.run.digest.take();
        if self.follow.reconciled || digest == self.memory.unresolved_digest {
            self.memory.unresolved_digest = digest;
            return self.go_on();
        }
        self.follow.reconciled = true;
        self.begin_bootstrap(BootstrapReason::Reconcile)
    }

    fn go_on(&mut self) -> Effect {
        match std::mem::take(&mut self.follow.then) {
            Then::BeginBootstrap => Effect::BeginBootstrap(BootstrapReason::First),
            Then::BootstrapFrom(after) => self.bootstrap(Some(after)),
            Then::PullFrom(cursor) => self.pull(cursor),
            Then::Repair => self.end_of_run(),
        }
    }

    /// A run ends at the server's position when the run began. If it began before this pass, later commits are still to
    /// be pulled. The caller of this pass expects them, so the pass pulls again, even if the rest of the old run was
    /// empty.
    fn end_of_run(&mut self) -> Effect {
        let run = &mut self.follow.run;
        if !run.from_start
            && (run.pages > 1 || !planted(PlantedBug::RestOfRunIsEverything))
            && let Some(end) = run.end.take()
        {
            *run = Run { from_start: true, ..Run::default() };
            return self.pull(end);
        }
        self.read_missing()
    }

    fn on_follow_error(&mut self, error: RemoteError) -> Effect {
        match error.kind() {
            RemoteErrorKind::CursorExpired(reason)
                if self.within_expiry_limit() && !planted(PlantedBug::ExpiredCursorFails) =>
            {
                self.begin_bootstrap(reason_of(reason))
            }
            RemoteErrorKind::Interrupted => {
                self.page_was_cut_off();
                self.fail(error)
            }
            RemoteErrorKind::Unavailable => {
                let rows = self.requested_rows();
                self.memory.page_size.slow_down(rows);
                self.fail(error)
            }
            _ => self.fail(error),
        }
    }

    /// Whether to request the page again in this pass, now that it is smaller.
    fn may_get_smaller_page(&mut self, error: &RemoteError) -> bool {
        match error.kind() {
            RemoteErrorKind::StatementTimeout => {
                let rows = self.requested_rows();
                self.memory.page_size.refuse(rows)
            }
            RemoteErrorKind::TimedOut => {
                self.page_was_cut_off();
                self.retries_slow_page()
            }
            _ => false,
        }
    }

    /// None while full pages arrive; then the server's own limit applies.
    pub(super) fn page_limit(&self) -> Option<u32> {
        let (size, full) = (self.memory.page_size, self.memory.limits.page_rows);
        let rows = self.rows_of_slow_line().unwrap_or(full).min(size.of(full));
        (rows < full).then_some(rows)
    }

    fn requested_rows(&self) -> u32 {
        let request = self.follow.first_screen.is_on().then(|| self.first_screen_request().limit).flatten();
        request.or(self.page_limit()).unwrap_or(self.memory.limits.page_rows)
    }

    fn note_page_received(&mut self, full: u32, has_more: bool) {
        let rows = if has_more { self.requested_rows() } else { 0 };
        self.memory.page_size.speed_up(full, rows);
    }

    fn was_requested(&mut self, position: &impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        position.hash(&mut hasher);
        !self.follow.requested.insert(hasher.finish())
    }

    const fn too_many_empty(&mut self, empty: bool) -> bool {
        self.follow.empty_pages = if empty { self.follow.empty_pages + 1 } else { 0 };
        self.follow.empty_pages > EMPTY_LIMIT
    }

    const fn within_expiry_limit(&mut self) -> bool {
        self.follow.expiries += 1;
        self.follow.expiries <= EXPIRY_LIMIT
    }
}

/// Whether a smaller page can help.
pub(super) fn is_oversized(error: &RemoteError) -> bool {
    matches!(error.kind(), RemoteErrorKind::Oversized | RemoteErrorKind::TooLarge)
}

fn endless_paging(operation: &'static str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Malformed, operation).with_detail("its pages repeat or stay empty")
}

/// After a change of access or a compaction, stored versions stay valid. After anything else they do not.
const fn reason_of(reason: ExpiredReason) -> BootstrapReason {
    match reason {
        ExpiredReason::Access | ExpiredReason::Compacted => BootstrapReason::Reconcile,
        _ => BootstrapReason::Epoch,
    }
}
