//! Keeps the tokens of a session in a secret store, and the rest of it in the database.
//!
//! Two places cannot be written in one step, and refresh tokens must never be lost between two writes. So:
//!
//! * **The secret is the whole session**, and one `put` replaces it. Rotated tokens are one write, to one place. The database holds
//!   a [`Pointer`] that does not change then.
//! * **A secret is there before anything points to it**: at a sign-in and a move the secret comes first, then the pointer. A process
//!   that is killed in between leaves a secret under a name that the next sign-in or move of this person in this database uses
//!   again, so none is forgotten there.
//! * **Nothing points to what cannot be read**: the first secret under a name is read again before the pointer is written. A keychain
//!   that shortens or loses it without a word refuses the sign-in then, and what is in the database stays there.
//! * **Nothing points to a secret any more before it is deleted**: the pointer says that it is to go, then it goes, then the
//!   pointer. If the store is out of reach the pointer stays, and the next process that reads it deletes the secret.
//! * **A move leaves the tokens where they are until they are in both places.** Afterwards the database forgets its past, and only
//!   then the pointer says that nothing is left to do.
//! * **A store that is out of reach is no sign-out.** It is an error that says so, and the caller asks later. A store that answers
//!   that it has no such secret has lost it: the person signs in again. The pointer stays even then, because the secret may come
//!   back, for example with another keyring.
//! * **Whose secret it is, is part of it.** One of another person is no session here, whatever its name.
//!
//! A move back goes the same way: the tokens are in the database before the secret is deleted.
//!
//! Several processes may do all of that to one database. After a rotation has put its tokens it looks whether anybody has signed
//! out meanwhile; then it takes them back. A move looks first whether another process has moved them already, and never puts older
//! tokens over newer ones that it has seen. What it cannot see is a rotation between its look and its put. The server accepts the
//! parent of the token that it issued last, so that costs a refresh.

use super::{
    SecretError, SecretErrorKind, SecretName, SecretStore,
    pointer::{Pointer, State},
};
use crate::{Sessions, StorageError, StorageErrorKind, StorageResult};
use async_trait::async_trait;
use fieldpost_domain::{
    PersonId, Secret, Session,
    planted::{PlantedBug, planted},
};
use std::{fmt, sync::Arc};

/// A [`Sessions`] that keeps the tokens apart.
pub struct TokensApart {
    sessions: Arc<dyn Sessions>,
    /// Tells the database from others, for the name of its secret.
    database: String,
    /// Where tokens are to lie; none for the database itself.
    secrets: Option<Arc<dyn SecretStore>>,
    /// Where they may lie from before.
    former: Option<Arc<dyn SecretStore>>,
}

/// Where the tokens of the session lie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenPlace {
    /// There are none here: nobody is signed in, or the app keeps them.
    Nowhere,
    /// In the database.
    Database,
    /// In this secret store.
    Secrets(String),
    /// In this secret store, which cannot be asked now, and why.
    OutOfReach(String, String),
    /// They were in this secret store, which does not have them any more: the person has to sign in again.
    Lost(String),
    /// In a secret store that was not given.
    NotGiven,
}

impl TokensApart {
    /// Tokens lie in `secrets`; those that are in the database move there. `database` is whatever tells it from others of this
    /// device, such as its path.
    #[must_use]
    pub fn new(sessions: Arc<dyn Sessions>, database: impl Into<String>, secrets: Arc<dyn SecretStore>) -> Self {
        Self { sessions, database: database.into(), secrets: Some(secrets), former: None }
    }

    /// Tokens lie in the database. Those that lie in `former` move back; without it they stay there, out of reach.
    #[must_use]
    pub fn in_the_database(sessions: Arc<dyn Sessions>, former: Option<Arc<dyn SecretStore>>) -> Self {
        Self { sessions, database: String::new(), secrets: None, former }
    }

    /// Where the tokens lie now.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn place(&self) -> StorageResult<TokenPlace> {
        let Some(stored) = self.sessions.session().await? else { return Ok(TokenPlace::Nowhere) };
        let Some(pointer) = Pointer::of(&stored) else { return Ok(TokenPlace::Database) };
        if pointer.state == State::Leaving {
            return Ok(TokenPlace::Nowhere);
        }
        let Some(store) = self.store() else { return Ok(TokenPlace::NotGiven) };
        let what = store.describe();
        Ok(match store.get(&pointer.name).await {
            Ok(found) if found.as_ref().and_then(|found| read(found, stored.person_id)).is_some() => {
                TokenPlace::Secrets(what)
            }
            Ok(_) => TokenPlace::Lost(what),
            Err(error) => TokenPlace::OutOfReach(what, error.to_string()),
        })
    }

    fn store(&self) -> Option<&Arc<dyn SecretStore>> {
        self.secrets.as_ref().or(self.former.as_ref())
    }

    /// Reads the secret that a stored session points to.
    async fn follow(&self, stored: &Session, pointer: &Pointer) -> StorageResult<Option<Session>> {
        const CALL: &str = "session";
        if pointer.state == State::Leaving {
            self.finish_leaving(pointer).await;
            return Ok(None);
        }
        let store = self.store().ok_or_else(|| not_given(CALL))?;
        let found = match store.get(&pointer.name).await {
            Err(_) if planted(PlantedBug::LockedStoreSignsOut) => None,
            found => found.map_err(|error| failed(error, CALL))?,
        };
        let Some(session) = found.and_then(|found| read(&found, stored.person_id)) else {
            tracing::warn!(store = store.describe(), "the tokens of the session are gone; sign in again");
            return Ok(None);
        };
        if self.secrets.is_none() {
            self.move_back(&session, pointer).await;
        } else if pointer.state == State::Moved {
            self.forget_past(&session, pointer).await;
        }
        Ok(Some(session))
    }

    /// Moves tokens that are in the database. Where that fails they stay, and the next reader tries again.
    async fn move_out(&self, stored: Session, secrets: &Arc<dyn SecretStore>) -> StorageResult<Session> {
        match self.try_to_move(&stored, secrets).await {
            Ok(moved) => Ok(moved),
            Err(error) => {
                tracing::warn!(%error, "the tokens stay in the database for now");
                Ok(stored)
            }
        }
    }

    async fn try_to_move(&self, stored: &Session, secrets: &Arc<dyn SecretStore>) -> StorageResult<Session> {
        const CALL: &str = "session";
        let pointer = self.new_pointer(stored.person_id, State::Moved);
        let there = secrets.get(&pointer.name).await.map_err(|error| failed(error, CALL))?;
        let there = there.and_then(|there| read(&there, stored.person_id));
        let session = match there {
            // Another process has moved them, and may have rotated them since.
            Some(there) if there == *stored || there.expires_at > stored.expires_at => there,
            _ => {
                self.put_first(secrets, &pointer.name, stored, CALL).await?;
                stored.clone()
            }
        };
        match self.sessions.session().await? {
            Some(now) if now == *stored => {}
            // Somebody has moved, replaced or deleted them meanwhile. The next reader finds out.
            _ => return Ok(session),
        }
        self.sessions.save_session(&pointer.in_place_of(&session)).await?;
        self.forget_past(&session, &pointer).await;
        Ok(session)
    }

    /// The last step of a move. If it fails, the pointer says that it is still to be done.
    async fn forget_past(&self, session: &Session, pointer: &Pointer) {
        let forgotten =
            if planted(PlantedBug::MovedTokenStays) { Ok(()) } else { self.sessions.forget_former_sessions().await };
        let forgotten = match forgotten {
            Ok(()) => self.replace(session, pointer, State::Here).await,
            Err(error) => Err(error),
        };
        if let Err(error) = forgotten {
            tracing::warn!(%error, "former tokens may still be in the log of the database; the next start looks again");
        }
    }

    /// Changes the state of a pointer that is still there.
    async fn replace(&self, session: &Session, pointer: &Pointer, state: State) -> StorageResult<()> {
        let now = self.sessions.session().await?;
        if now.as_ref().and_then(Pointer::of).as_ref() != Some(pointer) {
            return Ok(());
        }
        self.sessions.save_session(&pointer.but(state).in_place_of(session)).await
    }

    /// Moves tokens back into the database. Where that fails they stay in the store.
    async fn move_back(&self, session: &Session, pointer: &Pointer) {
        if let Err(error) = self.sessions.save_session(session).await {
            tracing::warn!(%error, "the tokens stay in the secret store for now");
            return;
        }
        self.delete(&pointer.name).await;
    }

    /// Deletes a secret that nothing points to any more. Returns whether it is gone.
    async fn delete(&self, name: &SecretName) -> bool {
        let Some(store) = self.store() else { return false };
        match store.delete(name).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, store = store.describe(), "a secret that is not used any more is still there");
                false
            }
        }
    }

    /// Ends a sign-out: the secret goes, then what pointed to it.
    async fn finish_leaving(&self, pointer: &Pointer) {
        if !planted(PlantedBug::SignOutKeepsSecret) && !self.delete(&pointer.name).await {
            return;
        }
        let now = self.sessions.session().await;
        // Somebody may have signed in meanwhile.
        if matches!(now, Ok(Some(now)) if Pointer::of(&now).as_ref() == Some(pointer))
            && let Err(error) = self.sessions.clear_session().await
        {
            tracing::warn!(%error, "what is left of a session that has ended is still in the database");
        }
    }

    async fn put(
        &self,
        secrets: &Arc<dyn SecretStore>,
        name: &SecretName,
        session: &Session,
        call: &'static str,
    ) -> StorageResult<()> {
        let text = serde_json::to_string(session)
            .map_err(|error| StorageError::new(StorageErrorKind::Other, call).with_source(error))?;
        secrets.put(name, &Secret::new(text)).await.map_err(|error| failed(error, call))
    }

    /// Keeps the first tokens under a name, and reads them again: some keychains shorten a long text or lose it without a word, and
    /// nothing must point to what the next start cannot read.
    async fn put_first(
        &self,
        secrets: &Arc<dyn SecretStore>,
        name: &SecretName,
        session: &Session,
        call: &'static str,
    ) -> StorageResult<()> {
        self.put(secrets, name, session, call).await?;
        let kept = secrets.get(name).await.map_err(|error| failed(error, call))?;
        if kept.and_then(|kept| read(&kept, session.person_id)).as_ref() == Some(session) {
            return Ok(());
        }
        self.delete(name).await;
        let detail = format!("{} does not give back what it was given to keep", secrets.describe());
        Err(StorageError::new(StorageErrorKind::SecretsRefused, call).with_detail(detail))
    }

    fn new_pointer(&self, person: PersonId, state: State) -> Pointer {
        Pointer { name: SecretName::of_session(&self.database, person), state }
    }

    /// Keeps rotated tokens where the former ones are.
    async fn rotate(&self, session: &Session, pointer: &Pointer, secrets: &Arc<dyn SecretStore>) -> StorageResult<()> {
        const CALL: &str = "save_session";
        self.put(secrets, &pointer.name, session, CALL).await?;
        let now = self.sessions.session().await?;
        match now.as_ref().map(Pointer::of) {
            Some(Some(now)) if now.name == pointer.name && now.state != State::Leaving => return Ok(()),
            // Another process has moved the tokens back into the database.
            Some(None) => self.sessions.save_session(session).await?,
            // Somebody has signed out meanwhile, and must stay so.
            _ => {
                self.delete(&pointer.name).await;
                return Err(StorageError::new(StorageErrorKind::NoAccount, CALL));
            }
        }
        self.delete(&pointer.name).await;
        Ok(())
    }

    /// Keeps the tokens of a sign-in.
    async fn keep_new(&self, session: &Session, secrets: &Arc<dyn SecretStore>) -> StorageResult<()> {
        const CALL: &str = "save_session";
        let pointer = self.new_pointer(session.person_id, State::Here);
        self.put_first(secrets, &pointer.name, session, CALL).await?;
        let pointed = self.sessions.save_session(&pointer.in_place_of(session)).await;
        if pointed.is_err() {
            self.delete(&pointer.name).await;
        }
        pointed
    }

    /// Tokens that replace some which could not be moved yet.
    async fn replace_unmoved(&self, session: &Session, secrets: &Arc<dyn SecretStore>) -> StorageResult<()> {
        const CALL: &str = "save_session";
        let pointer = self.new_pointer(session.person_id, State::Moved);
        if let Err(error) = self.put_first(secrets, &pointer.name, session, CALL).await {
            tracing::warn!(%error, "the tokens stay in the database for now");
            return self.sessions.save_session(session).await;
        }
        self.sessions.save_session(&pointer.in_place_of(session)).await?;
        self.forget_past(session, &pointer).await;
        Ok(())
    }
}

#[async_trait]
impl Sessions for TokensApart {
    async fn session(&self) -> StorageResult<Option<Session>> {
        let Some(stored) = self.sessions.session().await? else { return Ok(None) };
        match (Pointer::of(&stored), &self.secrets) {
            (Some(pointer), _) => self.follow(&stored, &pointer).await,
            (None, Some(secrets)) => self.move_out(stored, secrets).await.map(Some),
            (None, None) => Ok(Some(stored)),
        }
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        let stored = self.sessions.session().await?;
        let pointer = stored.as_ref().and_then(Pointer::of);
        let Some(secrets) = &self.secrets else {
            self.sessions.save_session(session).await?;
            if let Some(pointer) = pointer {
                self.delete(&pointer.name).await;
            }
            return Ok(());
        };
        // A secret of somebody who may not sign in here must not be put at all.
        if self.sessions.account().await?.is_some_and(|owner| owner != session.person_id) {
            return Err(StorageError::new(StorageErrorKind::WrongAccount, "save_session"));
        }
        match (stored, pointer) {
            (_, Some(pointer)) if pointer.state != State::Leaving => self.rotate(session, &pointer, secrets).await,
            (Some(_), None) => self.replace_unmoved(session, secrets).await,
            _ => self.keep_new(session, secrets).await,
        }
    }

    async fn claim(&self, person: PersonId) -> StorageResult<()> {
        self.sessions.claim(person).await
    }

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        self.sessions.forget_former_sessions().await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        let Some(stored) = self.sessions.session().await? else { return self.sessions.clear_session().await };
        let Some(pointer) = Pointer::of(&stored) else {
            self.sessions.clear_session().await?;
            if self.secrets.is_some() {
                // A move that was killed half way has left a copy there.
                self.delete(&self.new_pointer(stored.person_id, State::Leaving).name).await;
            }
            return Ok(());
        };
        let leaving = pointer.but(State::Leaving);
        self.sessions.save_session(&leaving.in_place_of(&stored)).await?;
        self.finish_leaving(&leaving).await;
        Ok(())
    }

    async fn account(&self) -> StorageResult<Option<PersonId>> {
        self.sessions.account().await
    }
}

/// The session in a secret, if it is this person's.
fn read(secret: &Secret, person: PersonId) -> Option<Session> {
    let session: Session = serde_json::from_str(secret.reveal()).ok()?;
    (session.person_id == person).then_some(session)
}

fn failed(error: SecretError, call: &'static str) -> StorageError {
    let kind = match error.kind() {
        SecretErrorKind::Unavailable => StorageErrorKind::SecretsOutOfReach,
        SecretErrorKind::Denied | SecretErrorKind::Other => StorageErrorKind::SecretsRefused,
    };
    StorageError::new(kind, call).with_detail(error.to_string()).with_source(error)
}

fn not_given(call: &'static str) -> StorageError {
    let detail = "they lie in a secret store that was not given (Builder::secrets, or --tokens keyring)";
    StorageError::new(StorageErrorKind::SecretsRefused, call).with_detail(detail)
}

impl fmt::Debug for TokensApart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokensApart").field("database", &self.database).finish_non_exhaustive()
    }
}
