//! The follow phase: first load, or changes since the cursor.

use super::{Effect, Pass};
use crate::Progress;
use fieldpost_domain::{BootstrapPage, Continuation, Cursor, PullPage};
use fieldpost_remote::{BootstrapRequest, ExpiredReason, PullRequest, RemoteErrorKind, RemoteResult};
use fieldpost_storage::{ApplyReport, BootstrapReason, SyncPosition};

/// How many first loads one pass begins because the server says that its position has expired.
const EXPIRY_LIMIT: u32 = 2;

/// How often one pass pulls once more because only a digest over one page can be compared.
const PULL_AGAIN_LIMIT: u32 = 3;

/// What the follow phase remembers.
#[derive(Debug)]
pub(super) struct Follow {
    progress: Option<Progress>,
    /// What the page on its way was asked for with.
    after: Option<Continuation>,
    cursor: Option<Cursor>,
    /// What comes after the page that is being applied.
    then: Then,
    expired: u32,
    /// Pages since the last one that was complete. A digest is of the moment of its page, the rows of a run of pages are of
    /// the moment of the first: the two are the same only in a run of one.
    run: u32,
    /// Where the last run ended.
    end: Option<Cursor>,
    pulled_again: u32,
    may_reconcile: bool,
    reconciled: bool,
}

#[derive(Debug)]
enum Then {
    BootstrapFrom(Continuation),
    PullFrom(Cursor),
    Repair,
}

impl Follow {
    pub(super) const fn new(may_reconcile: bool) -> Self {
        Self {
            progress: None,
            after: None,
            cursor: None,
            then: Then::Repair,
            expired: 0,
            run: 0,
            end: None,
            pulled_again: 0,
            may_reconcile,
            reconciled: false,
        }
    }

    pub(super) const fn progress(&self) -> Option<Progress> {
        self.progress
    }

    pub(super) const fn reconciled(&self) -> bool {
        self.reconciled
    }
}

impl Pass {
    pub(super) fn on_state(&mut self, position: SyncPosition) -> Effect {
        match position {
            SyncPosition::Fresh => self.begin_bootstrap(BootstrapReason::First),
            SyncPosition::Bootstrapping { after, done, total } => {
                self.follow.progress = Some(Progress { done, total });
                self.bootstrap(after)
            }
            SyncPosition::Following(cursor) => self.pull(cursor),
        }
    }

    fn begin_bootstrap(&mut self, reason: BootstrapReason) -> Effect {
        self.report.bootstraps += 1;
        self.follow.run = 0;
        self.follow.progress = Some(Progress { done: 0, total: None });
        Effect::BeginBootstrap(reason)
    }

    pub(super) fn on_bootstrap_begun(&mut self) -> Effect {
        self.bootstrap(None)
    }

    fn bootstrap(&mut self, after: Option<Continuation>) -> Effect {
        self.follow.after.clone_from(&after);
        Effect::Bootstrap(BootstrapRequest { after, limit: None, messages: None })
    }

    pub(super) fn on_bootstrapped(&mut self, answer: RemoteResult<BootstrapPage>) -> Effect {
        if self.repeats(&answer) {
            let after = self.follow.after.take();
            return self.bootstrap(after);
        }
        match answer {
            Ok(page) => self.on_bootstrap_page(page),
            Err(error) => match error.kind() {
                RemoteErrorKind::CursorExpired(reason) if self.may_expire() => self.begin_bootstrap(reason_of(reason)),
                _ => self.fail(error),
            },
        }
    }

    fn on_bootstrap_page(&mut self, page: BootstrapPage) -> Effect {
        self.limits = page.limits;
        let done = self.follow.progress.map_or(0, |progress| progress.done) + page.changes.conversations.len() as u64;
        self.follow.progress = Some(Progress { done, total: Some(page.total_conversations) });
        self.follow.then =
            page.next_after.clone().map_or_else(|| Then::PullFrom(page.cursor.clone()), Then::BootstrapFrom);
        Effect::ApplyBootstrap { after: self.follow.after.take(), page: Box::new(page) }
    }

    pub(super) fn on_bootstrap_applied(&mut self, report: &ApplyReport) -> Effect {
        self.report.add_page(report);
        self.go_on()
    }

    fn pull(&mut self, cursor: Cursor) -> Effect {
        self.follow.progress = None;
        self.follow.cursor = Some(cursor.clone());
        Effect::Pull(PullRequest { cursor, limit: None })
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
            Err(error) => match error.kind() {
                RemoteErrorKind::CursorExpired(reason) if self.may_expire() => self.begin_bootstrap(reason_of(reason)),
                _ => self.fail(error),
            },
        }
    }

    fn on_pull_page(&mut self, from: Cursor, page: PullPage) -> Effect {
        self.limits = page.limits;
        self.follow.run += 1;
        // A page that says "more" from the very place it was asked for would come again forever.
        let advances = page.cursor != from;
        self.follow.end = Some(page.cursor.clone());
        self.follow.then = if page.more && advances { Then::PullFrom(page.cursor.clone()) } else { Then::Repair };
        Effect::ApplyPull { from, page: Box::new(page) }
    }

    pub(super) fn on_pull_applied(&mut self, report: &ApplyReport) -> Effect {
        self.report.add_page(report);
        if report.digest_matches == Some(false) {
            return self.on_difference();
        }
        self.go_on()
    }

    /// The device sees other conversations than the server says. After a single page that is so, and a new first load finds
    /// out what was missed; after several it may only have changed meanwhile.
    fn on_difference(&mut self) -> Effect {
        if self.follow.run > 1
            && self.follow.pulled_again < PULL_AGAIN_LIMIT
            && let Some(end) = self.follow.end.take()
        {
            self.follow.pulled_again += 1;
            self.follow.run = 0;
            return self.pull(end);
        }
        if !self.follow.may_reconcile {
            return self.go_on();
        }
        self.follow.may_reconcile = false;
        self.follow.reconciled = true;
        self.begin_bootstrap(BootstrapReason::Reconcile)
    }

    fn go_on(&mut self) -> Effect {
        match std::mem::replace(&mut self.follow.then, Then::Repair) {
            Then::BootstrapFrom(after) => self.bootstrap(Some(after)),
            Then::PullFrom(cursor) => self.pull(cursor),
            Then::Repair => self.read_missing(),
        }
    }

    const fn may_expire(&mut self) -> bool {
        self.follow.expired += 1;
        self.follow.expired <= EXPIRY_LIMIT
    }
}

/// After a change of access or a compaction the rows that are here keep their versions; otherwise nothing is known of them.
const fn reason_of(reason: ExpiredReason) -> BootstrapReason {
    match reason {
        ExpiredReason::Access | ExpiredReason::Compacted => BootstrapReason::Reconcile,
        _ => BootstrapReason::Epoch,
    }
}
