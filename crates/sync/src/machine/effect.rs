//! What the machine asks for.

use super::Outcome;
use fieldpost_domain::{
    BootstrapPage, Continuation, ConversationId, Cursor, HistoryPage, Mutation, MutationId, PullPage, PushResult, Time,
};
use fieldpost_remote::{BootstrapRequest, HistoryRequest, PullRequest};
use fieldpost_storage::{BatchLimits, BootstrapReason, SyncMemory};
use std::collections::HashSet;

/// What to do next. Each is answered by one [`super::Event`], except [`Effect::Finish`].
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read what earlier passes have learned: [`super::Event::Recalled`].
    Recall,
    /// Park the messages that have waited since before this: [`super::Event::Expired`].
    Expire {
        /// What was recorded later may still be sent.
        before: Time,
    },
    /// Take the next mutations: [`super::Event::Batch`].
    ReadBatch {
        /// How many.
        limits: BatchLimits,
        /// The lanes to pass over.
        held: HashSet<ConversationId>,
    },
    /// Send them: [`super::Event::Pushed`].
    Push(Vec<Mutation>),
    /// Note that these have certainly not been carried out, then go on with the other effect.
    Withdraw {
        /// Attempts that came to nothing.
        mutations: Vec<MutationId>,
        /// What to do then.
        then: Box<Self>,
    },
    /// Record the answers: [`super::Event::Settled`].
    Settle(Vec<PushResult>),
    /// Read where the store stands: [`super::Event::State`].
    ReadState,
    /// Start a first load, or start it over: [`super::Event::BootstrapBegun`].
    BeginBootstrap(BootstrapReason),
    /// Fetch a page of it: [`super::Event::Bootstrapped`].
    Bootstrap(BootstrapRequest),
    /// Apply that page: [`super::Event::BootstrapApplied`].
    ApplyBootstrap {
        /// What the page was asked for with.
        after: Option<Continuation>,
        /// The page.
        page: Box<BootstrapPage>,
        /// What will be asked for next if all goes well: it may be fetched meanwhile.
        next: Option<BootstrapRequest>,
    },
    /// Apply a page that is shown while the first load has still to begin: [`super::Event::BootstrapApplied`].
    ApplyFirstScreen {
        /// The page.
        page: Box<BootstrapPage>,
        /// What will be asked for next: it may be fetched meanwhile.
        next: BootstrapRequest,
    },
    /// Fetch changes: [`super::Event::Pulled`].
    Pull(PullRequest),
    /// Apply them: [`super::Event::PullApplied`].
    ApplyPull {
        /// What the page was asked for with.
        from: Cursor,
        /// The page.
        page: Box<PullPage>,
    },
    /// Read which parts of threads are missing: [`super::Event::Missing`].
    ReadMissing {
        /// How many at most.
        limit: u32,
    },
    /// Fetch one of them: [`super::Event::HistoryRead`].
    History(HistoryRequest),
    /// Apply it: [`super::Event::HistoryApplied`].
    ApplyHistory(Box<HistoryPage>),
    /// Find the conversation to check after this one: [`super::Event::Checkable`].
    NextCheck {
        /// None for the first one.
        after: Option<ConversationId>,
    },
    /// Fetch what should be here already: [`super::Event::Checked`].
    Check(HistoryRequest),
    /// Apply it: [`super::Event::CheckApplied`].
    ApplyCheck(Box<HistoryPage>),
    /// Work the fingerprint of the conversations out anew, and compare it with what is kept:
    /// [`super::Event::DigestChecked`].
    CheckDigest,
    /// Keep what was learned: [`super::Event::Remembered`]. It comes at most once in a pass.
    Remember {
        /// For the next pass.
        memory: Box<SyncMemory>,
        /// Note too that everything went well.
        succeeded: bool,
    },
    /// The pass is over.
    Finish(Outcome),
}

impl Effect {
    /// What is written to the store with it, if anything is.
    #[must_use]
    pub const fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Expire { .. } => Some("expire"),
            Self::Settle(_) => Some("settle"),
            Self::ApplyBootstrap { .. } | Self::ApplyFirstScreen { .. } => Some("apply_bootstrap"),
            Self::ApplyPull { .. } => Some("apply_pull"),
            Self::ApplyHistory(_) | Self::ApplyCheck(_) => Some("apply_history"),
            Self::CheckDigest => Some("check_digest"),
            _ => None,
        }
    }
}
