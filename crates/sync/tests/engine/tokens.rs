//! An app that owns the session and is asked for tokens.

use crate::given::*;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, Session};
use fieldpost_remote::{Auth, RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::{Sessions, StorageErrorKind};
use fieldpost_sync::{ProvidedToken, SyncError, TokenError, TokenProvider};
use std::sync::{Arc, Mutex};

/// An app with a session of its own.
struct App {
    server: ReferenceServer,
    state: Mutex<State>,
    /// Whoever holds it keeps the answer back.
    answering: tokio::sync::Mutex<()>,
}

struct State {
    session: Option<Session>,
    offline: bool,
    /// Claims that the token is somebody else's than it is.
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
async fn a_token_that_is_not_accepted_is_asked_for_once_more() {
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
async fn many_calls_that_find_it_not_accepted_ask_once() {
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
async fn a_token_that_comes_after_signing_out_signs_nobody_in() {
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

#[tokio::test]
async fn another_persons_token_never_sends_this_outbox() {
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
    // In the middle of switching accounts an app may hold the id of one and the token of the other.
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
async fn signed_out_keeps_the_outbox_and_a_change_of_session_sends_it() {
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
async fn an_app_that_cannot_renew_right_now_is_offline_and_not_signed_out() {
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
async fn after_signing_out_here_the_app_is_not_asked_until_it_says_so() {
    let server = ReferenceServer::demo();
    let app = App::of(&server, ADA).await;
    let ada = phone(&server, &app).await;
    ada.engine.sign_out().await.unwrap();
    assert!(matches!(ada.engine.sync().await, Err(SyncError::SignedOut)));
    assert!(ada.network.take_calls().is_empty());
    ada.engine.session_changed().await;
    ada.sync().await;
    assert!(ada.engine.sign_in(&Phone::credentials(ADA)).await.is_err(), "it is the app that signs in");
}
