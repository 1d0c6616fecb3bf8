//! Logs contain what happens, but no content and no token.

use crate::given::*;
use fieldpost_remote::{
    RemoteErrorKind,
    reference::{DEMO_PASSWORD, ReferenceServer},
};
use fieldpost_storage::Sessions;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn spans_contain_no_content_and_no_token() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // With a single subscriber, the first thread that reaches a span decides for all threads whether it is enabled. The
    // threads of other tests have no subscriber and would disable it.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _logging = tracing::subscriber::set_default(subscriber);

    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("the heron sleeps in the gatehouse").await;
    let first = ada.store.session().await.unwrap().unwrap();
    server.expire_tokens(server.person_with(ADA).unwrap());
    ada.sync().await;
    ada.network.fail_next(RemoteErrorKind::Unavailable);
    assert!(ada.engine.sync().await.is_err());
    let second = ada.store.session().await.unwrap().unwrap();
    server.end_sessions(server.person_with(ADA).unwrap());
    server.expire_tokens(server.person_with(ADA).unwrap());
    assert!(ada.engine.sync().await.is_err());

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for span in ["pass{", "call{operation=\"push\"}", "apply{operation=\"settle\"}", "pushed=1"] {
        assert!(text.contains(span), "{span} is missing:\n{text}");
    }
    let tokens = [&first, &second].map(|session| [session.access_token.reveal(), session.refresh_token.reveal()]);
    for secret in tokens.as_flattened().iter().chain(&["heron", "gatehouse", DEMO_PASSWORD]) {
        assert!(!text.contains(secret), "{secret:?} is in the log");
    }
}
