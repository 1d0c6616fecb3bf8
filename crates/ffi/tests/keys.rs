//! Files with a key, through the layer.
#![cfg(feature = "encryption")]
#![expect(clippy::unwrap_used, reason = "tests")]

mod world;

use fieldpost_ffi::{Client, ClientOptions, ErrorKind, KeyProgress, KeyProgressListener, ListenerError, change_key};
use std::{
    sync::{Arc, mpsc},
    thread::{self, ThreadId},
};
use world::kind;

/// Passes on how far it is, and on which thread it was told.
struct Bar(mpsc::Sender<(KeyProgress, ThreadId)>);

impl KeyProgressListener for Bar {
    fn on_progress(&self, progress: KeyProgress) -> Result<(), ListenerError> {
        self.0.send((progress, thread::current().id())).unwrap();
        Err(ListenerError::Failed { reason: "the bar has a fault".into() })
    }
}

fn key(first: u8) -> Vec<u8> {
    (first..first + 32).collect()
}

struct File(tempfile::TempDir);

impl File {
    fn path(&self) -> String {
        self.0.path().join("ada.db").to_string_lossy().into_owned()
    }

    async fn open(&self, key: Option<Vec<u8>>) -> fieldpost_ffi::Result<Arc<Client>> {
        Client::open(ClientOptions { key, ..ClientOptions::at(self.path()) }, None, None).await
    }
}

#[tokio::test]
async fn a_change_of_key_tells_how_far_it_is_until_it_returns() {
    let file = File(tempfile::tempdir().unwrap());
    file.open(None).await.unwrap().shutdown().await.unwrap();
    let (told, of_bar) = mpsc::channel();

    change_key(file.path(), None, Some(key(1)), Some(Box::new(Bar(told)))).await.unwrap();

    let told: Vec<_> = of_bar.try_iter().collect();
    assert!(told.iter().all(|(progress, thread)| progress.total > 0 && *thread != thread::current().id()), "{told:?}");
    assert!(!told.is_empty() && of_bar.try_recv().is_err());
    file.open(Some(key(1))).await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn each_mistake_with_a_key_has_its_own_kind_and_loses_nothing() {
    let file = File(tempfile::tempdir().unwrap());
    let change = async |old, new| kind(change_key(file.path(), old, new, None).await.unwrap_err());
    let open = async |key| kind(file.open(key).await.unwrap_err());
    assert_eq!(change(None, Some(key(1))).await, ErrorKind::FileNotAccessible);
    let ada = file.open(Some(key(1))).await.unwrap();

    assert_eq!(change(Some(key(1)), Some(key(2))).await, ErrorKind::Busy);
    ada.shutdown().await.unwrap();
    assert_eq!(open(None).await, ErrorKind::KeyMissing);
    assert_eq!(open(Some(key(2))).await, ErrorKind::WrongKey);
    assert_eq!(open(Some(key(1)[1..].to_vec())).await, ErrorKind::InvalidArgument);
    assert_eq!(change(None, None).await, ErrorKind::InvalidArgument);
    assert_eq!(change(None, Some(key(2))).await, ErrorKind::KeyMissing);
    assert_eq!(change(Some(key(2)), None).await, ErrorKind::WrongKey);

    file.open(Some(key(1))).await.unwrap().shutdown().await.unwrap();
    change_key(file.path(), Some(key(1)), None, None).await.unwrap();
    assert_eq!(open(Some(key(1))).await, ErrorKind::NotEncrypted);
    file.open(None).await.unwrap().shutdown().await.unwrap();
}
