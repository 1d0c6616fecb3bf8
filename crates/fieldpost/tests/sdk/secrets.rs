//! A secret store of the app's own: what lies in it, and what in the file, from the sign-in to the sign-out.

use fieldpost::{
    Client, Error, Fieldpost, SecretError, SecretErrorKind, SecretName, SecretStore, StorageErrorKind, Wipe,
    async_trait,
};
use fieldpost_devserver::DevServer;
use fieldpost_domain::{Retry, Secret};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_PASSWORD, ReferenceServer};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

/// A keychain as an app would write it. It outlives the app's process, and fails on command.
#[derive(Default)]
struct Keychain {
    kept: Mutex<BTreeMap<String, String>>,
    /// All that it was ever to keep.
    given: Mutex<Vec<String>>,
    failing: Mutex<Option<SecretErrorKind>>,
}

impl Keychain {
    fn fail(&self, kind: impl Into<Option<SecretErrorKind>>) {
        *self.failing.lock().unwrap() = kind.into();
    }

    fn answer(&self) -> Result<(), SecretError> {
        match *self.failing.lock().unwrap() {
            Some(kind) => Err(SecretError::new(kind, "the test says so")),
            None => Ok(()),
        }
    }

    fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap().values().cloned().collect()
    }

    /// The tokens of all sessions that it was ever to keep.
    fn tokens(&self) -> Vec<String> {
        let sessions = self.given.lock().unwrap().clone();
        let sessions = sessions.iter().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        let tokens = sessions.flat_map(|session| [session["access_token"].clone(), session["refresh_token"].clone()]);
        tokens.map(|token| token.as_str().unwrap().to_owned()).collect()
    }
}

#[async_trait]
impl SecretStore for Keychain {
    fn describe(&self) -> String {
        "the app's keychain".to_owned()
    }

    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError> {
        self.answer()?;
        Ok(self.kept.lock().unwrap().get(name.as_str()).cloned().map(Secret::new))
    }

    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        self.given.lock().unwrap().push(secret.reveal().to_owned());
        self.answer()?;
        self.kept.lock().unwrap().insert(name.as_str().to_owned(), secret.reveal().to_owned());
        Ok(())
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.answer()?;
        self.kept.lock().unwrap().remove(name.as_str());
        Ok(())
    }
}

/// A phone with a keychain, and a server.
struct Phone {
    folder: TempDir,
    keychain: Arc<Keychain>,
    reference: ReferenceServer,
    server: DevServer,
}

impl Phone {
    async fn new() -> Self {
        let reference = ReferenceServer::new();
        reference.add_demo();
        let server = DevServer::builder().reference(reference.clone()).start().await.unwrap();
        Self { folder: tempfile::tempdir().unwrap(), keychain: Arc::default(), reference, server }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("phone.db")
    }

    async fn start(&self) -> Client {
        let builder = Fieldpost::builder().url(self.server.url()).anon_key(self.server.anon_key());
        builder.database(self.file()).secrets(self.keychain.clone()).open().await.unwrap()
    }

    /// No file of the folder has a token in it that there ever was.
    fn assert_no_token_in_files(&self, when: &str) {
        let tokens = self.keychain.tokens();
        assert!(!tokens.is_empty(), "{when}: there are tokens");
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let found = tokens.iter().find(|token| bytes.windows(token.len()).any(|part| part == token.as_bytes()));
            assert!(found.is_none(), "{when}: a token is in {}", path.display());
        }
    }
}

fn kind(error: &Error) -> Option<StorageErrorKind> {
    match error {
        Error::Storage(error) => Some(error.kind()),
        _ => None,
    }
}

#[tokio::test]
async fn tokens_lie_in_the_apps_store_alone_from_the_sign_in_to_the_sign_out() {
    // Given
    let phone = Phone::new().await;
    let client = phone.start().await;
    let person = client.sign_in(DEMO_ADA, DEMO_PASSWORD).await.unwrap();
    client.sync().await.unwrap();
    assert_eq!(phone.keychain.kept().len(), 1);
    phone.assert_no_token_in_files("signed in");
    let first = phone.keychain.kept();

    // When: the app ends without a word, and starts again
    drop(client);
    let client = phone.start().await;

    // Then: she is signed in, and the next token goes where the first one was
    client.sync().await.unwrap();
    phone.reference.expire_tokens(person);
    client.sync().await.unwrap();
    assert!(phone.keychain.kept().len() == 1 && phone.keychain.kept() != first, "the token was renewed");
    phone.assert_no_token_in_files("renewed");
    drop(client);
    let client = phone.start().await;
    client.sync().await.unwrap();

    // When: she signs out
    client.sign_out(Wipe::Keep).await.unwrap();

    // Then
    assert_eq!(phone.keychain.kept(), <[String; 0]>::default());
    assert!(matches!(client.sync().await, Err(Error::SignedOut)));
    client.close().await.unwrap();
    phone.assert_no_token_in_files("signed out");
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_of_its_own_and_signs_nobody_out() {
    // Given: somebody who cannot sign in, because her tokens cannot be kept
    let phone = Phone::new().await;
    let client = phone.start().await;
    phone.keychain.fail(SecretErrorKind::Denied);
    let error = client.sign_in(DEMO_ADA, DEMO_PASSWORD).await.unwrap_err();
    assert_eq!((kind(&error), error.retry()), (Some(StorageErrorKind::SecretsRefused), Retry::Never), "{error:?}");
    phone.assert_no_token_in_files("not signed in");
    phone.keychain.fail(None);
    client.sign_in(DEMO_ADA, DEMO_PASSWORD).await.unwrap();
    client.sync().await.unwrap();

    // When: the device is locked, and the app starts anew
    drop(client);
    phone.keychain.fail(SecretErrorKind::Unavailable);
    let client = phone.start().await;

    // Then: what is on the device can be read and written, and what needs the server says why it cannot go on
    let list = client.conversations().await.unwrap();
    let direct = list.iter().find(|one| one.medic_id.is_some()).unwrap();
    client.conversation(direct.id).send("On my way").await.unwrap();
    let error = client.sync().await.unwrap_err();
    assert_eq!(kind(&error), Some(StorageErrorKind::SecretsOutOfReach), "{error:?}");
    assert!(matches!(error.retry(), Retry::After(_)), "{error:?}");

    // When: it is unlocked
    phone.keychain.fail(None);

    // Then
    client.sync().await.unwrap();
    assert_eq!(client.outbox(10).await.unwrap().len(), 0);
    phone.assert_no_token_in_files("after all");
}

#[tokio::test]
async fn a_sign_out_on_a_locked_device_counts_and_the_secret_goes_once_it_is_unlocked() {
    let phone = Phone::new().await;
    let client = phone.start().await;
    client.sign_in(DEMO_ADA, DEMO_PASSWORD).await.unwrap();
    phone.keychain.fail(SecretErrorKind::Unavailable);
    client.sign_out(Wipe::Keep).await.unwrap();
    assert!(matches!(client.sync().await, Err(Error::SignedOut)));
    assert_eq!(phone.keychain.kept().len(), 1, "it is out of reach");
    drop(client);

    phone.keychain.fail(None);
    let client = phone.start().await;
    assert!(matches!(client.sync().await, Err(Error::SignedOut)));
    assert_eq!(phone.keychain.kept(), <[String; 0]>::default());
    phone.assert_no_token_in_files("signed out");
}
