//! An app that owns the session and provides tokens.

use crate::given::*;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, Session};
use fieldpost_remote::{Auth, RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::{Sessions, StorageErrorKind};
use fieldpost_sync::{ProvidedToken, Runner, SyncError, TokenError, TokenProvider};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// An app with a session of its own.
struct App {
    server: ReferenceServer,
    state: Mutex<State>,
    /// While it is held, the app does not answer.
    answering: tokio::sync::Mutex<()>,
}

struct State {
    session: Option<Session>,
    offline: bool,
    /// Claim that the token belongs to this person.
    claims: Option<fieldpost_domain::PersonId>,
    refused: u32,
}

impl App {
    async fn of(server: &ReferenceServer, email: &str) -> Arc<Self> {
        let session = Some(server.sign_in(&Phone::credentials(email)).await.unwrap());
        let state = Mutex::new(State { session, offline: false, claims: None, refused: 0 });
        Arc::new(Self { server: server.clone(), state, answering: tokio::sync::Mutex::default() })
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    async fn signs_in(&self, email: &str) {
        let session = self.server.sign_in(&Phone::credentials(email)).await.unwrap();
        self.set(|state| state.session = Some(session));
    }
}

#[async_trait]
impl TokenProvider for App {
    async fn token(&self, refused: Option<&AccessToken>) -> Result<ProvidedToken, TokenError> {
        let session = {
            let mut state = self.state.lock().unwrap();
            state.refused += u32::from(refused.is_some());
            if state.offline {
                return Err(TokenError::Unavailable("no network".into()));
            }
            state.session.clone().ok_or(TokenError::SignedOut)?
        };
        let session = match refused {
            Some(_) => self.server.refresh(&session.refresh_token).await.map_err(|_| TokenError::SignedOut)?,
            None => session,
        };
        let _answering = self.answering.lock().await;
        let mut state = self.state.lock().unwrap();
        state.session = Some(session.clone());
        let person_id = state.claims.unwrap_or(session.person_id);
        Ok(ProvidedToken { person_id, access_token: session.access_token })
    }
}

async fn phone(server: &ReferenceServer, app: &Arc<App>) -> Phone {
    let phone = Phone::with_tokens(server, 1, app.clone());
    phone.sync().await;
    phone.network.take_calls();
    phone
}

#[tokio::test]
async fn the_apps_token_goes_with_every_call_and_none_is_stored() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    ada.write("hello").await;
    assert_eq!(ada.sync().await.pushed, 1);
    assert_eq!(ada.store.session().await.unwrap(), None);
    assert_eq!(ada.store.account().await.unwrap(), server.person_with(ADA));
}

#[tokio::test]
async fn a_rejected_token_is_replaced_by_the_app_once() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    ada.write("hello").await;
    server.expire_tokens(server.person_with(ADA).unwrap());
    assert_eq!(ada.sync().await.pushed, 1);
    assert_eq!(app.state.lock().unwrap().refused, 1);
    assert_eq!(ada.network.take_calls(), ["push", "push", "pull"]);
}

#[tokio::test]
async fn concurrent_calls_with_a_rejected_token_ask_the_app_once() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    let session = ada.engine.session();
    let token = session.token().await.unwrap();
    let renewed = futures::future::join_all((0..5).map(|_| session.replace(&token))).await;
    assert!(renewed.iter().all(|renewed| renewed.as_ref().is_ok_and(|renewed| *renewed != token)));
    assert_eq!(app.state.lock().unwrap().refused, 1);
}

#[tokio::test]
async fn a_token_that_arrives_after_sign_out_signs_nobody_in() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    let answering = app.answering.lock().await;
    let leaving = async {
        ada.engine.sign_out().await.unwrap();
        drop(answering);
    };
    let (token, ()) = tokio::join!(ada.engine.session().token(), leaving);
    assert!(matches!(token, Err(SyncError::SignedOut)));
    assert!(!ada.engine.session().is_signed_in().await.unwrap());
    ada.engine.session_changed().await;
    assert!(ada.engine.session().is_signed_in().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_file_of_somebody_opens_without_an_answer_of_the_app() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;

    // The app renews its session, on a network that answers nothing.
    let answering = app.answering.lock().await;
    let started = ada.restarted_with_tokens(2, app.clone());
    let opening = tokio::time::timeout(Duration::from_secs(1), started.engine.refresh_status());
    opening.await.unwrap().unwrap();
    assert!(started.engine.status().borrow().signed_in);
    drop(answering);

    // What the app says then counts.
    assert!(started.engine.session().token().await.is_ok());
    app.set(|state| state.session = None);
    assert!(matches!(started.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(!started.engine.status().borrow().signed_in);
}

#[tokio::test(start_paused = true)]
async fn a_file_of_nobody_opens_without_an_answer_of_the_app() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let answering = app.answering.lock().await;
    let ada = Phone::with_tokens(&server, 1, app.clone());

    let opening = tokio::time::timeout(Duration::from_secs(1), ada.engine.refresh_status());
    opening.await.unwrap().unwrap();
    assert!(!ada.engine.status().borrow().signed_in);

    // Whoever asks later finds the answer of the same question.
    drop(answering);
    assert!(ada.engine.session().is_signed_in().await.unwrap());
}

#[tokio::test]
async fn an_app_that_was_signed_out_before_the_start_is_signed_out() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    let started = ada.restarted_with_tokens(2, app.clone());

    app.set(|state| state.session = None);
    started.engine.refresh_status().await.unwrap();

    assert!(!started.engine.status().borrow().signed_in);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_ends_with_the_session() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let _answering = app.answering.lock().await;
    let ada = Phone::with_tokens(&server, 1, app.clone());
    ada.engine.refresh_status().await.unwrap();

    drop(ada);
    tokio::time::sleep(Duration::from_secs(1)).await;

    assert_eq!(Arc::strong_count(&app), 1);
}

#[tokio::test]
async fn an_app_that_says_that_its_session_has_changed_is_asked() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    let started = ada.restarted_with_tokens(2, app.clone());

    app.set(|state| state.session = None);
    started.engine.session_changed().await;

    assert!(!started.engine.status().borrow().signed_in);
}

#[tokio::test]
async fn the_token_of_another_person_fails_the_sync_before_any_call() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    ada.write("hello").await;
    let wrong = |result: Result<_, SyncError>| match result {
        Err(SyncError::Storage(error)) => assert_eq!(error.kind(), StorageErrorKind::WrongAccount),
        other => panic!("{other:?}"),
    };

    app.signs_in(ADMIN).await;
    wrong(ada.engine.sync().await);
    // While an app switches accounts, it may combine the id of one person with the token of another.
    app.set(|state| state.claims = server.person_with(ADA));
    wrong(ada.engine.sync().await);
    assert!(ada.network.take_calls().is_empty(), "no call was made");
    assert_eq!(ada.pending().await, 1);

    app.set(|state| state.claims = None);
    app.signs_in(ADA).await;
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test]
async fn the_public_key_is_never_sent_as_a_token() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    ada.write("hello").await;
    // {"alg":"HS256"} . {"role":"anon","iss":"supabase"}
    let key = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiIsImlzcyI6InN1cGFiYXNlIn0.c2ln";
    app.set(|state| state.session.as_mut().unwrap().access_token = AccessToken::new(key));
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(ada.network.take_calls().is_empty());
}

#[tokio::test]
async fn signing_out_in_the_app_keeps_the_outbox_until_the_session_changes() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    app.set(|state| state.session = None);
    ada.write("hello").await;
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(!ada.engine.status().borrow().signed_in);
    app.signs_in(ADA).await;
    ada.engine.session_changed().await;
    assert!(ada.engine.status().borrow().signed_in);
    assert_eq!(ada.sync().await.pushed, 1);
}

#[tokio::test]
async fn an_app_that_cannot_renew_its_session_is_offline_and_not_signed_out() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    app.set(|state| state.offline = true);
    match ada.engine.sync().await {
        Err(SyncError::Remote(error)) => assert_eq!(error.kind(), RemoteErrorKind::Unreachable),
        other => panic!("{other:?}"),
    }
    assert!(ada.engine.status().borrow().signed_in);
}

#[tokio::test]
async fn after_sign_out_the_app_is_not_asked_until_its_session_changes() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    ada.engine.sign_out().await.unwrap();
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(ada.network.take_calls().is_empty());
    ada.engine.session_changed().await;
    ada.sync().await;
    assert!(ada.engine.sign_in(&Phone::credentials(ADA)).await.is_err(), "only the app signs in");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_is_signed_in_again_when_another_call_asks_for_a_token_is_synced() {
    // Given
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    let _runner = Runner::start(Arc::clone(&ada.engine));
    tokio::time::sleep(Duration::from_secs(1)).await;
    app.set(|state| state.session = None);
    ada.write("hello").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ada.pending().await, 1, "nobody is signed in");

    // When
    app.signs_in(ADA).await;
    ada.engine.session().token().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;

    // Then
    assert_eq!(ada.pending().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_session_has_ended_signs_nobody_in_again() {
    // Given
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    let _runner = Runner::start(Arc::clone(&ada.engine));
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.end_sessions(server.person_with(ADA).unwrap());
    server.expire_tokens(server.person_with(ADA).unwrap());
    ada.write("hello").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ada.network.take_calls().last(), Some(&"push"), "and it was refused");

    // When: the app still has the session, and does not know that it has ended.
    ada.engine.session().token().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;

    // Then
    assert!(ada.network.take_calls().is_empty());
}
