//! The end of a process: in a process of its own, because it is the end for all of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use fieldpost_ffi::{Client, ClientOptions, CountListener, Failure, ListenerError, stop_listening};
use std::sync::mpsc;

/// Tells of each call, and of its own end.
struct Ear(mpsc::Sender<&'static str>);

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

#[tokio::test]
async fn nothing_of_the_app_is_called_or_given_back_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ada.db");
    let client = Client::open(ClientOptions::at(file.to_string_lossy()), None, None).await.unwrap();
    let ((before, of_before), (after, of_after)) = (mpsc::channel(), mpsc::channel());
    let first = client.watch_total_unread(Box::new(Ear(before))).unwrap();
    let second = client.watch_total_unread(Box::new(Ear(after))).unwrap();
    assert_eq!((of_before.recv().unwrap(), of_after.recv().unwrap()), ("update", "update"));

    drop(first);
    assert_eq!(of_before.recv().unwrap(), "given back");
    stop_listening();
    client.shutdown().await.unwrap();
    drop(second);

    // The channel would be closed if the listener had been given back.
    assert_eq!(of_after.try_recv().unwrap_err(), mpsc::TryRecvError::Empty);
}
