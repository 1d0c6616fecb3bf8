//! Code of the app that panics where Fieldpost calls it or hands something to it, and prints what it has in its hands.
#![expect(clippy::panic, reason = "that is what the code of an app does here")]

use super::Logs;
use async_trait::async_trait;
use fieldpost::{Fieldpost, MemorySecrets, SecretError, SecretName, SecretStore, import_watermelon};
use fieldpost_devserver::DevServer;
use fieldpost_domain::Secret;
use fieldpost_remote::reference::{DEMO_ADA, DEMO_PASSWORD};
use fieldpost_tests::OldApp;
use std::{
    io::Write,
    sync::{Arc, Mutex},
};

/// A keychain that works until it is to keep something for the second time.
#[derive(Clone, Default)]
struct Broken {
    kept: MemorySecrets,
    /// All that it was to keep.
    given: Arc<Mutex<Vec<String>>>,
}

impl Broken {
    fn tokens(&self) -> Vec<String> {
        let sessions = self.given.lock().unwrap().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let sessions: Vec<serde_json::Value> = sessions;
        let tokens = sessions.iter().flat_map(|session| [&session["access_token"], &session["refresh_token"]]);
        tokens.map(|token| token.as_str().unwrap().to_owned()).collect()
    }
}

#[async_trait]
impl SecretStore for Broken {
    fn describe(&self) -> String {
        "a broken keychain".to_owned()
    }

    async fn get(&self, name: &SecretName) -> Result<Option<Secret>, SecretError> {
        self.kept.get(name).await
    }

    async fn put(&self, name: &SecretName, secret: &Secret) -> Result<(), SecretError> {
        self.given.lock().unwrap().push(secret.reveal().to_owned());
        assert!(self.kept.names().is_empty(), "the app's own fault: {name:?} {secret:?}");
        self.kept.put(name, secret).await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        self.kept.delete(name).await
    }
}

/// Panics in each place, and notes what those say who wait for it. How many there were, and the tokens that were there.
pub(super) async fn everywhere(logs: &Logs, server: &DevServer) -> (usize, Vec<String>) {
    let keychain = Broken::default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("panics.db");
    let builder = || {
        let builder = Fieldpost::builder().url(server.url()).anon_key(server.anon_key()).database(&file);
        builder.secrets(Arc::new(keychain.clone()))
    };
    let mut panics = Vec::new();

    // A secret store, and whoever holds a client, its builder, an error or what a person is about to send.
    let client = Arc::new(builder().open().await.unwrap());
    client.sign_in(DEMO_ADA, DEMO_PASSWORD).await.unwrap();
    let signing_in = client.clone();
    panics.push(tokio::spawn(async move {
        let _ = signing_in.sign_in(DEMO_ADA, DEMO_PASSWORD).await;
    }));
    let held = client.clone();
    panics.push(tokio::spawn(async move {
        let error = held.sign_in(DEMO_ADA, "Xanthelasma-password").await.err();
        panic!("the app's own fault: {held:?} {error:?} {:?}", held.status());
    }));
    let held = builder();
    panics.push(tokio::spawn(async move { panic!("the app's own fault: {held:?}") }));

    // Whoever watches an import.
    let (app, target) = (OldApp::new(), folder.path().join("imported.db"));
    app.receive(10).await;
    panics.push(tokio::spawn(async move {
        let watch = |progress| panic!("the app's own fault: {progress:?}");
        let _ = import_watermelon(app.file(), target, watch).await;
    }));

    let mut count = 0;
    for panic in panics {
        let error = panic.await.unwrap_err();
        assert!(error.is_panic());
        writeln!(logs.clone(), "{error} {error:?}").unwrap();
        count += 1;
    }
    // What is said after a panic, by a client that lives on.
    writeln!(logs.clone(), "{:?} {:?}", client.diagnose().await, client.status().borrow().clone()).unwrap();
    client.sync().await.map_err(|error| logs.error(&error)).ok();
    (count, keychain.tokens())
}
