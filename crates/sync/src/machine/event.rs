//! What the driver reports to the machine.

use crate::SyncError;
use fieldpost_domain::{BootstrapPage, HistoryPage, Mutation, PullPage};
use fieldpost_remote::{PushAnswer, RemoteResult};
use fieldpost_storage::{ApplyReport, Checkable, MissingRange, SettleReport, StorageError, SyncState};

/// The result of the last effect.
#[derive(Debug)]
pub enum Event {
    /// The position of the store, and what earlier passes have learned.
    Recalled(Box<SyncState>),
    /// This many mutations became dead letters because their ttl passed.
    Expired(u64),
    /// The next mutations.
    Batch(Vec<Mutation>),
    /// The response to a batch, or why there is none.
    Pushed(RemoteResult<PushAnswer>),
    /// The results are recorded.
    Settled(SettleReport),
    /// The position of the store.
    State(SyncState),
    /// The bootstrap has begun.
    BootstrapBegun,
    /// A page of the bootstrap, or why there is none.
    Bootstrapped(RemoteResult<BootstrapPage>),
    /// The page of the bootstrap is applied.
    BootstrapApplied(ApplyReport),
    /// A page of changes, or why there is none.
    Pulled(RemoteResult<PullPage>),
    /// The page of changes is applied.
    PullApplied(ApplyReport),
    /// The missing parts of threads.
    Missing(Vec<MissingRange>),
    /// A page of history, or why there is none.
    HistoryRead(RemoteResult<HistoryPage>),
    /// The page of history is applied.
    HistoryApplied(ApplyReport),
    /// The conversation to check; none after the last one.
    Checkable(Option<Checkable>),
    /// The page to compare, or why there is none.
    Checked(RemoteResult<HistoryPage>),
    /// The page of the check is applied.
    CheckApplied(ApplyReport),
    /// Whether the stored digest was right.
    DigestChecked(bool),
    /// What was learned is saved.
    Remembered,
    /// The store failed to carry out the effect.
    StorageFailed(StorageError),
    /// There is no session, or it could not be renewed.
    SessionFailed(SyncError),
}
