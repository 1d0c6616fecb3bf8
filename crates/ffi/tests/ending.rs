//! The end of a process: in a process of its own, because it is the end for all of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use fieldpost_ffi::{
    Client, ClientOptions, CountListener, Failure, ListenerError, LogLevel, LogLine, LogSink, SessionToken, TokenError,
    TokenProvider, log_to, stop_listening,
};
use futures::poll;
use std::{
    future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    time::Duration,
};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);

/// Tells of each call, and of its own end.
struct Ear(Sender<&'static str>);

impl CountListener for Ear {
    fn on_update(&self, _: u32) -> Result<(), ListenerError> {
        self.0.send("update").unwrap();
        Ok(())
    }

    fn on_error(&self, _: Failure) -> Result<(), ListenerError> {
        Ok(())
    }

    fn on_end(&self) -> Result<(), ListenerError> {
        self.0.send("end").unwrap();
        Ok(())
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.0.send("given back");
    }
}

/// Tells of each line, and takes it only when the test lets it.
struct Sink(Sender<String>, Mutex<Receiver<()>>);

impl LogSink for Sink {
    fn log(&self, line: LogLine) -> Result<(), ListenerError> {
        self.0.send(line.text).unwrap();
        let _ = self.1.lock().unwrap().recv();
        Ok(())
    }
}

/// Has no token at first: it is asked when a client is opened. Then it tells of each question, never answers, and tells when nobody
/// waits for its answer any more.
struct Silent(Sender<&'static str>, AtomicBool);

#[async_trait::async_trait]
impl TokenProvider for Silent {
    async fn token(&self, _refused: Option<String>) -> Result<SessionToken, TokenError> {
        if self.1.swap(false, Ordering::SeqCst) {
            return Err(TokenError::Unavailable { reason: "there is no network".to_owned() });
        }
        self.0.send("asked").unwrap();
        let _given_up = Ear(self.0.clone());
        future::pending().await
    }
}

fn options(folder: &TempDir, name: &str) -> ClientOptions {
    ClientOptions::at(folder.path().join(name).to_string_lossy())
}

/// A client that asks such an app, and waits so long for it.
async fn asking(folder: &TempDir, name: &str, limit: Duration) -> (Arc<Client>, Receiver<&'static str>) {
    let (told, of_app) = mpsc::channel();
    let url = Some("http://127.0.0.1:9".to_owned());
    let options = ClientOptions { url, anon_key: Some("key".to_owned()), ..options(folder, name) };
    let options = ClientOptions { callback_limit: Some(limit), live: false, ..options };
    (Client::open(options, Some(Box::new(Silent(told, AtomicBool::new(true)))), None).await.unwrap(), of_app)
}

#[tokio::test]
async fn nothing_of_the_app_is_called_or_given_back_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    // Given: two watches, one of which is over.
    let client = Client::open(options(&folder, "ada.db"), None, None).await.unwrap();
    let ((before, of_before), (after, of_after)) = (mpsc::channel(), mpsc::channel());
    let first = client.watch_total_unread(Box::new(Ear(before))).unwrap();
    let second = client.watch_total_unread(Box::new(Ear(after))).unwrap();
    assert_eq!((of_before.recv().unwrap(), of_after.recv().unwrap()), ("update", "update"));
    drop(first);
    assert_eq!(of_before.recv().unwrap(), "given back");
    // An app that was asked for a token and has not answered, and one that was not asked yet.
    let (waiting, of_asked) = asking(&folder, "waiting.db", Duration::from_secs(5)).await;
    let (other, of_other) = asking(&folder, "other.db", Duration::from_millis(1)).await;
    let mut syncing = pin!(waiting.sync());
    assert!(poll!(&mut syncing).is_pending());
    // Its runtime is another one, so waiting here holds nothing up.
    assert_eq!(of_asked.recv_timeout(SOON).unwrap(), "asked");
    // A log with three lines, the first of which is being taken.
    let ((line, of_lines), (take, taken)) = (mpsc::channel(), mpsc::channel());
    log_to(LogLevel::Info, Box::new(Sink(line, Mutex::new(taken)))).unwrap();
    for number in ["one", "two", "three"] {
        tracing::info!(target: "fieldpost-tests", "{number}");
    }
    assert_eq!(of_lines.recv().unwrap(), "one");

    // When: the end comes, which does not wait for ever; the sink takes the first line after that.
    stop_listening();
    drop(take);
    // It is over a second time when everything that was in the line is done.
    stop_listening();
    client.shutdown().await.unwrap();
    drop(second);
    let refused = other.sync().await;
    let given_up = syncing.await;

    // Then: the channels would be closed if something had been given back.
    assert_eq!(of_lines.try_recv().unwrap_err(), TryRecvError::Empty);
    assert_eq!(of_after.try_recv().unwrap_err(), TryRecvError::Empty);
    assert_eq!(of_asked.try_recv().unwrap_err(), TryRecvError::Empty);
    assert_eq!(of_other.try_recv().unwrap_err(), TryRecvError::Empty);
    assert!(refused.is_err() && given_up.is_err());
}
