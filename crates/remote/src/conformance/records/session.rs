//! The calls need a session.

use super::{
    Clerk, RecordsBackend,
    actor::{asked, read_of, worker},
};
use crate::{
    RemoteErrorKind,
    conformance::{Action, Scene, Verdict, actor::failure},
};
use fieldpost_domain::AccessToken;

async fn kinds(backend: &dyn RecordsBackend, ada: &Clerk<'_>, token: &AccessToken) -> [RemoteErrorKind; 3] {
    let (api, create) = (backend.records(), ada.create("workers", worker("Moss")));
    [
        failure(api.pull_records(token, asked(&["workers"], None)).await),
        failure(api.push_records(token, std::slice::from_ref(&create)).await),
        failure(api.push_audit(token, &[read_of("workers", create.record_id)]).await),
    ]
}

/// Given a made-up token, then every call is unauthorized.
pub async fn a_made_up_token_is_unauthorized(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    for token in ["nonsense", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"] {
        assert_eq!(kinds(backend, &ada, &AccessToken::new(token)).await, [RemoteErrorKind::Unauthorized; 3]);
    }
    assert_eq!(ada.load(&["workers"]).await.rows, []);
    Ok(())
}

/// Given a token that has expired, then every call is unauthorized.
pub async fn an_expired_token_is_unauthorized(backend: &dyn RecordsBackend) -> Verdict {
    let scene = Scene::with_medics(backend, 1).await;
    let ada = Clerk::medic(backend, &scene, 0).await;
    scene.perform(Action::ExpireTokens { person_id: ada.id() }).await?;
    assert_eq!(kinds(backend, &ada, ada.token()).await, [RemoteErrorKind::Unauthorized; 3]);
    Ok(())
}
