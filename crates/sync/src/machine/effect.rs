//! What the machine asks the driver to do.

use super::Outcome;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, MutationId, PullPage, PushResult, Time,
};
use fieldpost_remote::{BootstrapRequest, HistoryRequest, PullRequest, PushRequest};
use fieldpost_storage::{BatchLimits, BootstrapReason, SyncMemory};
use std::collections::HashSet;

/// What to do next. The driver answers each effect with one [`super::Event`], except [`Effect::Finish`].
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read what earlier passes have learned: [`super::Event::Recalled`].
    Recall,
    /// Make messages recorded before this time dead letters: [`super::Event::Expired`].
    Expire {
        /// Messages recorded at or after this time may still be sent.
        before: Time,
    },
    /// Read the next mutations: [`super::Event::Batch`].
    ReadBatch {
        /// How many mutations and bytes.
        limits: BatchLimits,
        /// The lanes to skip.
        held: HashSet<ConversationId>,
    },
    /// Send these mutations: [`super::Event::Pushed`].
    Push(PushRequest),
    /// Record that these attempts were certainly not applied, then carry out the other effect.
    Withdraw {
        /// The mutations.
        mutations: Vec<MutationId>,
        /// The next effect.
        then: Box<Self>,
    },
    /// Record the results: [`super::Event::Settled`].
    Settle(Vec<PushResult>),
    /// Record the results of a quiet answer and move the position, in one write: [`super::Event::Settled`].
    SettleQuiet {
        /// The results.
        results: Vec<PushResult>,
        /// The cursor that was sent with the batch.
        from: Cursor,
        /// The cursor of the answer.
        to: Cursor,
    },
    /// Read the position of the store: [`super::Event::State`].
    ReadState,
    /// Begin a bootstrap, or begin it again: [`super::Event::BootstrapBegun`].
    BeginBootstrap(BootstrapReason),
    /// Fetch a page of the bootstrap: [`super::Event::Bootstrapped`].
    Bootstrap(BootstrapRequest),
    /// Apply a page of the bootstrap: [`super::Event::BootstrapApplied`].
    ApplyBootstrap {
        /// The continuation that the page was requested with.
        after: Option<Continuation>,
        /// The page.
        page: Box<BootstrapPage>,
        /// The next request, if all goes well. It may be prefetched.
        next: Option<BootstrapRequest>,
    },
    /// Apply the first screen, before the bootstrap begins: [`super::Event::BootstrapApplied`].
    ApplyFirstScreen {
        /// The page.
        page: Box<BootstrapPage>,
        /// The next request, if all goes well. It may be prefetched.
        next: Option<BootstrapRequest>,
    },
    /// Fetch changes: [`super::Event::Pulled`].
    Pull(PullRequest),
    /// Apply changes: [`super::Event::PullApplied`].
    ApplyPull {
        /// The cursor that the page was requested with.
        from: Cursor,
        /// The page.
        page: Box<PullPage>,
    },
    /// Read which parts of threads are missing: [`super::Event::Missing`].
    ReadMissing {
        /// How many at most.
        limit: u32,
    },
    /// Fetch a missing part: [`super::Event::HistoryRead`].
    History(HistoryRequest),
    /// Apply a page of history: [`super::Event::HistoryApplied`].
    ApplyHistory(Box<HistoryPage>),
    /// Find the conversation to check after this one: [`super::Event::Checkable`].
    NextCheck {
        /// None to start with the first one.
        after: Option<ConversationId>,
    },
    /// Fetch a part that should be stored already: [`super::Event::Checked`].
    Check(HistoryRequest),
    /// Apply the page of the check: [`super::Event::CheckApplied`].
    ApplyCheck(Box<HistoryPage>),
    /// Recompute the digest of the conversations and compare it with the stored one: [`super::Event::DigestChecked`].
    CheckDigest,
    /// Save what was learned: [`super::Event::Remembered`]. It comes at most once in a pass.
    Remember {
        /// What the next pass starts with.
        memory: Box<SyncMemory>,
        /// Also record the time of this successful sync.
        succeeded: bool,
    },
    /// The pass is over.
    Finish(Outcome),
}

impl Effect {
    /// The name of the store operation for the log, if the effect writes something.
    #[must_use]
    pub const fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Expire { .. } => Some("expire"),
            Self::Settle(_) | Self::SettleQuiet { .. } => Some("settle"),
            Self::ApplyBootstrap { .. } | Self::ApplyFirstScreen { .. } => Some("apply_bootstrap"),
            Self::ApplyPull { .. } => Some("apply_pull"),
            Self::ApplyHistory(_) | Self::ApplyCheck(_) => Some("apply_history"),
            Self::CheckDigest => Some("check_digest"),
            _ => None,
        }
    }
}
