//! A session that the app owns: the app signs in when asked for a token without having one, and renews rejected tokens.

use crate::simulator::network::Link;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, Session};
use fieldpost_remote::{Auth, Credentials, RemoteErrorKind, RemoteResult};
use fieldpost_sync::{ProvidedToken, TokenError, TokenProvider};
use std::sync::Arc;
use tokio::sync::Mutex;

pub(crate) struct AppSession {
    link: Arc<Link>,
    credentials: Credentials,
    session: Mutex<Option<Session>>,
}

impl AppSession {
    pub(crate) fn new(link: Arc<Link>, credentials: Credentials) -> Self {
        Self { link, credentials, session: Mutex::default() }
    }

    async fn renewed(&self, session: Option<&Session>, refused: Option<&AccessToken>) -> RemoteResult<Session> {
        match session {
            None => self.link.sign_in(&self.credentials).await,
            Some(session) if refused == Some(&session.access_token) => self.link.refresh(&session.refresh_token).await,
            Some(session) => Ok(session.clone()),
        }
    }
}

#[async_trait]
impl TokenProvider for AppSession {
    async fn token(&self, refused: Option<&AccessToken>) -> Result<ProvidedToken, TokenError> {
        let mut session = self.session.lock().await;
        match self.renewed(session.as_ref(), refused).await {
            Ok(renewed) => {
                let token = ProvidedToken { person_id: renewed.person_id, access_token: renewed.access_token.clone() };
                *session = Some(renewed);
                Ok(token)
            }
            Err(error) if error.kind() == RemoteErrorKind::SessionEnded => {
                // The person signs in again in the app; the app then has a new session for the next request.
                *session = None;
                Err(TokenError::SignedOut)
            }
            Err(error) => Err(TokenError::Unavailable(Box::new(error))),
        }
    }
}
