//! Sessions run out; nothing is lost by it, and nothing is sent without one.

use crate::given::*;
use chrono::TimeDelta;
use fieldpost_domain::{AccessToken, RefreshToken, Session};
use fieldpost_remote::{
    Auth, Credentials, RemoteErrorKind, RemoteResult,
    reference::{DEMO_PASSWORD, ReferenceServer},
};
use fieldpost_storage::{Sessions, memory::MemoryStore};
use fieldpost_sync::{SessionKeeper, SyncError};
use fieldpost_testkit::env;
use std::sync::Arc;

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_and_the_call_made_again() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    server.expire_tokens(server.person_with(ADA).unwrap());
    let report = ada.sync().await;
    assert_eq!(report.pushed, 1);
    assert_eq!(ada.network.take_calls(), ["push", "refresh", "push", "pull"]);
}

#[tokio::test]
async fn many_calls_that_find_the_token_expired_refresh_it_once() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let token = ada.engine.session().token().await.unwrap();
    server.expire_tokens(server.person_with(ADA).unwrap());
    let renewed = futures::future::join_all((0..5).map(|_| ada.engine.session().replace(&token))).await;
    assert!(renewed.iter().all(Result::is_ok));
    assert_eq!(ada.network.take_calls(), ["refresh"]);
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_does_not_sign_out() {
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
async fn only_the_servers_word_ends_a_session_and_the_outbox_stays() {
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
async fn a_server_that_fails_at_refreshing_signs_nobody_out() {
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
async fn nothing_is_called_when_nobody_is_signed_in() {
    let server = ReferenceServer::demo();
    let phone = Phone::new(&server, 1);
    assert!(matches!(phone.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(phone.network.take_calls().is_empty());
}

#[tokio::test]
async fn a_phone_whose_clock_is_a_year_ahead_does_not_refresh_before_every_call() {
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
    assert_eq!(restarted.network.take_calls(), ["refresh", "pull", "pull"]);
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
    assert_eq!(ada.restarted(2).sync().await.requests, 1, "a restart goes on with the stored one");
}

#[tokio::test]
async fn signing_out_works_offline_and_keeps_what_waits() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("hello").await;
    ada.network.go_offline();
    ada.engine.session().sign_out().await.unwrap();
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert_eq!(ada.pending().await, 1);
}

#[tokio::test]
async fn another_account_cannot_sign_in_on_this_database() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let other = fieldpost_remote::Credentials {
        email: ADMIN.to_owned(),
        password: fieldpost_remote::reference::DEMO_PASSWORD.into(),
    };
    assert!(ada.engine.session().sign_in(&other).await.is_err());
    assert_eq!(ada.sync().await.requests, 1, "the one who was signed in still is");
}

#[tokio::test]
async fn tokens_that_another_process_rotated_are_taken_over_and_not_ended() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let other = ada.restarted(2);
    let first = ada.engine.session().token().await.unwrap();
    // The other process renews twice: what this one remembers is older than the server forgives.
    let second = other.engine.session().replace(&first).await.unwrap();
    let third = other.engine.session().replace(&second).await.unwrap();
    assert_eq!(ada.engine.session().replace(&first).await.unwrap(), third);
    assert!(ada.network.take_calls().is_empty(), "nothing had to be fetched");
    assert!(other.restarted(3).engine.session().is_signed_in().await.unwrap());
}

#[tokio::test]
async fn a_token_that_another_process_left_and_that_ran_out_is_renewed_too() {
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
async fn a_session_that_another_process_signed_out_is_not_brought_back() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let token = ada.engine.session().token().await.unwrap();
    let other = ada.restarted(2);
    other.network.go_offline();
    other.engine.sign_out().await.unwrap();
    assert!(matches!(ada.engine.session().replace(&token).await, Err(SyncError::SignedOut)));
    assert_eq!(ada.store.session().await.unwrap(), None);
}

/// Signs in, and then never answers.
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
async fn whoever_only_wants_to_know_or_to_sign_out_does_not_wait_for_a_refresh() {
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
async fn signing_in_again_forgets_what_went_wrong_before() {
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

/// Renews its tokens and counts how often.
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
async fn a_token_is_renewed_ahead_of_its_end_by_a_clock_that_never_jumps() {
    let (env, clock) = env(1);
    let auth = Arc::new(Hourly { renewed: 0.into(), clock: clock.clone() });
    let keeper = SessionKeeper::new(auth, Arc::new(MemoryStore::new()), env);
    keeper.sign_in(&Phone::credentials(ADA)).await.unwrap();
    let token = async || keeper.token().await.unwrap().reveal().to_owned();
    let minutes = |n: u64| std::time::Duration::from_secs(60 * n);

    clock.advance(TimeDelta::days(365));
    assert_eq!(token().await, "access 0", "the device's clock alone judges nothing");
    tokio::time::advance(minutes(58)).await;
    assert_eq!(token().await, "access 0");
    tokio::time::advance(minutes(1)).await;
    assert_eq!(token().await, "access 1", "a minute before its end");
    assert_eq!(token().await, "access 1");
}
