//! What the machine is told.

use crate::SyncError;
use fieldpost_domain::{BootstrapPage, HistoryPage, Mutation, PullPage};
use fieldpost_remote::{PushAnswer, RemoteResult};
use fieldpost_storage::{ApplyReport, Checkable, MissingRange, SettleReport, StorageError, SyncMemory, SyncState};

/// What happened when the last effect was carried out.
#[derive(Debug)]
pub enum Event {
    /// This is what earlier passes have learned.
    Recalled(Box<SyncMemory>),
    /// So many mutations have become dead letters because they had waited too long.
    Expired(u64),
    /// These are the next mutations.
    Batch(Vec<Mutation>),
    /// The server answered a batch, or not.
    Pushed(RemoteResult<PushAnswer>),
    /// The answers are recorded.
    Settled(SettleReport),
    /// This is where the store stands.
    State(SyncState),
    /// A first load may start.
    BootstrapBegun,
    /// A page of it came, or not.
    Bootstrapped(RemoteResult<BootstrapPage>),
    /// It is applied.
    BootstrapApplied(ApplyReport),
    /// A page of changes came, or not.
    Pulled(RemoteResult<PullPage>),
    /// It is applied.
    PullApplied(ApplyReport),
    /// These parts of threads are missing.
    Missing(Vec<MissingRange>),
    /// A page of history came, or not.
    HistoryRead(RemoteResult<HistoryPage>),
    /// It is applied.
    HistoryApplied(ApplyReport),
    /// This conversation is to be checked; none after the last one.
    Checkable(Option<Checkable>),
    /// What should be here already came, or not.
    Checked(RemoteResult<HistoryPage>),
    /// It is applied.
    CheckApplied(ApplyReport),
    /// Whether the fingerprint that the store keeps was that of its conversations.
    DigestChecked(bool),
    /// What was learned is kept.
    Remembered,
    /// The store failed at whatever was asked of it.
    StorageFailed(StorageError),
    /// There is no session to make a call with, or it could not be renewed.
    SessionFailed(SyncError),
}
