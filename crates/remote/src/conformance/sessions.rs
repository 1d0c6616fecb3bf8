//! Signing in and staying signed in.

use super::{Action, Actor, Backend, Scene, Verdict, actor::failure};
use crate::{BootstrapRequest, Credentials, HistoryRequest, PullRequest, PushRequest, RemoteErrorKind};
use fieldpost_domain::{AccessToken, RefreshToken};
use std::time::Duration;

/// Given an account, when she signs in, then the session is hers and authorizes the calls.
pub async fn a_password_opens_a_session(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    assert_eq!(ada.session.person_id, scene.person(0));
    assert!(ada.session.expires_at > chrono::Utc::now());
    assert_eq!(ada.bootstrap().await.me.map(|me| me.id), Some(ada.id));
    Ok(())
}

/// Given an account, when the password or the address is wrong, then both get the same answer.
pub async fn a_wrong_password_or_address_is_wrong_credentials(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let right = &scene.world.medics[0].credentials;
    let wrong_password = Credentials { password: "not it".into(), ..right.clone() };
    let wrong_address = Credentials { email: format!("not.{}", right.email), ..right.clone() };
    for credentials in [wrong_password, wrong_address] {
        assert_eq!(failure(backend.auth().sign_in(&credentials).await), RemoteErrorKind::WrongCredentials);
    }
    Ok(())
}

/// Given no session, when a call uses a made-up token, then it is unauthorized and never served as another person.
pub async fn a_made_up_token_is_unauthorized(backend: &dyn Backend) -> Verdict {
    for token in ["nonsense", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"] {
        let answer = backend.api().bootstrap(&AccessToken::new(token), BootstrapRequest::default()).await;
        assert_eq!(failure(answer), RemoteErrorKind::Unauthorized);
    }
    Ok(())
}

/// Given a session, when its token expires, then every call is unauthorized and a refresh repairs it.
pub async fn an_expired_token_is_unauthorized_in_every_call(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let (cursor, conversation) = (ada.cursor().await, ada.open_own().await.id);
    scene.perform(Action::ExpireTokens { person_id: ada.id }).await?;

    let (api, token) = (backend.api(), ada.token());
    let history = HistoryRequest { conversation_id: conversation, before: None, limit: None, bytes: None };
    let kinds = [
        failure(api.bootstrap(token, BootstrapRequest::default()).await),
        failure(api.pull(token, PullRequest { cursor, limit: None, bytes: None }).await),
        failure(api.push(token, &PushRequest::default()).await),
        failure(api.history(token, history).await),
    ];
    assert_eq!(kinds, [RemoteErrorKind::Unauthorized; 4]);

    let session = backend.auth().refresh(&ada.session.refresh_token).await.expect("the refresh token is good");
    assert!(api.bootstrap(&session.access_token, BootstrapRequest::default()).await.is_ok());
    Ok(())
}

/// Given a session, when it is refreshed, then the new one belongs to the same person, works, and can be refreshed in
/// turn.
pub async fn a_refresh_gives_a_new_session_that_works(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let second = backend.auth().refresh(&ada.session.refresh_token).await.expect("a refresh");
    assert_eq!(second.person_id, ada.id);
    assert_ne!(second.refresh_token, ada.session.refresh_token, "refresh tokens rotate");
    assert!(backend.api().bootstrap(&second.access_token, BootstrapRequest::default()).await.is_ok());
    assert!(backend.auth().refresh(&second.refresh_token).await.is_ok());
    Ok(())
}

/// Given a refresh whose response was lost, when the old token is resent, then the session continues.
pub async fn a_refresh_whose_answer_was_lost_may_be_repeated(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = scene.medic(0).await;
    let _lost = backend.auth().refresh(&ada.session.refresh_token).await.expect("a refresh");
    let again = backend.auth().refresh(&ada.session.refresh_token).await.expect("the parent is still accepted");
    assert!(backend.api().bootstrap(&again.access_token, BootstrapRequest::default()).await.is_ok());
    assert!(backend.auth().refresh(&again.refresh_token).await.is_ok());
    Ok(())
}

/// Given a token refreshed twice, when the first one comes back, then it looks like theft and the session ends.
pub async fn a_refresh_token_older_than_the_parent_ends_the_session(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let first = scene.medic(0).await.session.refresh_token;
    let second = backend.auth().refresh(&first).await.expect("a refresh").refresh_token;
    let third = backend.auth().refresh(&second).await.expect("a refresh").refresh_token;
    // GoTrue tolerates reuse for some seconds.
    scene.perform(Action::AdvanceClock { by: Duration::from_secs(60) }).await?;
    assert_eq!(failure(backend.auth().refresh(&first).await), RemoteErrorKind::SessionEnded);
    assert_eq!(failure(backend.auth().refresh(&third).await), RemoteErrorKind::SessionEnded);
    Ok(())
}

/// Given no session, when a made-up refresh token comes, then it is refused.
pub async fn an_unknown_refresh_token_is_refused(backend: &dyn Backend) -> Verdict {
    let refused = backend.auth().refresh(&RefreshToken::new("made-up")).await;
    assert_eq!(failure(refused), RemoteErrorKind::SessionEnded);
    Ok(())
}

/// Given two sessions of one person, when she signs out of one, then that one cannot be refreshed and the other can.
pub async fn after_signing_out_nothing_can_be_refreshed(backend: &dyn Backend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let phone = scene.medic(0).await;
    let tablet = Actor::sign_in(backend, &scene.world.medics[0]).await;
    backend.auth().sign_out(phone.token()).await.expect("signing out");
    let ended = backend.auth().refresh(&phone.session.refresh_token).await;
    assert_eq!(failure(ended), RemoteErrorKind::SessionEnded);
    assert!(backend.auth().refresh(&tablet.session.refresh_token).await.is_ok());
    Ok(())
}
