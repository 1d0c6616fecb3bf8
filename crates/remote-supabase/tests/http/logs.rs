//! What a call logs: its name, status, size and duration. Never a token, a key or content.

use crate::support::{ANON_KEY, Server, pull_request, token};
use fieldpost_domain::RefreshToken;
use fieldpost_remote::{Auth, Credentials, LiveHints, MessagingApi};
use serde_json::json;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn calls_are_traced_without_tokens_and_content() {
    let buffer = Buffer::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(buffer.clone())
        .finish();
    // With a single subscriber, the first thread that reaches a span asks its own subscriber, and that answer is cached
    // for all threads. The threads of the other tests have none.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start().await;
    let remote = server.remote();
    server
        .pull()
        .answers(json!({"cursor": "cursor-secret", "more": false, "messages": [{"content": "content-secret"}],
        "digest": "digest-secret"}));
    server.pull().refuses(401, &json!({"code": "PGRST303", "message": "message-secret"}));
    server.refresh().refuses(400, &json!({"error_code": "session_expired", "msg": "message-secret"}));
    server.sign_in().refuses(400, &json!({"error_code": "invalid_credentials", "msg": "message-secret"}));
    remote.pull(&token(), pull_request()).await.unwrap();
    remote.pull(&token(), pull_request()).await.unwrap_err();
    remote.refresh(&RefreshToken::new("refresh-secret")).await.unwrap_err();
    let credentials = Credentials { email: "mail-secret@site.example".to_owned(), password: "pass-secret".into() };
    remote.sign_in(&credentials).await.unwrap_err();

    assert!(remote.connect(&token()).await.is_err());

    let log = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    for words in [
        "operation=\"pull\"",
        "operation=\"sign_in\"",
        "operation=\"connect\"",
        "status=200",
        "status=401",
        "bytes=",
        "ms=",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
    for words in ["secret", ANON_KEY] {
        assert!(!log.contains(words), "{words} in {log}");
    }
}
