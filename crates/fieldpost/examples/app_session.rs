//! An app that signs in with its own library (supabase-swift, supabase-kt, supabase-js) and provides the tokens.
//!
//! ```text
//! cargo run -p fieldpost --example app_session -- <url> <key> <file> <user id> <access token>
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a terminal")]

use fieldpost::{AccessToken, Client, Fieldpost, PersonId, ProvidedToken, TokenError, TokenProvider};
use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, file, person, token] = &arguments[..] else {
        return Err("usage: app_session <url> <key> <file> <user id> <access token>".into());
    };
    let session = Arc::new(AppSession::default());
    session.signed_in(person.parse()?, AccessToken::new(token.as_str()));
    let client = open(url, key, file, session).await?;
    println!("{} requests", client.sync().await?.requests);
    client.close().await?;
    Ok(())
}

/// Stands in for the session of the app's own library.
#[derive(Debug, Default)]
pub(crate) struct AppSession(Mutex<Option<ProvidedToken>>);

impl AppSession {
    /// Call [`Client::session_changed`] afterwards.
    pub(crate) fn signed_in(&self, person_id: PersonId, access_token: AccessToken) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ProvidedToken { person_id, access_token });
    }
}

#[fieldpost::async_trait]
impl TokenProvider for AppSession {
    async fn token(&self, refused: Option<&AccessToken>) -> Result<ProvidedToken, TokenError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A real provider would renew a refused token.
        known.filter(|known| refused != Some(&known.access_token)).ok_or(TokenError::SignedOut)
    }
}

pub(crate) async fn open(url: &str, key: &str, file: &str, session: Arc<AppSession>) -> fieldpost::Result<Client> {
    Fieldpost::builder().url(url).anon_key(key).database(file).tokens(session).open().await
}
