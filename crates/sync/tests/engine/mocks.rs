//! The engine with mocks, which check how often it calls what, and which fail on command.

use crate::given::*;
use fieldpost_domain::{
    AccessToken, BootstrapPage, Changes, Continuation, ConversationId, Intent, MarkRead, Mutation, MutationId,
    PersonId, RefreshToken, Retry, Seq, ServerLimits, Session, Time,
};
use fieldpost_remote::{MockAuth, MockMessagingApi, RemoteError, RemoteErrorKind, client_capabilities};
use fieldpost_storage::{
    ApplyReport, MockOutbox, MockReplica, MockSessions, MockTurns, OutboxCounts, StorageError, StorageErrorKind,
    SyncMemory, SyncPosition, SyncState, Turn,
};
use fieldpost_sync::{Engine, Parts, SyncError};
use fieldpost_testkit::env;
use std::{sync::Arc, time::Duration};

fn session(token: &str) -> Session {
    Session {
        person_id: PersonId::from_uuid(uuid::Uuid::from_u128(1)),
        email: None,
        access_token: AccessToken::new(token),
        refresh_token: RefreshToken::new("refresh"),
        expires_at: Time::from_timestamp_millis(4_000_000_000_000).unwrap(),
    }
}

struct Mocks {
    outbox: MockOutbox,
    replica: MockReplica,
    sessions: MockSessions,
    api: MockMessagingApi,
    auth: MockAuth,
}

/// Mocks of a signed-in device with a cursor and an empty outbox.
fn mocks() -> Mocks {
    let mut mocks = Mocks {
        outbox: MockOutbox::new(),
        replica: MockReplica::new(),
        sessions: MockSessions::new(),
        api: MockMessagingApi::new(),
        auth: MockAuth::new(),
    };
    mocks.outbox.expect_counts().returning(|| Ok(OutboxCounts::default()));
    mocks.outbox.expect_next_batch().returning(|_, _| Ok(vec![]));
    mocks.replica.expect_sync_state().returning(|| Ok(following()));
    mocks.replica.expect_remember().withf(|_, succeeded_at| succeeded_at.is_none()).returning(|_, _| Ok(()));
    mocks.sessions.expect_session().returning(|| Ok(Some(session("old"))));
    mocks
}

fn following() -> SyncState {
    let position = SyncPosition::Following("c".to_owned().try_into().unwrap());
    SyncState {
        position,
        run_open: false,
        me: None,
        last_success_at: None,
        unreadable_rows: 0,
        server: None,
        generation: 1,
        memory: SyncMemory { named: Some(client_capabilities()), ..SyncMemory::default() },
    }
}

fn engine(mocks: Mocks) -> Engine {
    let mut turns = MockTurns::new();
    turns.expect_try_turn().returning(|| Ok(Some(Turn::new(()))));
    Engine::new(Parts {
        outbox: Arc::new(mocks.outbox),
        replica: Arc::new(mocks.replica),
        sessions: Arc::new(mocks.sessions),
        turns: Arc::new(turns),
        api: Arc::new(mocks.api),
        auth: Arc::new(mocks.auth),
        env: env(1).0,
    })
}

#[tokio::test]
async fn a_call_refused_with_a_refreshed_token_is_not_repeated_again() {
    let mut mocks = mocks();
    mocks.api.expect_pull().times(2).returning(|_, _| Err(RemoteError::new(RemoteErrorKind::Unauthorized, "pull")));
    mocks.auth.expect_refresh().times(1).returning(|_| Ok(session("new")));
    mocks.sessions.expect_save_session().times(1).returning(|_| Ok(()));
    let error = engine(mocks).sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Remote(error) if error.kind() == RemoteErrorKind::NewTokenRefused));
}

#[tokio::test]
async fn rotated_tokens_that_cannot_be_stored_are_not_used() {
    let mut mocks = mocks();
    mocks.api.expect_pull().times(1).returning(|_, _| Err(RemoteError::new(RemoteErrorKind::Unauthorized, "pull")));
    mocks.auth.expect_refresh().times(1).returning(|_| Ok(session("new")));
    let full = || StorageError::new(StorageErrorKind::Full, "save_session");
    mocks.sessions.expect_save_session().times(1).returning(move |_| Err(full()));
    let error = engine(mocks).sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Storage(error) if error.kind() == StorageErrorKind::Full));
}

#[tokio::test]
async fn a_page_is_applied_with_the_cursor_of_its_request() {
    let mut mocks = mocks();
    mocks.api.expect_pull().times(1).returning(|token, request| {
        assert_eq!((token.reveal(), request.cursor.as_str()), ("old", "c"));
        Err(RemoteError::new(RemoteErrorKind::Malformed, "pull"))
    });
    mocks.replica.expect_apply_pull().never();
    assert!(engine(mocks).sync().await.is_err());
}

#[tokio::test]
async fn a_store_that_cannot_be_read_ends_the_sync_before_any_call() {
    let mut mocks = mocks();
    mocks.outbox = MockOutbox::new();
    mocks.outbox.expect_counts().returning(|| Ok(OutboxCounts::default()));
    mocks.outbox.expect_next_batch().returning(|_, _| Err(StorageError::new(StorageErrorKind::Corrupt, "next_batch")));
    mocks.api.expect_pull().never();
    mocks.api.expect_push().never();
    let error = engine(mocks).sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Storage(error) if error.kind() == StorageErrorKind::Corrupt));
}

#[tokio::test]
async fn retry_after_counts_although_the_store_fails_afterwards() {
    let mut mocks = mocks();
    mocks.outbox = MockOutbox::new();
    mocks.outbox.expect_counts().returning(|| Ok(OutboxCounts::default()));
    mocks.outbox.expect_next_batch().returning(|_, _| Ok(vec![read_mark()]));
    mocks.outbox.expect_withdraw().returning(|_| Err(StorageError::new(StorageErrorKind::Busy, "withdraw")));
    let later = Duration::from_secs(7);
    let too_many = move || RemoteError::new(RemoteErrorKind::RateLimited, "push").with_retry_after(later);
    mocks.api.expect_push().times(1).returning(move |_, _| Err(too_many()));
    let error = engine(mocks).sync().await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(later));
}

/// The first of several bootstrap pages.
fn first_page() -> BootstrapPage {
    BootstrapPage {
        transfer: fieldpost_domain::Transfer::default(),
        me: None,
        total_conversations: 50,
        changes: Changes::default(),
        cursor: "c".to_owned().try_into().unwrap(),
        next_after: Some(Continuation::new("rest")),
        epoch: None,
        digest: None,
        server_time: Time::UNIX_EPOCH,
        limits: ServerLimits::default(),
        server: fieldpost_domain::ServerInfo::default(),
    }
}

#[tokio::test]
async fn retry_after_of_a_prefetch_counts_although_the_store_fails_first() {
    let mut mocks = mocks();
    mocks.replica = MockReplica::new();
    let state = SyncState { position: SyncPosition::Fresh, ..following() };
    mocks.replica.expect_sync_state().returning(move || Ok(state.clone()));
    mocks.replica.expect_remember().times(1).returning(|_, _| Ok(()));
    mocks.replica.expect_begin_bootstrap().times(1).returning(|_| Ok(()));
    let busy = || Err(StorageError::new(StorageErrorKind::Busy, "begin_bootstrap"));
    mocks.replica.expect_begin_bootstrap().times(1).returning(move |_| busy());
    mocks.replica.expect_apply_first_screen().times(1).returning(|_| Ok(ApplyReport::default()));
    let later = Duration::from_secs(7);
    let too_many = move || RemoteError::new(RemoteErrorKind::RateLimited, "bootstrap").with_retry_after(later);
    mocks.api.expect_bootstrap().times(1).returning(|_, _| Ok(first_page()));
    mocks.api.expect_bootstrap().times(1).returning(move |_, _| Err(too_many()));
    let error = engine(mocks).sync().await.unwrap_err();
    assert_eq!(error.retry(), Retry::After(later));
}

fn read_mark() -> Mutation {
    let conversation_id = ConversationId::from_uuid(uuid::Uuid::from_u128(2));
    Mutation {
        id: MutationId::from_uuid(uuid::Uuid::from_u128(3)),
        intent: Intent::MarkRead(MarkRead { conversation_id, read_seq: Seq::new(1) }),
    }
}

#[tokio::test]
async fn signing_in_stores_the_session() {
    let server = fieldpost_remote::reference::ReferenceServer::demo();
    let phone = Phone::new(&server, 1);
    phone.sign_in(ADA).await;
    assert!(phone.restarted(2).engine.session().is_signed_in().await.unwrap());
}
