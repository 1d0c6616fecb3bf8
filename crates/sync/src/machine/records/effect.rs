//! What the machine asks the driver to do, and what the driver reports.

use super::RecordPassOutcome;
use crate::SyncError;
use fieldpost_domain::{
    AuditId, Cursor, MutationId,
    records::{AuditEntry, Priority, RecordMutation, RecordPage, RecordResult, TableName},
};
use fieldpost_remote::{AuditAnswer, RecordPullRequest, RecordPushAnswer, RemoteResult};
use fieldpost_storage::{
    BatchLimits, StorageError,
    records::{RecordApplyReport, RecordMemory, RecordSettleReport},
};

/// What to do next. The driver answers each effect with one [`RecordEvent`], except [`RecordEffect::Finish`].
#[derive(Debug, Clone, PartialEq)]
pub enum RecordEffect {
    /// Read what earlier passes have learned: [`RecordEvent::Recalled`].
    Recall,
    /// Read the next changes that are due: [`RecordEvent::Batch`].
    ReadBatch {
        /// How many changes and bytes.
        limits: BatchLimits,
        /// Only changes of this priority or a more urgent one.
        at_most: Priority,
    },
    /// Send these changes: [`RecordEvent::Pushed`].
    Push(Vec<RecordMutation>),
    /// Record the results: [`RecordEvent::Settled`].
    Settle(Vec<RecordResult>),
    /// Record that these attempts were certainly not carried out, then do the other.
    Withdraw {
        /// The changes.
        mutations: Vec<MutationId>,
        /// The next effect.
        then: Box<Self>,
    },
    /// Record that sending these changes failed, then do the other.
    Postpone {
        /// The changes.
        mutations: Vec<MutationId>,
        /// The next effect.
        then: Box<Self>,
    },
    /// Read the position of the store and the declared tables: [`RecordEvent::State`].
    ReadState,
    /// Begin a first load: [`RecordEvent::LoadBegun`].
    BeginLoad,
    /// Fetch a page: [`RecordEvent::Pulled`].
    Pull(RecordPullRequest),
    /// Apply a page: [`RecordEvent::Applied`].
    Apply {
        /// The cursor that the page was requested with.
        from: Option<Cursor>,
        /// The page.
        page: Box<RecordPage>,
    },
    /// Read the oldest entries of the audit log: [`RecordEvent::Audit`].
    ReadAudit {
        /// How many at most.
        limit: u32,
    },
    /// Upload these entries: [`RecordEvent::AuditPushed`].
    PushAudit(Vec<AuditEntry>),
    /// Record that the server has these entries, or refuses them for good: [`RecordEvent::AuditSettled`].
    Audited(Vec<AuditId>),
    /// Save what was learned ([`super::RecordPass::learn`]): [`RecordEvent::Remembered`].
    Remember {
        /// Also record the time of this successful sync.
        succeeded: bool,
    },
    /// The pass is over.
    Finish(RecordPassOutcome),
}

impl RecordEffect {
    /// The outcome, if this effect ends the pass.
    pub(super) fn outcome(&self) -> Option<&RecordPassOutcome> {
        match self {
            Self::Finish(outcome) => Some(outcome),
            Self::Withdraw { then, .. } | Self::Postpone { then, .. } => then.outcome(),
            _ => None,
        }
    }
}

/// The result of the last effect.
#[derive(Debug)]
pub enum RecordEvent {
    /// What earlier passes have learned.
    Recalled(RecordMemory),
    /// The next changes.
    Batch(Vec<RecordMutation>),
    /// The response to a batch, or why there is none.
    Pushed(RemoteResult<RecordPushAnswer>),
    /// The results are recorded.
    Settled(RecordSettleReport),
    /// The position of the store.
    State {
        /// Where the pull continues; none for a first load.
        cursor: Option<Cursor>,
        /// The declared tables, by the server's names.
        tables: Vec<TableName>,
    },
    /// The first load has begun.
    LoadBegun,
    /// A page, or why there is none.
    Pulled(RemoteResult<RecordPage>),
    /// The page is applied.
    Applied(RecordApplyReport),
    /// Entries of the audit log.
    Audit(Vec<AuditEntry>),
    /// The response to an upload, or why there is none.
    AuditPushed(RemoteResult<AuditAnswer>),
    /// The entries have left the log.
    AuditSettled,
    /// What was learned is saved.
    Remembered,
    /// The store failed to carry out the effect.
    StorageFailed(StorageError),
    /// The call was not made: there is no session, or the server has asked to wait.
    NotCalled(SyncError),
}
