//! Secrets in memory, and tokens that are kept apart from their database.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

use async_trait::async_trait;
use fieldpost_domain::{AccessToken, RefreshToken, Retry, Secret, Session};
use fieldpost_storage::{
    MemorySecrets, SecretError, SecretErrorKind, SecretName, SecretStore, Sessions, StorageError, StorageErrorKind,
    StorageResult, TokenPlace, TokensApart,
    conformance::{
        build::{ada, at, iris, session},
        secrets::SecretPlace,
    },
    memory::MemoryStore,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

struct InMemory(MemorySecrets);

impl SecretPlace for InMemory {
    fn open(&self) -> Arc<dyn SecretStore> {
        Arc::new(self.0.clone())
    }
}

fieldpost_storage::secret_conformance!(InMemory(MemorySecrets::new()));

/// Calls that still succeed, to both places together; then every call fails, as if the process had ended there.
#[derive(Clone)]
struct Life(Arc<AtomicU32>);

impl Life {
    fn of(calls: u32) -> Self {
        Self(Arc::new(AtomicU32::new(calls)))
    }

    fn lives(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// A keychain that answers as long as its process lives, and while it is not locked.
struct Keychain {
    secrets: MemorySecrets,
    life: Life,
    locked: Option<SecretErrorKind>,
    /// How much of a secret it keeps: less than it is given, without a word.
    most: usize,
}

impl Keychain {
    fn answer(&self) -> Result<(), SecretError> {
        if let Some(kind) = self.locked {
            return Err(SecretError::new(kind, "the test says so"));
        }
        if self.life.lives() { Ok(()) } else { Err(SecretError::new(SecretErrorKind::Other, "the process has ended")) }
    }
}

#[async_trait]
impl SecretStore for Keychain {
    fn describe(&self) -> String {
        "the keychain".to_owned()
    }

    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError> {
        self.answer()?;
        self.secrets.get(name).await
    }

    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        self.answer()?;
        let kept: String = secret.reveal().chars().take(self.most).collect();
        self.secrets.put(name, &Secret::new(kept)).await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.answer()?;
        self.secrets.delete(name).await
    }
}

/// A database whose process ends after some calls.
struct Mortal {
    store: Arc<MemoryStore>,
    life: Life,
}

impl Mortal {
    fn answer(&self, call: &'static str) -> StorageResult<()> {
        if self.life.lives() { Ok(()) } else { Err(StorageError::new(StorageErrorKind::Other, call)) }
    }
}

#[async_trait]
impl Sessions for Mortal {
    async fn session(&self) -> StorageResult<Option<Session>> {
        self.answer("session")?;
        self.store.session().await
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        self.answer("save_session")?;
        self.store.save_session(session).await
    }

    async fn claim(&self, person: fieldpost_domain::PersonId) -> StorageResult<()> {
        self.answer("claim")?;
        self.store.claim(person).await
    }

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        self.answer("forget_former_sessions")?;
        self.store.forget_former_sessions().await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        self.answer("clear_session")?;
        self.store.clear_session().await
    }

    async fn account(&self) -> StorageResult<Option<fieldpost_domain::PersonId>> {
        self.answer("account")?;
        self.store.account().await
    }
}

/// More calls than any step needs.
const LONG: u32 = 1_000;

/// A phone: one database, one keychain. What they hold outlives the processes.
#[derive(Clone)]
struct Phone {
    store: Arc<MemoryStore>,
    secrets: MemorySecrets,
}

impl Phone {
    fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), secrets: MemorySecrets::new() }
    }

    fn keychain(&self, life: &Life, locked: Option<SecretErrorKind>) -> Arc<dyn SecretStore> {
        Arc::new(Keychain { secrets: self.secrets.clone(), life: life.clone(), locked, most: usize::MAX })
    }

    fn database(&self, life: &Life) -> Arc<dyn Sessions> {
        Arc::new(Mortal { store: self.store.clone(), life: life.clone() })
    }

    /// A process that keeps tokens in the keychain and ends after so many calls.
    fn process(&self, calls: u32) -> TokensApart {
        let life = Life::of(calls);
        TokensApart::new(self.database(&life), "fieldpost.db", self.keychain(&life, None))
    }

    fn app(&self) -> TokensApart {
        self.process(LONG)
    }

    fn locked(&self, kind: SecretErrorKind) -> TokensApart {
        let life = Life::of(LONG);
        TokensApart::new(self.database(&life), "fieldpost.db", self.keychain(&life, Some(kind)))
    }

    /// A process whose keychain shortens what it keeps.
    fn shortened(&self, most: usize) -> TokensApart {
        let life = Life::of(LONG);
        let keychain = Keychain { secrets: self.secrets.clone(), life: life.clone(), locked: None, most };
        TokensApart::new(self.database(&life), "fieldpost.db", Arc::new(keychain))
    }

    /// A process that keeps tokens in the database again, and ends after so many calls.
    fn back_in_the_database(&self, calls: u32) -> TokensApart {
        let life = Life::of(calls);
        TokensApart::in_the_database(self.database(&life), Some(self.keychain(&life, None)))
    }

    /// Everything that the database holds of a session, as text.
    async fn database_text(&self) -> String {
        serde_json::to_string(&self.store.session().await.unwrap()).unwrap()
    }

    async fn secrets_text(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for name in self.secrets.names() {
            texts.extend(self.secrets.get(&name).await.unwrap().map(|secret| secret.reveal().to_owned()));
        }
        texts
    }
}

fn tokens_of(generation: u32) -> [String; 2] {
    [format!("access-{generation}"), format!("refresh-{generation}")]
}

#[tokio::test]
async fn tokens_lie_in_the_keychain_and_who_is_signed_in_in_the_database() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();

    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)));
    let kept = phone.store.session().await.unwrap().unwrap();
    assert_eq!((kept.person_id, kept.email), (iris().id, session(&iris(), 1).email));
    for token in tokens_of(1) {
        assert!(!phone.database_text().await.contains(&token), "{token}");
    }
    assert_eq!(phone.secrets.names().len(), 1);
    assert_eq!(phone.app().place().await.unwrap(), TokenPlace::Secrets("the keychain".to_owned()));
}

#[tokio::test]
async fn a_rotation_is_one_write_and_another_process_sees_it() {
    let phone = Phone::new();
    let (app, extension) = (phone.app(), phone.app());
    app.save_session(&session(&iris(), 1)).await.unwrap();
    assert_eq!(extension.session().await.unwrap(), Some(session(&iris(), 1)));

    extension.save_session(&session(&iris(), 2)).await.unwrap();
    assert_eq!(app.session().await.unwrap(), Some(session(&iris(), 2)));
    assert_eq!(phone.secrets.names().len(), 1);
}

/// The tokens after a rotation that a kill interrupts are the old ones or the new ones, and never none.
#[tokio::test]
async fn a_rotation_that_is_killed_at_any_step_loses_no_tokens() {
    let mut ends = BTreeSet::new();
    for calls in 0..8 {
        let phone = Phone::new();
        phone.app().save_session(&session(&iris(), 1)).await.unwrap();
        let ended = phone.process(calls).save_session(&session(&iris(), 2)).await.is_ok();
        let found = phone.app().session().await.unwrap().unwrap();
        let is_new = found == session(&iris(), 2);
        assert!(is_new || found == session(&iris(), 1), "after {calls} calls");
        assert!(is_new || !ended, "what was accepted is there, after {calls} calls");
        ends.insert((is_new, ended));
    }
    assert_eq!(ends, BTreeSet::from([(false, false), (true, false), (true, true)]));
}

#[tokio::test]
async fn a_sign_in_that_is_killed_at_any_step_signs_in_or_not_and_a_later_one_leaves_no_second_secret() {
    for calls in 0..8 {
        let phone = Phone::new();
        let signed_in = phone.process(calls).save_session(&session(&iris(), 1)).await.is_ok();
        assert_eq!(phone.app().session().await.unwrap().is_some(), signed_in, "after {calls} calls");

        phone.app().save_session(&session(&iris(), 2)).await.unwrap();
        assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 2)));
        assert_eq!(phone.secrets.names().len(), 1, "after {calls} calls");
    }
}

#[tokio::test]
async fn tokens_in_an_existing_database_move_when_it_is_first_opened() {
    let phone = Phone::new();
    phone.store.save_session(&session(&iris(), 1)).await.unwrap();

    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)));
    for token in tokens_of(1) {
        assert!(!phone.database_text().await.contains(&token), "{token}");
        assert!(phone.secrets_text().await.concat().contains(&token), "{token}");
    }
    assert!(phone.database_text().await.contains(":here:"), "nothing is left to do");
    assert_eq!(phone.store.account().await.unwrap(), Some(iris().id));
}

#[tokio::test]
async fn a_move_that_is_killed_at_any_step_signs_nobody_out_and_the_next_start_finishes_it() {
    for calls in 0..12 {
        let phone = Phone::new();
        phone.store.save_session(&session(&iris(), 1)).await.unwrap();
        let _ = phone.process(calls).session().await;

        assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)), "after {calls} calls");
        assert!(phone.database_text().await.contains(":here:"), "after {calls} calls");
        assert_eq!(phone.secrets.names().len(), 1, "after {calls} calls");
    }
}

/// The log that could not be emptied is remembered.
#[tokio::test]
async fn a_database_that_could_not_forget_its_past_is_asked_again_by_the_next_start() {
    let phone = Phone::new();
    phone.store.save_session(&session(&iris(), 1)).await.unwrap();
    // The calls of a move up to the pointer: session, get, put, get, session, save_session.
    phone.process(6).session().await.unwrap();
    assert!(phone.database_text().await.contains(":moved:"));

    phone.app().session().await.unwrap();
    assert!(phone.database_text().await.contains(":here:"));
}

#[tokio::test]
async fn a_move_never_puts_older_tokens_over_those_that_another_process_has_rotated() {
    let phone = Phone::new();
    phone.store.save_session(&session(&iris(), 1)).await.unwrap();
    let before = phone.store.snapshot();
    let rotated = Session { expires_at: at(7_200), ..session(&iris(), 2) };
    phone.app().session().await.unwrap();
    phone.app().save_session(&rotated).await.unwrap();

    // A process that has read the database before all that goes on with its move.
    phone.store.restore(before);
    assert_eq!(phone.app().session().await.unwrap(), Some(rotated.clone()));
    assert_eq!(phone.app().session().await.unwrap(), Some(rotated));
}

#[tokio::test]
async fn tokens_move_back_when_the_app_goes_back_to_the_database_at_whatever_step_it_is_killed() {
    for calls in 0..8 {
        let phone = Phone::new();
        phone.app().save_session(&session(&iris(), 1)).await.unwrap();
        let _ = phone.back_in_the_database(calls).session().await;

        let found = phone.back_in_the_database(LONG).session().await.unwrap();
        assert_eq!(found, Some(session(&iris(), 1)), "after {calls} calls");
        assert_eq!(phone.store.session().await.unwrap(), found, "after {calls} calls");
    }
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    phone.back_in_the_database(LONG).session().await.unwrap();
    assert_eq!(phone.secrets.names(), []);
}

#[tokio::test]
async fn a_locked_keychain_is_no_sign_out_and_can_be_asked_again() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();

    let error = phone.locked(SecretErrorKind::Unavailable).session().await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::SecretsOutOfReach);
    assert!(matches!(error.retry(), Retry::After(_)));
    let error = phone.locked(SecretErrorKind::Denied).session().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (StorageErrorKind::SecretsRefused, Retry::Never));
    let error = phone.locked(SecretErrorKind::Unavailable).save_session(&session(&iris(), 2)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::SecretsOutOfReach);

    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)));
}

#[tokio::test]
async fn with_a_locked_keychain_tokens_that_are_in_the_database_go_on_working_there() {
    let phone = Phone::new();
    phone.store.save_session(&session(&iris(), 1)).await.unwrap();
    let locked = phone.locked(SecretErrorKind::Unavailable);

    assert_eq!(locked.session().await.unwrap(), Some(session(&iris(), 1)));
    locked.save_session(&session(&iris(), 2)).await.unwrap();
    assert_eq!(locked.session().await.unwrap(), Some(session(&iris(), 2)));
    assert_eq!(locked.place().await.unwrap(), TokenPlace::Database);

    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 2)));
    assert!(!phone.database_text().await.contains("refresh-2"));
}

#[tokio::test]
async fn a_sign_in_that_the_keychain_does_not_keep_leaves_the_database_as_it_was() {
    let phone = Phone::new();
    let error = phone.locked(SecretErrorKind::Denied).save_session(&session(&iris(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::SecretsRefused);
    assert_eq!((phone.store.session().await.unwrap(), phone.store.account().await.unwrap()), (None, None));
}

#[tokio::test]
async fn a_keychain_that_shortens_a_secret_without_a_word_refuses_the_sign_in_and_takes_no_tokens_over() {
    let phone = Phone::new();
    let error = phone.shortened(40).save_session(&session(&iris(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::SecretsRefused);
    assert!(error.to_string().contains("does not give back"), "{error}");
    assert_eq!((phone.store.session().await.unwrap(), phone.secrets.names()), (None, vec![]));

    phone.store.save_session(&session(&iris(), 1)).await.unwrap();
    let shortened = phone.shortened(40);
    assert_eq!(shortened.session().await.unwrap(), Some(session(&iris(), 1)));
    shortened.save_session(&session(&iris(), 2)).await.unwrap();
    assert_eq!(shortened.session().await.unwrap(), Some(session(&iris(), 2)), "they stay in the database");
    assert_eq!(shortened.place().await.unwrap(), TokenPlace::Database);
    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 2)), "a better one takes them");
}

#[tokio::test]
async fn a_keychain_that_lost_the_secret_signs_out_says_so_and_deletes_nothing() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    let kept = phone.store.session().await.unwrap();
    let elsewhere = Phone { secrets: MemorySecrets::new(), ..phone.clone() };

    assert_eq!(elsewhere.app().session().await.unwrap(), None);
    assert_eq!(elsewhere.app().place().await.unwrap(), TokenPlace::Lost("the keychain".to_owned()));
    assert_eq!(phone.store.session().await.unwrap(), kept);
    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)), "it may come back");

    elsewhere.app().save_session(&session(&iris(), 2)).await.unwrap();
    assert_eq!(elsewhere.app().session().await.unwrap(), Some(session(&iris(), 2)));
}

#[tokio::test]
async fn without_the_keychain_that_was_used_the_tokens_are_out_of_reach_and_not_gone() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    let without = TokensApart::in_the_database(phone.store.clone(), None);

    assert_eq!(without.session().await.unwrap_err().kind(), StorageErrorKind::SecretsRefused);
    assert_eq!(without.place().await.unwrap(), TokenPlace::NotGiven);
    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)));
}

#[tokio::test]
async fn signing_out_deletes_the_secret() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    phone.app().clear_session().await.unwrap();
    assert_eq!((phone.app().session().await.unwrap(), phone.store.session().await.unwrap()), (None, None));
    assert_eq!(phone.secrets.names(), []);
    assert_eq!(phone.store.account().await.unwrap(), Some(iris().id));
    phone.app().clear_session().await.unwrap();
}

#[tokio::test]
async fn signing_out_works_with_a_locked_keychain_and_the_secret_goes_when_it_is_open_again() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    let locked = phone.locked(SecretErrorKind::Unavailable);
    locked.clear_session().await.unwrap();
    assert_eq!(locked.session().await.unwrap(), None);
    assert_eq!(locked.place().await.unwrap(), TokenPlace::Nowhere);
    assert_eq!(phone.secrets.names().len(), 1);

    assert_eq!(phone.app().session().await.unwrap(), None);
    assert_eq!((phone.secrets.names(), phone.store.session().await.unwrap()), (vec![], None));
}

#[tokio::test]
async fn a_sign_out_that_is_killed_at_any_step_is_finished_by_the_next_start_or_did_not_begin() {
    for calls in 0..8 {
        let phone = Phone::new();
        phone.app().save_session(&session(&iris(), 1)).await.unwrap();
        let accepted = phone.process(calls).clear_session().await.is_ok();
        match phone.app().session().await.unwrap() {
            Some(still) => assert!(!accepted && still == session(&iris(), 1), "after {calls} calls"),
            None => assert_eq!(phone.secrets.names(), [], "after {calls} calls"),
        }
    }
}

/// What another process does meanwhile.
#[derive(Debug, Clone, Copy)]
enum Other {
    SignsOut,
    /// With a keychain that is locked, so that the secret cannot be deleted yet.
    SignsOutLocked,
    SignsIn,
    /// Takes the tokens back into the database, right after the read; the others come right before it.
    MovesBack,
}

/// A database that another process uses while it is read for the so manieth time.
struct Shared {
    phone: Phone,
    reads: AtomicU32,
    at: u32,
    other: Other,
}

impl Shared {
    /// A process that keeps tokens in the keychain.
    fn process(phone: &Phone, at: u32, other: Other) -> TokensApart {
        let database = Self { phone: phone.clone(), reads: AtomicU32::new(0), at, other };
        TokensApart::new(Arc::new(database), "fieldpost.db", phone.keychain(&Life::of(LONG), None))
    }
}

#[async_trait]
impl Sessions for Shared {
    async fn session(&self) -> StorageResult<Option<Session>> {
        let before = self.phone.store.session().await?;
        if self.reads.fetch_add(1, Ordering::SeqCst) == self.at {
            match self.other {
                Other::SignsOut => self.phone.app().clear_session().await?,
                Other::SignsOutLocked => self.phone.locked(SecretErrorKind::Unavailable).clear_session().await?,
                Other::SignsIn => self.phone.app().save_session(&session(&iris(), 7)).await?,
                Other::MovesBack => {
                    self.phone.back_in_the_database(LONG).session().await?;
                    return Ok(before);
                }
            }
        }
        self.phone.store.session().await
    }

    async fn save_session(&self, session: &Session) -> StorageResult<()> {
        self.phone.store.save_session(session).await
    }

    async fn claim(&self, person: fieldpost_domain::PersonId) -> StorageResult<()> {
        self.phone.store.claim(person).await
    }

    async fn forget_former_sessions(&self) -> StorageResult<()> {
        self.phone.store.forget_former_sessions().await
    }

    async fn clear_session(&self) -> StorageResult<()> {
        self.phone.store.clear_session().await
    }

    async fn account(&self) -> StorageResult<Option<fieldpost_domain::PersonId>> {
        self.phone.store.account().await
    }
}

#[tokio::test]
async fn a_rotation_does_not_bring_back_a_session_that_another_process_has_ended() {
    for other in [Other::SignsOut, Other::SignsOutLocked] {
        let phone = Phone::new();
        phone.app().save_session(&session(&iris(), 1)).await.unwrap();

        let error = Shared::process(&phone, 1, other).save_session(&session(&iris(), 2)).await.unwrap_err();

        assert_eq!(error.kind(), StorageErrorKind::NoAccount);
        assert_eq!(phone.secrets.names(), [], "{other:?}");
        assert_eq!((phone.app().session().await.unwrap(), phone.store.session().await.unwrap()), (None, None));
    }
}

#[tokio::test]
async fn a_rotation_follows_tokens_that_another_process_has_moved_back() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();

    Shared::process(&phone, 0, Other::MovesBack).save_session(&session(&iris(), 2)).await.unwrap();

    assert_eq!(phone.store.session().await.unwrap(), Some(session(&iris(), 2)));
    assert_eq!(phone.secrets.names(), []);
}

#[tokio::test]
async fn a_move_does_not_bring_back_a_session_that_another_process_has_ended() {
    // Before the second look of the move, and before its last step.
    for read in [1, 2] {
        let phone = Phone::new();
        phone.store.save_session(&session(&iris(), 1)).await.unwrap();
        Shared::process(&phone, read, Other::SignsOut).session().await.unwrap();
        assert_eq!(phone.store.session().await.unwrap(), None, "before read {read}");
    }
}

#[tokio::test]
async fn a_sign_out_does_not_take_a_session_along_that_another_process_has_begun_meanwhile() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    Shared::process(&phone, 1, Other::SignsIn).clear_session().await.unwrap();
    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 7)));
}

#[tokio::test]
async fn a_sign_in_that_the_database_does_not_keep_leaves_no_secret() {
    let phone = Phone::new();
    // Its calls: session, account, save_session.
    let database = phone.database(&Life::of(2));
    let app = TokensApart::new(database, "fieldpost.db", phone.keychain(&Life::of(LONG), None));
    app.save_session(&session(&iris(), 1)).await.unwrap_err();
    assert_eq!(phone.secrets.names(), []);
}

#[tokio::test]
async fn a_sign_out_after_a_move_that_was_killed_half_way_deletes_the_copy() {
    let phone = Phone::new();
    phone.store.save_session(&session(&iris(), 1)).await.unwrap();
    // The calls of a move: session, get, put, and then it is killed.
    let _ = phone.process(3).session().await;
    assert_eq!(phone.secrets.names().len(), 1);

    phone.app().clear_session().await.unwrap();
    assert_eq!(phone.secrets.names(), []);
}

#[tokio::test]
async fn a_sign_in_without_the_keychain_that_was_used_deletes_the_former_secret() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    phone.back_in_the_database(LONG).save_session(&session(&iris(), 2)).await.unwrap();
    assert_eq!(phone.store.session().await.unwrap(), Some(session(&iris(), 2)));
    assert_eq!(phone.secrets.names(), []);
}

#[tokio::test]
async fn another_account_gets_neither_the_file_nor_the_tokens_in_the_keychain() {
    let phone = Phone::new();
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    let error = phone.app().save_session(&session(&ada(), 1)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::WrongAccount, "save_session"));
    assert_eq!(phone.secrets.names().len(), 1, "nothing of hers was put");
    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)));

    // A secret of another person under this name is no session here.
    let name = phone.secrets.names().remove(0);
    let hers = Secret::new(serde_json::to_string(&session(&ada(), 7)).unwrap());
    phone.secrets.put(&name, &hers).await.unwrap();
    assert_eq!(phone.app().session().await.unwrap(), None);
}

#[tokio::test]
async fn a_second_database_of_the_same_person_has_a_secret_of_its_own() {
    let phone = Phone::new();
    let other = Phone { store: Arc::new(MemoryStore::new()), ..phone.clone() };
    let second = TokensApart::new(other.store.clone(), "second.db", Arc::new(phone.secrets.clone()));
    phone.app().save_session(&session(&iris(), 1)).await.unwrap();
    second.save_session(&session(&iris(), 2)).await.unwrap();
    second.clear_session().await.unwrap();
    assert_eq!(phone.app().session().await.unwrap(), Some(session(&iris(), 1)));
}

/// No error, no debug output of any of it has a token.
#[tokio::test]
async fn nothing_that_is_printed_has_a_token_in_it() {
    let phone = Phone::new();
    let planted = Session {
        access_token: AccessToken::new("planted-access"),
        refresh_token: RefreshToken::new("planted-refresh"),
        ..session(&iris(), 1)
    };
    phone.app().save_session(&planted).await.unwrap();
    let error = phone.locked(SecretErrorKind::Other).session().await.unwrap_err();
    let printed = format!("{error} {error:?} {:?} {:?} {:?}", phone.app(), phone.secrets, Secret::new("planted"));
    assert!(!printed.contains("planted"), "{printed}");
}
