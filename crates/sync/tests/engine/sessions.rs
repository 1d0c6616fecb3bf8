//! Sessions expire. Nothing is lost then, and nothing is sent without a session.

use crate::given::*;
use chrono::TimeDelta;
use fieldpost_domain::{AccessToken, RefreshToken, Retry, Session};
use fieldpost_remote::{
    Auth, Credentials, MockMessagingApi, RemoteError, RemoteErrorKind, RemoteResult,
    reference::{DEMO_PASSWORD, ReferenceServer},
};
use fieldpost_storage::{Sessions, Store, memory::MemoryStore};
use fieldpost_sync::{SessionKeeper, SyncError};
use fieldpost_testkit::{Fault, env};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn an_expired_token_is_refreshed_and_the_call_repeated() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    server.expire_tokens(server.person_with(ADA).unwrap());
    let report = ada.sync().await;
    assert_eq!(report.pushed, 1);
    assert_eq!(ada.network.take_calls(), ["push", "refresh", "push"]);
}

#[tokio::test]
async fn concurrent_calls_with_an_expired_token_share_one_refresh() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let token = ada.engine.session().token().await.unwrap();
    server.expire_tokens(server.person_with(ADA).unwrap());
    let renewed = futures::future::join_all((0..5).map(|_| ada.engine.session().replace(&token))).await;
    assert!(renewed.iter().all(Result::is_ok));
    assert_eq!(ada.network.take_calls(), ["refresh"]);
}

#[tokio::test]
async fn a_refresh_with_a_lost_response_does_not_sign_out() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    server.expire_tokens(server.person_with(ADA).unwrap());
    let token = ada.engine.session().token().await.unwrap();
    ada.network.lose_next_answer();
    assert!(ada.engine.session().replace(&token).await.is_err());
    assert!(ada.engine.session().is_signed_in().await.unwrap());
    assert_eq!(ada.sync().await.pushed, 1, "the same refresh token is accepted again");
}

#[tokio::test]
async fn a_session_that_the_server_ended_signs_out_and_keeps_the_outbox() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    let person = server.person_with(ADA).unwrap();
    server.expire_tokens(person);
    server.end_sessions(person);
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert_eq!(ada.pending().await, 1);
    assert!(!ada.engine.session().is_signed_in().await.unwrap());
    ada.sign_in(ADA).await;
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test]
async fn a_failed_refresh_does_not_sign_out() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let token = ada.engine.session().token().await.unwrap();
    for kind in [RemoteErrorKind::Unavailable, RemoteErrorKind::RateLimited, RemoteErrorKind::Unreachable] {
        ada.network.fail_next(kind);
        assert!(ada.engine.session().replace(&token).await.is_err());
        assert!(ada.engine.session().is_signed_in().await.unwrap(), "{kind:?}");
    }
}

#[tokio::test]
async fn no_call_is_made_when_nobody_is_signed_in() {
    let server = ReferenceServer::demo();
    let phone = Phone::new(&server, 1);
    assert!(matches!(phone.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(phone.network.take_calls().is_empty());
}

#[tokio::test]
async fn a_session_ends_by_the_clock_of_the_server_in_this_process_and_the_next() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.clock.advance(TimeDelta::days(365));
    ada.sync().await;
    ada.sync().await;
    assert_eq!(ada.network.take_calls(), ["pull", "pull"]);
    let restarted = ada.restarted(2);
    restarted.clock.advance(TimeDelta::days(365));
    restarted.sync().await;
    restarted.sync().await;
    assert_eq!(restarted.network.take_calls(), ["pull", "pull"], "the file knows the difference");
}

#[tokio::test]
async fn a_clock_that_was_put_wrong_between_two_processes_costs_one_refresh() {
    let server = ReferenceServer::demo();
    let mut ada = Phone::of(&server, ADA, 1).await;
    for (seed, expected) in [(2, ["refresh", "pull"].as_slice()), (3, ["pull"].as_slice())] {
        ada = ada.restarted(seed);
        ada.clock.advance(TimeDelta::minutes(65));
        ada.sync().await;
        assert_eq!(ada.network.take_calls(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_its_own_tokens_is_asked_for_one_a_minute() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let mut api = MockMessagingApi::new();
    api.expect_pull().returning(|_, _| Err(RemoteError::new(RemoteErrorKind::Unauthorized, "pull")));
    let engine = ada.engine_with_api(api);
    for second in 0..90 {
        let error = engine.sync().await.unwrap_err();
        assert!(matches!(&error, SyncError::Remote(error) if error.kind() == RemoteErrorKind::NewTokenRefused));
        assert!(matches!(error.retry(), Retry::After(_)), "out of reach for now, not signed out");
        assert_eq!(ada.network.take_calls().len(), usize::from(second % 60 == 0), "after {second} s");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(engine.session().is_signed_in().await.unwrap());
}

#[tokio::test]
async fn a_rotated_token_is_stored_before_it_is_used() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let before = ada.store.session().await.unwrap().unwrap();
    ada.engine.session().replace(&before.access_token).await.unwrap();
    let after = ada.store.session().await.unwrap().unwrap();
    let differ = |a: &RefreshToken, b: &RefreshToken| a.reveal() != b.reveal();
    assert!(differ(&before.refresh_token, &after.refresh_token));
    assert_eq!(ada.restarted(2).sync().await.requests, 1, "a restart uses the stored token");
}

#[tokio::test]
async fn signing_out_works_offline_and_keeps_the_outbox() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    ada.network.go_offline();
    ada.engine.session().sign_out().await.unwrap();
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert_eq!(ada.pending().await, 1);
}

#[tokio::test]
async fn another_person_cannot_sign_in_to_this_database() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let other = fieldpost_remote::Credentials {
        email: ADMIN.to_owned(),
        password: fieldpost_remote::reference::DEMO_PASSWORD.into(),
    };
    assert!(ada.engine.session().sign_in(&other).await.is_err());
    assert_eq!(ada.sync().await.requests, 1, "the first person is still signed in");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_another_process_rotated_are_adopted() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let other = ada.restarted(2);
    let first = ada.engine.session().token().await.unwrap();
    // The other process refreshes twice, so the server no longer accepts the refresh token that this one remembers.
    let second = other.engine.session().replace(&first).await.unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    let third = other.engine.session().replace(&second).await.unwrap();
    assert_eq!(ada.engine.session().replace(&first).await.unwrap(), third);
    assert!(ada.network.take_calls().is_empty(), "no refresh was needed");
    assert!(other.restarted(3).engine.session().is_signed_in().await.unwrap());
}

#[tokio::test]
async fn an_adopted_token_that_has_expired_is_refreshed() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let other = ada.restarted(2);
    let first = ada.engine.session().token().await.unwrap();
    other.engine.session().replace(&first).await.unwrap();
    server.expire_tokens(server.person_with(ADA).unwrap());
    ada.sync().await;
    assert_eq!(ada.network.take_calls(), ["pull", "pull", "refresh", "pull"]);
}

#[tokio::test]
async fn a_session_that_another_process_signed_out_stays_signed_out() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let token = ada.engine.session().token().await.unwrap();
    let other = ada.restarted(2);
    other.network.go_offline();
    other.engine.sign_out().await.unwrap();
    assert!(matches!(ada.engine.session().replace(&token).await, Err(SyncError::SignedOut)));
    assert_eq!(ada.store.session().await.unwrap(), None);
}

/// A server whose refresh never returns.
struct Silent(ReferenceServer);

#[async_trait::async_trait]
impl Auth for Silent {
    async fn sign_in(&self, credentials: &Credentials) -> RemoteResult<Session> {
        self.0.sign_in(credentials).await
    }

    async fn refresh(&self, _: &RefreshToken) -> RemoteResult<Session> {
        std::future::pending().await
    }

    async fn sign_out(&self, _: &AccessToken) -> RemoteResult<()> {
        Ok(())
    }
}

#[tokio::test]
async fn is_signed_in_and_sign_out_do_not_wait_for_a_refresh() {
    let store = Arc::new(MemoryStore::new());
    let keeper = SessionKeeper::new(Arc::new(Silent(ReferenceServer::demo())), store.clone(), env(1).0);
    let credentials = Credentials { email: ADA.to_owned(), password: DEMO_PASSWORD.into() };
    let token = keeper.sign_in(&credentials).await.unwrap().access_token;
    let refresh = keeper.replace(&token);
    tokio::pin!(refresh);
    tokio::select! { biased; _ = &mut refresh => panic!("it never answers"), () = std::future::ready(()) => {} }
    assert!(keeper.is_signed_in().await.unwrap());
    keeper.sign_out().await.unwrap();
    assert!(!keeper.is_signed_in().await.unwrap());
}

#[tokio::test]
async fn signing_in_clears_the_last_error() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let person = server.person_with(ADA).unwrap();
    server.expire_tokens(person);
    server.end_sessions(person);
    assert!(ada.engine.sync().await.is_err());
    let credentials = Credentials { email: ADA.to_owned(), password: DEMO_PASSWORD.into() };
    ada.engine.sign_in(&credentials).await.unwrap();
    assert!(ada.engine.status().borrow().last_error.is_none());
}

/// A server that counts refreshes and issues tokens for an hour.
struct Hourly {
    renewed: std::sync::atomic::AtomicU32,
    clock: Arc<fieldpost_testkit::ManualClock>,
}

impl Hourly {
    fn session(&self, number: u32) -> Session {
        use fieldpost_sync::Clock as _;
        Session {
            person_id: fieldpost_domain::PersonId::from_uuid(uuid::Uuid::from_u128(1)),
            email: None,
            access_token: AccessToken::new(format!("access {number}")),
            refresh_token: RefreshToken::new(format!("refresh {number}")),
            expires_at: self.clock.now() + TimeDelta::hours(1),
        }
    }
}

#[async_trait::async_trait]
impl Auth for Hourly {
    async fn sign_in(&self, _: &Credentials) -> RemoteResult<Session> {
        Ok(self.session(0))
    }

    async fn refresh(&self, _: &RefreshToken) -> RemoteResult<Session> {
        Ok(self.session(self.renewed.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1))
    }

    async fn sign_out(&self, _: &AccessToken) -> RemoteResult<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refreshed_early_by_the_monotonic_clock() {
    let (env, clock) = env(1);
    let auth = Arc::new(Hourly { renewed: 0.into(), clock: clock.clone() });
    let keeper = SessionKeeper::new(auth, Arc::new(MemoryStore::new()), env);
    keeper.sign_in(&Phone::credentials(ADA)).await.unwrap();
    let token = async || keeper.token().await.unwrap().reveal().to_owned();
    let minutes = |n: u64| std::time::Duration::from_secs(60 * n);

    clock.advance(TimeDelta::days(365));
    assert_eq!(token().await, "access 0", "the device clock alone invalidates no token");
    tokio::time::advance(minutes(58)).await;
    assert_eq!(token().await, "access 0");
    tokio::time::advance(minutes(1)).await;
    assert_eq!(token().await, "access 1", "a minute before its end");
    assert_eq!(token().await, "access 1");
}

#[tokio::test(start_paused = true)]
async fn the_first_token_of_a_device_with_a_wrong_clock_is_refreshed_early_once_the_server_has_told_the_time() {
    for ahead in [TimeDelta::days(365), TimeDelta::days(-365), TimeDelta::minutes(50)] {
        let (env, clock) = env(1);
        let server = fieldpost_testkit::ManualClock::default();
        let auth = Arc::new(Hourly { renewed: 0.into(), clock: server.into() });
        clock.advance(ahead);
        let keeper = SessionKeeper::new(auth, Arc::new(MemoryStore::new()), env);
        keeper.sign_in(&Phone::credentials(ADA)).await.unwrap();
        let token = async || keeper.token().await.unwrap().reveal().to_owned();
        keeper.clock_is_ahead(Some(ahead.num_milliseconds()));
        tokio::time::advance(std::time::Duration::from_secs(60 * 58)).await;
        assert_eq!(token().await, "access 0");
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
        assert_eq!(token().await, "access 1", "a minute before its end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_new_token_heeds_a_wait_that_was_named_meanwhile() {
    // Given: a pull whose token is refused, and a push beside it that is told to wait.
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    server.expire_tokens(server.person_with(ADA).unwrap());
    ada.network.order(0, Fault::SlowBack(500));
    ada.network.order(1, Fault::TooMany(30));
    let writes = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        ada.write("hello").await;
    };

    // When
    let (synced, _) = tokio::join!(ada.engine.sync(), writes);

    // Then
    assert_eq!(ada.network.take_calls(), ["pull", "push", "refresh"]);
    assert_eq!(synced.unwrap_err().retry(), Retry::After(Duration::from_secs(30)));
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test]
async fn a_session_that_began_before_the_store_was_wiped_is_gone_with_it() {
    // Given
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.engine.sign_out().await.unwrap();
    ada.engine.sign_in(&Phone::credentials(ADA)).await.unwrap();

    // When
    ada.engine.pause().await;
    ada.store.wipe().await.unwrap();
    ada.engine.forget().await;
    ada.engine.resume();

    // Then
    assert!(!ada.engine.session().is_signed_in().await.unwrap());
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)), "nothing comes into a file of nobody");
}
