//! Tokens that lie in the keychain of the device.

use super::given::{ADA, Phone};
use async_trait::async_trait;
use fieldpost_domain::{Retry, Secret};
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::{
    MemorySecrets, SecretError, SecretErrorKind, SecretName, SecretStore, Sessions, StorageErrorKind, TokensApart,
};
use fieldpost_sync::{Engine, SyncError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A keychain that can be locked.
#[derive(Clone, Default)]
struct Keychain {
    secrets: MemorySecrets,
    locked: Arc<AtomicBool>,
}

impl Keychain {
    fn lock(&self, locked: bool) {
        self.locked.store(locked, Ordering::SeqCst);
    }

    fn answer(&self) -> Result<(), SecretError> {
        match self.locked.load(Ordering::SeqCst) {
            true => Err(SecretError::new(SecretErrorKind::Unavailable, "the device is locked")),
            false => Ok(()),
        }
    }

    /// An engine of a process of the app.
    fn engine(&self, phone: &Phone) -> Engine {
        let apart = TokensApart::new(phone.store.clone(), "fieldpost.db", Arc::new(self.clone()));
        phone.engine_with_sessions(Arc::new(apart))
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
        self.secrets.put(name, secret).await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.answer()?;
        self.secrets.delete(name).await
    }
}

async fn signed_in(server: &ReferenceServer) -> (Phone, Keychain) {
    let (phone, keychain) = (Phone::new(server, 1), Keychain::default());
    let engine = keychain.engine(&phone);
    engine.session().sign_in(&Phone::credentials(ADA)).await.unwrap();
    engine.sync().await.unwrap();
    phone.network.take_calls();
    (phone, keychain)
}

fn is_out_of_reach(error: &SyncError) -> bool {
    matches!(error, SyncError::Storage(error) if error.kind() == StorageErrorKind::SecretsOutOfReach)
}

#[tokio::test]
async fn a_locked_device_signs_nobody_out_and_the_outbox_is_sent_when_it_is_unlocked() {
    let server = ReferenceServer::demo();
    let (phone, keychain) = signed_in(&server).await;
    keychain.lock(true);
    let engine = keychain.engine(&phone);

    assert!(engine.session().is_signed_in().await.unwrap());
    phone.write("Locked").await;
    let error = engine.sync().await.unwrap_err();
    assert!(is_out_of_reach(&error) && matches!(error.retry(), Retry::After(_)), "{error}");
    assert!(phone.network.take_calls().is_empty(), "no call without a token");

    keychain.lock(false);
    assert_eq!(engine.sync().await.unwrap().pushed, 1);
}

#[tokio::test]
async fn no_new_tokens_are_asked_for_that_could_not_be_kept() {
    let server = ReferenceServer::demo();
    let (phone, keychain) = signed_in(&server).await;
    let engine = keychain.engine(&phone);
    engine.sync().await.unwrap();
    server.expire_tokens(server.person_with(ADA).unwrap());
    phone.network.take_calls();
    keychain.lock(true);

    assert!(is_out_of_reach(&engine.sync().await.unwrap_err()));
    assert!(!phone.network.take_calls().contains(&"refresh"));

    keychain.lock(false);
    engine.sync().await.unwrap();
    assert!(phone.network.take_calls().contains(&"refresh"));
}

#[tokio::test(start_paused = true)]
async fn processes_that_share_a_keychain_adopt_each_others_tokens() {
    let server = ReferenceServer::demo();
    let (phone, keychain) = signed_in(&server).await;
    let (app, extension) = (keychain.engine(&phone), keychain.engine(&phone));
    let first = app.session().token().await.unwrap();
    let second = extension.session().replace(&first).await.unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    let third = extension.session().replace(&second).await.unwrap();
    phone.network.take_calls();

    assert_eq!(app.session().replace(&first).await.unwrap(), third);
    assert!(phone.network.take_calls().is_empty(), "no refresh was needed");
}

#[tokio::test]
async fn signing_out_works_on_a_locked_device_and_the_tokens_go_with_the_next_start() {
    let server = ReferenceServer::demo();
    let (phone, keychain) = signed_in(&server).await;
    keychain.lock(true);
    let engine = keychain.engine(&phone);
    engine.sign_out().await.unwrap();
    assert!(!engine.session().is_signed_in().await.unwrap());

    keychain.lock(false);
    assert!(!keychain.engine(&phone).session().is_signed_in().await.unwrap());
    assert_eq!((keychain.secrets.names(), phone.store.session().await.unwrap()), (vec![], None));
}

#[tokio::test]
async fn a_keychain_that_lost_the_tokens_asks_for_the_password_and_the_outbox_is_kept() {
    let server = ReferenceServer::demo();
    let (phone, _lost) = signed_in(&server).await;
    phone.write("Kept").await;
    let engine = Keychain::default().engine(&phone);

    assert!(matches!(engine.sync().await, Err(SyncError::SignedOut)));
    engine.session().sign_in(&Phone::credentials(ADA)).await.unwrap();
    assert_eq!(engine.sync().await.unwrap().pushed, 1);
}
