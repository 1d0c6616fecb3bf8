//! The follow phase: first load, or changes since the cursor.

use super::{Effect, Pass, first_screen::FirstScreen, pace::Pace};
use crate::Progress;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{BootstrapPage, Capabilities, Capability, Continuation, ConversationDigest, Cursor, PullPage};
use fieldpost_remote::{
    BootstrapRequest, ExpiredReason, PullRequest, RemoteError, RemoteErrorKind, RemoteResult, client_capabilities,
};
use fieldpost_storage::{ApplyReport, BootstrapReason, SyncPosition, SyncState};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// How many first loads one pass begins because the server says that its position has expired.
const EXPIRY_LIMIT: u32 = 2;

/// How often one pass pulls once more because the digest it got cannot be compared.
const PULL_AGAIN_LIMIT: u32 = 3;

/// How many pages without a single row may follow each other.
const EMPTY_LIMIT: u32 = 10;

/// What the follow phase remembers.
#[derive(Debug, Default)]
pub(super) struct Follow {
    pub(super) progress: Option<Progress>,
    /// What the page on its way was asked for with.
    after: Option<Continuation>,
    pub(super) first_screen: FirstScreen,
    cursor: Option<Cursor>,
    /// What comes after the page that is being applied.
    pub(super) then: Then,
    expired: u32,
    /// Positions that were asked for, as hashes: a server that sends the same one again would do so forever.
    asked: HashSet<u64>,
    empty: u32,
    run: Run,
    pulled_again: u32,
    reconciled: bool,
    /// The next page of a first load is asked for without messages: with them the first conversation of it is too large.
    bare: bool,
    /// A pull of one row was too large, and a first load has taken its place.
    passed_over: bool,
    /// Pages made marks wait again, which no push of this pass has taken along.
    marked_again: bool,
}

#[derive(Debug, Default)]
pub(super) enum Then {
    BeginWhole,
    BootstrapFrom(Continuation),
    PullFrom(Cursor),
    #[default]
    Repair,
}

/// Pages that belong together. A digest is of the moment of its page, the rows of a run are of the moment of its first page:
/// the two are the same only in a run of one page whose beginning is known.
#[derive(Debug, Default)]
struct Run {
    /// The run began in this pass, not in one that was interrupted.
    whole: bool,
    pages: u32,
    end: Option<Cursor>,
    digest: Option<ConversationDigest>,
}

impl Follow {
    pub(super) const fn progress(&self) -> Option<Progress> {
        self.progress
    }

    pub(super) const fn has_marked_again(&self) -> bool {
        self.marked_again
    }
}

impl Pass {
    pub(super) fn on_state(&mut self, state: SyncState) -> Effect {
        self.want_first_screen(&state);
        match state.position {
            SyncPosition::Fresh | SyncPosition::FirstScreen => self.begin_bootstrap(BootstrapReason::First),
            SyncPosition::Bootstrapping { after, done, total } => {
                self.follow.progress = Some(Progress { done, total });
                self.bootstrap(after)
            }
            SyncPosition::Following(cursor) => {
                if self.has_learned_to_read_more() {
                    return self.begin_bootstrap(BootstrapReason::Reconcile);
                }
                let whole = !state.run_open;
                self.follow.run = Run { whole, ..Run::default() };
                if planted(PlantedBug::EveryPassLoadsAnew) {
                    return self.begin_bootstrap(BootstrapReason::Reconcile);
                }
                self.pull(cursor)
            }
        }
    }

    /// Whether this client names a capability that was not named when the present copy was loaded.
    fn has_learned_to_read_more(&self) -> bool {
        !client_capabilities().is_subset(&self.named())
    }

    fn named(&self) -> Capabilities {
        // Older files do not say. The clients that loaded them named these two.
        let before = || Capabilities::from([Capability::SetDigest, Capability::Ranges]);
        self.memory.named.clone().unwrap_or_else(before)
    }

    fn begin_bootstrap(&mut self, reason: BootstrapReason) -> Effect {
        if self.named() != client_capabilities() {
            self.memory.named = Some(client_capabilities());
        }
        self.report.bootstraps += 1;
        self.follow.progress = Some(Progress { done: 0, total: None });
        Effect::BeginBootstrap(reason)
    }

    pub(super) fn on_bootstrap_begun(&mut self) -> Effect {
        self.bootstrap(None)
    }

    fn bootstrap(&mut self, after: Option<Continuation>) -> Effect {
        self.follow.after.clone_from(&after);
        let first_screen = self.follow.first_screen.is_on();
        Effect::Bootstrap(if first_screen { Self::first_screen_request() } else { self.page_request(after) })
    }

    pub(super) fn page_request(&self, after: Option<Continuation>) -> BootstrapRequest {
        BootstrapRequest { after, limit: self.page_limit(), messages: self.follow.bare.then_some(0) }
    }

    pub(super) fn on_bootstrapped(&mut self, answer: RemoteResult<BootstrapPage>) -> Effect {
        if self.repeats(&answer) {
            let after = self.follow.after.take();
            return self.bootstrap(after);
        }
        match answer {
            Ok(page) if self.follow.first_screen.ends_with(&page) => self.on_first_screen(page),
            Ok(page) => self.on_bootstrap_page(page),
            Err(error) if is_oversized(&error) => self.on_oversized_bootstrap(error),
            Err(error) => self.on_follow_error(error),
        }
    }

    /// A page that is too large is asked for again by half; of a single conversation first without its messages, which then come
    /// as history.
    fn on_oversized_bootstrap(&mut self, error: RemoteError) -> Effect {
        if !self.ask_for_less() {
            if self.follow.bare {
                return self.fail(error);
            }
            self.report.oversized += 1;
            self.follow.bare = true;
        }
        let after = self.follow.after.take();
        self.bootstrap(after)
    }

    fn on_bootstrap_page(&mut self, page: BootstrapPage) -> Effect {
        self.follow.bare = false;
        self.took_a_page(page.limits.page_rows);
        self.memory.limits = page.limits;
        let done = self.follow.progress.map_or(0, |progress| progress.done) + page.changes.conversations.len() as u64;
        self.follow.progress = Some(Progress { done, total: Some(page.total_conversations) });
        let empty = page.changes.is_empty() && page.next_after.is_some();
        let seen = page.next_after.as_ref().is_some_and(|next| self.was_asked(next));
        if seen || self.too_many_empty(empty) {
            return self.fail(going_in_circles("bootstrap"));
        }
        self.follow.run = Run { whole: true, ..Run::default() };
        self.follow.then =
            page.next_after.clone().map_or_else(|| Then::PullFrom(page.cursor.clone()), Then::BootstrapFrom);
        let next = page.next_after.clone().map(|after| self.page_request(Some(after)));
        Effect::ApplyBootstrap { after: self.follow.after.take(), page: Box::new(page), next }
    }

    pub(super) fn on_bootstrap_applied(&mut self, applied: &ApplyReport) -> Effect {
        // What cannot be read of a first screen comes again, and counts then.
        let again = matches!(self.follow.then, Then::BeginWhole);
        let unreadable = if again { 0 } else { applied.unreadable };
        self.note_page(&ApplyReport { unreadable, ..applied.clone() });
        self.go_on()
    }

    fn note_page(&mut self, applied: &ApplyReport) {
        self.report.add_page(applied);
        self.follow.marked_again |= applied.marked_again > 0;
    }

    fn pull(&mut self, cursor: Cursor) -> Effect {
        self.follow.progress = None;
        self.follow.cursor = Some(cursor.clone());
        Effect::Pull(PullRequest { cursor, limit: self.page_limit() })
    }

    pub(super) fn on_pulled(&mut self, answer: RemoteResult<PullPage>) -> Effect {
        let repeat = self.repeats(&answer);
        let Some(from) = self.follow.cursor.take() else {
            // Told of an answer that nobody asked for: find out where things stand.
            return Effect::ReadState;
        };
        if repeat {
            return self.pull(from);
        }
        match answer {
            Ok(page) => self.on_pull_page(from, page),
            Err(error) if is_oversized(&error) => self.on_oversized_pull(from, error),
            Err(error) => self.on_follow_error(error),
        }
    }

    /// As with a first load. A single row that is too large cannot be passed over in the feed, but a first load leads past it.
    fn on_oversized_pull(&mut self, from: Cursor, error: RemoteError) -> Effect {
        if self.ask_for_less() {
            return self.pull(from);
        }
        if std::mem::replace(&mut self.follow.passed_over, true) {
            return self.fail(error);
        }
        self.report.oversized += 1;
        self.begin_bootstrap(BootstrapReason::Reconcile)
    }

    /// Halves the pages. False if they have one row already.
    fn ask_for_less(&mut self) -> bool {
        let rows = self.memory.page_size.of(self.memory.limits.page_rows);
        self.memory.page_size.slow_down(rows);
        rows > 1
    }

    fn on_pull_page(&mut self, from: Cursor, page: PullPage) -> Effect {
        self.took_a_page(page.limits.page_rows);
        self.memory.limits = page.limits;
        let circles = page.more && (page.cursor == from || self.was_asked(&page.cursor));
        if circles || self.too_many_empty(page.more && page.changes.is_empty()) {
            return self.fail(going_in_circles("pull"));
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

    /// The device sees other conversations than the server says. Of a run of a single page that is so, and a new first load
    /// finds out what was missed, unless it already did so in vain for the same difference.
    fn on_difference(&mut self) -> Effect {
        let comparable = self.follow.run.whole && self.follow.run.pages == 1;
        if !comparable
            && self.follow.pulled_again < PULL_AGAIN_LIMIT
            && let Some(end) = self.follow.run.end.take()
        {
            self.follow.pulled_again += 1;
            self.follow.run = Run { whole: true, ..Run::default() };
            return self.pull(end);
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
            Then::BeginWhole => Effect::BeginBootstrap(BootstrapReason::First),
            Then::BootstrapFrom(after) => self.bootstrap(Some(after)),
            Then::PullFrom(cursor) => self.pull(cursor),
            Then::Repair => self.end_of_run(),
        }
    }

    /// A run ends where the server stood when it began. If that was before this pass, what was committed since then is still
    /// to be pulled: whoever asks for a sync now wants it, whether the rest of the old run brought anything or not.
    fn end_of_run(&mut self) -> Effect {
        let run = &mut self.follow.run;
        if !run.whole
            && (run.pages > 1 || !planted(PlantedBug::RestOfRunIsEverything))
            && let Some(end) = run.end.take()
        {
            *run = Run { whole: true, ..Run::default() };
            return self.pull(end);
        }
        self.read_missing()
    }

    fn on_follow_error(&mut self, error: RemoteError) -> Effect {
        match error.kind() {
            RemoteErrorKind::CursorExpired(reason) if self.may_expire() && !planted(PlantedBug::ExpiredCursorFails) => {
                self.begin_bootstrap(reason_of(reason))
            }
            RemoteErrorKind::Interrupted | RemoteErrorKind::TimedOut | RemoteErrorKind::Unavailable => {
                let full = self.memory.limits.page_rows;
                let rows = self.memory.page_size.of(full);
                self.memory.page_size.slow_down(rows);
                self.fail(error)
            }
            _ => self.fail(error),
        }
    }

    /// None, and so the server's own limit, as long as pages come through.
    fn page_limit(&self) -> Option<u32> {
        let size = self.memory.page_size;
        size.is_reduced().then(|| size.of(self.memory.limits.page_rows))
    }

    fn took_a_page(&mut self, full: u32) {
        self.memory.page_size.speed_up(full);
    }

    fn was_asked(&mut self, position: &impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        position.hash(&mut hasher);
        !self.follow.asked.insert(hasher.finish())
    }

    const fn too_many_empty(&mut self, empty: bool) -> bool {
        self.follow.empty = if empty { self.follow.empty + 1 } else { 0 };
        self.follow.empty > EMPTY_LIMIT
    }

    const fn may_expire(&mut self) -> bool {
        self.follow.expired += 1;
        self.follow.expired <= EXPIRY_LIMIT
    }
}

/// Whether asking for less can help.
pub(super) fn is_oversized(error: &RemoteError) -> bool {
    matches!(error.kind(), RemoteErrorKind::Oversized | RemoteErrorKind::TooLarge)
}

fn going_in_circles(operation: &'static str) -> RemoteError {
    RemoteError::new(RemoteErrorKind::Malformed, operation).with_detail("its pages lead nowhere")
}

/// After a change of access or a compaction the rows that are here keep their versions; otherwise nothing is known of them.
const fn reason_of(reason: ExpiredReason) -> BootstrapReason {
    match reason {
        ExpiredReason::Access | ExpiredReason::Compacted => BootstrapReason::Reconcile,
        _ => BootstrapReason::Epoch,
    }
}
