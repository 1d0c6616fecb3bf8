//! What the stories share: a server, Ada with her file, and listeners that pass on what they hear.
#![allow(dead_code, clippy::panic, reason = "not every file tells of all of it, and tests panic")]

use fieldpost_devserver::DevServer;
use fieldpost_ffi::{
    Client, ClientOptions, ConversationDiff, ConversationKind, ConversationSummary, ConversationsListener, Draft,
    ErrorKind, Failure, FieldpostError, ListenerError, SearchQuery, Status, StatusListener, ThreadListener,
    ThreadUpdate, TimelineListener, TimelineUpdate,
};
use std::{
    sync::{Arc, mpsc},
    thread::{self, ThreadId},
    time::Duration,
};
use tempfile::TempDir;

/// What a listener hears, and on which thread.
pub(crate) enum Heard<T> {
    Update(T, ThreadId),
    End,
}

/// Passes on what it hears. Throws at its first so many calls.
pub(crate) struct Ear<T>(mpsc::Sender<Heard<T>>, std::sync::atomic::AtomicU32);

pub(crate) fn ear<T>(throws: u32) -> (Box<Ear<T>>, mpsc::Receiver<Heard<T>>) {
    let (sender, heard) = mpsc::channel();
    (Box::new(Ear(sender, throws.into())), heard)
}

impl<T> Ear<T> {
    fn hear(&self, update: T) -> Result<(), ListenerError> {
        use std::sync::atomic::Ordering::SeqCst;
        if self.1.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(ListenerError::Failed { reason: "the listener has a fault".into() });
        }
        let _ = self.0.send(Heard::Update(update, thread::current().id()));
        Ok(())
    }

    fn ended(&self) -> Result<(), ListenerError> {
        let _ = self.0.send(Heard::End);
        Ok(())
    }
}

macro_rules! listens {
    ($($listener:ident to $update:ty),+) => {
        $(impl $listener for Ear<$update> {
            fn on_update(&self, update: $update) -> Result<(), ListenerError> {
                self.hear(update)
            }

            fn on_error(&self, failure: Failure) -> Result<(), ListenerError> {
                panic!("{failure:?}")
            }

            fn on_end(&self) -> Result<(), ListenerError> {
                self.ended()
            }
        })+
    };
}

listens!(
    ConversationsListener to Vec<ConversationDiff>,
    ThreadListener to ThreadUpdate,
    StatusListener to Status,
    TimelineListener to TimelineUpdate
);

pub(crate) const SOON: Duration = Duration::from_secs(30);

pub(crate) fn update<T>(heard: &mpsc::Receiver<Heard<T>>) -> (T, ThreadId) {
    match heard.recv_timeout(SOON).unwrap() {
        Heard::Update(update, thread) => (update, thread),
        Heard::End => panic!("the watch has ended"),
    }
}

pub(crate) struct World {
    server: DevServer,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self { server: DevServer::builder().start().await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn options(&self) -> ClientOptions {
        let file = self.folder.path().join("ada.db");
        let (url, key) = (self.server.url().to_owned(), self.server.anon_key().to_owned());
        ClientOptions { url: Some(url), anon_key: Some(key), live: false, ..ClientOptions::at(file.to_string_lossy()) }
    }

    /// Ada, signed in and loaded, with her conversation.
    pub(crate) async fn ada(&self) -> (Arc<Client>, ConversationSummary) {
        let ada = Client::open(self.options(), None, None).await.unwrap();
        ada.sign_in("ada@fieldpost.test".into(), "fieldpost-demo".into()).await.unwrap();
        ada.sync().await.unwrap();
        let lines = ada.conversations(None).await.unwrap();
        let direct = lines.into_iter().find(|line| line.kind == ConversationKind::Direct).unwrap();
        (ada, direct)
    }
}

pub(crate) fn kind(error: FieldpostError) -> ErrorKind {
    Failure::from(error).kind
}

pub(crate) fn draft(text: &str) -> Draft {
    Draft { text: text.into(), reply_to: None, mentions: Vec::new(), metadata: None }
}

pub(crate) fn search(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.into(),
        conversation: None,
        sender: None,
        kind: None,
        since: None,
        until: None,
        best_first: false,
        limit: 50,
        after: None,
    }
}

/// Begins a call and gives it up at once. False if it was too fast for that.
pub(crate) async fn given_up<T>(call: impl Future<Output = T>) -> bool {
    // Polled once, then dropped.
    tokio::time::timeout(Duration::ZERO, call).await.is_err()
}
