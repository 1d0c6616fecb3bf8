//! Sessions with GoTrue's rules.
//!
//! An access token is a JWT. The server checks it without looking up a session, so it stays valid until it expires,
//! even after a sign-out. A refresh token is used once and has one successor. If the response with the successor was
//! lost, the client still has the old token. The server accepts it as long as it is the direct parent of the active
//! one, and returns the active one again instead of making another. Anything older looks like theft and ends the
//! session.

use super::{SeededRandom, ids::base64url};
use crate::{Credentials, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{AccessToken, PersonId, RefreshToken, Session, Time};
use std::{collections::HashMap, time::Duration};

#[derive(Debug, Clone)]
struct Account {
    email: String,
    password: String,
}

#[derive(Debug, Clone)]
struct Grant {
    person: PersonId,
    session: u64,
    expires_at: Time,
}

/// A session: its person and its refresh tokens, oldest first. Only the last token is active.
#[derive(Debug, Clone)]
struct Chain {
    person: PersonId,
    refresh_tokens: Vec<String>,
}

/// Accounts, sessions and tokens.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    accounts: HashMap<PersonId, Account>,
    chains: HashMap<u64, Chain>,
    access: HashMap<String, Grant>,
    last: u64,
}

impl Sessions {
    pub(super) fn add_account(&mut self, person: PersonId, email: &str, password: &str) {
        self.accounts.insert(person, Account { email: email.to_lowercase(), password: password.to_owned() });
    }

    pub(super) fn email_of(&self, person: PersonId) -> Option<String> {
        self.accounts.get(&person).map(|account| account.email.clone())
    }

    pub(super) fn person_with(&self, email: &str) -> Option<PersonId> {
        let email = email.to_lowercase();
        self.accounts.iter().find(|(_, account)| account.email == email).map(|(person, _)| *person)
    }

    /// The owner of a token that has not expired.
    pub(super) fn person_of(&self, token: &AccessToken, now: Time) -> Option<PersonId> {
        self.access.get(token.reveal()).filter(|grant| now < grant.expires_at).map(|grant| grant.person)
    }

    /// How long a token is still valid.
    pub(super) fn time_left(&self, token: &AccessToken, now: Time) -> Duration {
        let grant = self.access.get(token.reveal());
        grant.and_then(|grant| (grant.expires_at - now).to_std().ok()).unwrap_or_default()
    }

    /// Whether this server issued the token, expired or not.
    pub(super) fn knows(&self, token: &AccessToken) -> bool {
        self.access.contains_key(token.reveal())
    }

    /// Whether the session of a token is still active. Only GoTrue checks this, never the messaging functions.
    pub(super) fn goes_on(&self, token: &AccessToken) -> bool {
        self.access.get(token.reveal()).is_some_and(|grant| self.chains.contains_key(&grant.session))
    }

    pub(super) fn sign_in(
        &mut self,
        credentials: &Credentials,
        random: &mut SeededRandom,
        now: Time,
        lifetime: Duration,
    ) -> RemoteResult<Session> {
        let known = self.person_with(&credentials.email).filter(|person| {
            self.accounts.get(person).is_some_and(|account| account.password == credentials.password.reveal())
        });
        let person = known.ok_or(RemoteError::new(RemoteErrorKind::WrongCredentials, "sign_in"))?;
        self.last += 1;
        let refresh = random.text(22);
        self.chains.insert(self.last, Chain { person, refresh_tokens: vec![refresh.clone()] });
        Ok(self.issue(self.last, person, refresh, random, now, lifetime))
    }

    pub(super) fn refresh(
        &mut self,
        token: &RefreshToken,
        random: &mut SeededRandom,
        now: Time,
        lifetime: Duration,
    ) -> Result<Session, RefreshRefused> {
        let mut chains = self.chains.iter_mut();
        let found = chains.find_map(|(id, chain)| {
            let age = chain.refresh_tokens.iter().rev().position(|known| known == token.reveal())?;
            Some((*id, age, chain))
        });
        let (id, age, chain) = found.ok_or(RefreshRefused::NotFound)?;
        let person = chain.person;
        let refresh = match age {
            0 => {
                let next = random.text(22);
                chain.refresh_tokens.push(next.clone());
                next
            }
            1 => chain.refresh_tokens.last().cloned().unwrap_or_default(),
            _ => {
                self.chains.remove(&id);
                return Err(RefreshRefused::AlreadyUsed);
            }
        };
        Ok(self.issue(id, person, refresh, random, now, lifetime))
    }

    /// Ends the session of a token; its access tokens stay valid until they expire.
    pub(super) fn sign_out(&mut self, token: &AccessToken) {
        if let Some(grant) = self.access.get(token.reveal()) {
            self.chains.remove(&grant.session);
        }
    }

    /// Ends every session of a person.
    pub(super) fn end_all(&mut self, person: PersonId) {
        self.chains.retain(|_, chain| chain.person != person);
    }

    /// Expires a person's access tokens now; her refresh tokens stay valid.
    pub(super) fn expire_access(&mut self, person: PersonId, now: Time) {
        for grant in self.access.values_mut().filter(|grant| grant.person == person) {
            grant.expires_at = grant.expires_at.min(now);
        }
    }

    fn issue(
        &mut self,
        session: u64,
        person: PersonId,
        refresh: String,
        random: &mut SeededRandom,
        now: Time,
        lifetime: Duration,
    ) -> Session {
        let expires_at = now + lifetime;
        let claims = format!(
            r#"{{"aud":"authenticated","exp":{},"role":"authenticated","session_id":"{session}","sub":"{person}"}}"#,
            expires_at.timestamp()
        );
        let header = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
        let token = format!("{header}.{}.{}", base64url(claims.as_bytes()), random.text(43));
        self.access.insert(token.clone(), Grant { person, session, expires_at });
        Session {
            person_id: person,
            email: self.email_of(person),
            access_token: AccessToken::new(token),
            refresh_token: RefreshToken::new(refresh),
            expires_at,
        }
    }
}

/// Why the server does not accept a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRefused {
    /// The server does not know the token, or its session has ended.
    NotFound,
    /// The token and its successor were both used; the server has ended the session.
    AlreadyUsed,
}

impl From<RefreshRefused> for RemoteError {
    fn from(refused: RefreshRefused) -> Self {
        let detail = match refused {
            RefreshRefused::NotFound => "refresh_token_not_found",
            RefreshRefused::AlreadyUsed => "refresh_token_already_used",
        };
        Self::new(RemoteErrorKind::SessionEnded, "refresh").with_detail(detail)
    }
}
