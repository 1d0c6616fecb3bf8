//! The state that an app shows, as a table.

use crate::given::at;
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use fieldpost_sync::{ConnectionKind, ContextState, MessageSyncStatus, RecordStatus, Status, SyncError, SyncStatus};

fn error(kind: RemoteErrorKind) -> Option<SyncError> {
    Some(RemoteError::new(kind, "test").into())
}

/// Somebody is signed in, and both sides have synced.
fn synced() -> ContextState {
    ContextState {
        records: RecordStatus { signed_in: true, last_success_at: Some(at(2)), ..RecordStatus::default() },
        messages: Status { signed_in: true, last_success_at: Some(at(1)), ..Status::default() },
        connection: ConnectionKind::Wifi,
        triggered: false,
    }
}

fn with(change: impl FnOnce(&mut ContextState)) -> SyncStatus {
    let mut state = synced();
    change(&mut state);
    state.sync_status()
}

#[test]
fn one_word_says_what_matters_most() {
    let failed = error(RemoteErrorKind::Unavailable);
    assert_eq!(with(|_| {}), SyncStatus::Synced);
    assert_eq!(with(|state| state.records.pending = 1), SyncStatus::Pending);
    assert_eq!(with(|state| state.messages.pending = 1), SyncStatus::Pending);
    assert_eq!(with(|state| state.records.last_success_at = None), SyncStatus::Pending);
    assert_eq!(with(|state| state.records.audit_pending = 9), SyncStatus::Synced, "the log is nobody's concern");
    let mut state = synced();
    state.records.pending = 1;
    state.records.last_error = failed;
    assert_eq!(state.sync_status(), SyncStatus::Error, "error before pending");
    state.triggered = true;
    assert_eq!(state.sync_status(), SyncStatus::Syncing, "syncing before error");
    state.connection = ConnectionKind::None;
    assert_eq!(state.sync_status(), SyncStatus::Offline, "offline before syncing");
    (state.records.signed_in, state.messages.signed_in) = (false, false);
    assert_eq!(state.sync_status(), SyncStatus::SignedOut);
}

#[test]
fn an_error_of_the_messages_is_theirs_alone() {
    let mut state = synced();
    state.messages.last_error = error(RemoteErrorKind::Unavailable);
    assert_eq!((state.sync_status(), state.message_sync_status()), (SyncStatus::Synced, MessageSyncStatus::Error));
    assert!(state.last_error().is_some());
    state.records.last_error = error(RemoteErrorKind::Malformed);
    state.messages.last_error = None;
    assert_eq!((state.sync_status(), state.message_sync_status()), (SyncStatus::Error, MessageSyncStatus::Idle));
    state.messages.syncing = true;
    assert_eq!(state.message_sync_status(), MessageSyncStatus::Syncing);
}

#[test]
fn whichever_side_cannot_reach_the_server_it_is_offline() {
    for side in [0, 1] {
        let mut state = synced();
        let unreachable = error(RemoteErrorKind::Unreachable);
        if side == 0 {
            state.records.last_error = unreachable
        } else {
            state.messages.last_error = unreachable
        }
        assert!(!state.is_online());
        assert_eq!(state.sync_status(), SyncStatus::Offline);
    }
}

#[test]
fn numbers_are_of_both_sides_and_the_time_is_the_earlier() {
    let mut state = synced();
    (state.records.pending, state.messages.pending) = (2, 3);
    (state.records.failed, state.messages.failed) = (1, 4);
    assert_eq!((state.pending(), state.failed(), state.last_sync_at()), (5, 5, Some(at(1))));
    state.messages.last_success_at = None;
    assert_eq!(state.last_sync_at(), None);
}
