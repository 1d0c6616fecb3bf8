//! What leaves the process by other ways than the server and the file: logs at every level, errors, panics, the status, the diagnosis.
//!
//! Words are planted wherever a person, the server or the app can put one, and everything is done that makes an app talk: a bad
//! network, tokens that expire, refusals, wrong passwords, live hints, a file that cannot be opened, an app whose own code panics. Then
//! all of it is searched. The logs are those of the whole process, of the libraries too, and of its panics.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

mod panicking;

use fieldpost::{
    Client, Draft, Error, Fieldpost, LiveStatus, Metadata, ReportReason, Rhythm, SearchQuery, SearchText, Window,
};
use fieldpost_devserver::{DevServer, FaultMix, FaultProxy};
use fieldpost_remote::reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD, ReferenceServer};
use fieldpost_storage::Sessions;
use fieldpost_storage_sqlite::SqliteStore;
use fieldpost_tests::{Phone, Picky, a_key};
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

/// What a person writes.
const CONTENT: [&str; 8] = [
    "Xanthelasma-text",
    "Xanthelasma-edited",
    "Xanthelasma-draft",
    "Xanthelasma-search",
    "Xanthelasma-metadata",
    "Xanthelasma-note",
    "Xanthelasma-refused",
    "Xanthelasma-password",
];

/// One that fits no file here.
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

/// All that was logged.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Libraries that log with the older crate. The WebSocket's frames have the token in them, and only its own level `trace` shows
/// them (docs/howto/encryption.md).
impl log::Log for Logs {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.level() < log::Level::Trace || !record.target().starts_with("tungstenite") {
            let _ = writeln!(self.clone(), "{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

impl Logs {
    fn of_this_process() -> Self {
        let logs = Self::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_span_events(FmtSpan::FULL);
        let subscriber = subscriber.with_ansi(false).with_writer(logs.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log::set_boxed_logger(Box::new(logs.clone())).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let panics = logs.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let trace = std::backtrace::Backtrace::force_capture();
            let _ = writeln!(panics.clone(), "{panic} {panic:?} {trace} {trace:?}");
        }));
        logs
    }

    /// Also goes through all causes of an error.
    fn error(&self, error: &(dyn std::error::Error + 'static)) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            writeln!(self.clone(), "{error} {error:?} {error:#?}").unwrap();
            cause = error.source();
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Says everything that a person can say.
async fn talk(client: &Client, logs: &Logs) -> Result<(), Error> {
    let list = client.conversations().await?;
    let direct = client.conversation(list.iter().find(|one| one.medic_id.is_some()).unwrap().id);
    let sent = direct.send("Xanthelasma-text").await?;
    let metadata = serde_json::json!({"key": "Xanthelasma-metadata"}).as_object().cloned().unwrap();
    let draft = Draft::new("Xanthelasma-text".to_owned().try_into().unwrap());
    direct.send_draft(draft.with_metadata(Metadata::new(metadata).unwrap())).await?;
    direct.send("no: Xanthelasma-refused").await?;
    direct.set_draft("Xanthelasma-draft").await?;
    client.search(&SearchQuery::new(SearchText::new("Xanthelasma-search").unwrap())).await?;
    for tried in [
        direct.edit(sent.id(), "Xanthelasma-edited").await.err(),
        direct.react(sent.id(), "👍").await.err(),
        direct.report(sent.id(), ReportReason::Spam, "Xanthelasma-note").await.err(),
        client.sign_in(DEMO_ADA, "Xanthelasma-password").await.err(),
    ]
    .into_iter()
    .flatten()
    {
        logs.error(&tried);
    }
    let shown = direct.messages(Window::newest(50)).await?;
    direct.mark_read(shown.last_seq().unwrap_or_default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_person_wrote_and_no_token_leaves_by_logs_errors_or_diagnoses() {
    // Given: words, a bad network, a server that refuses
    let logs = Logs::of_this_process();
    let reference = ReferenceServer::builder().project(Picky).build();
    reference.add_demo();
    let server = DevServer::builder().reference(reference.clone()).start().await.unwrap();
    let network = FaultProxy::before(&server).await.unwrap();
    let phone = Phone::new(network.url(), server.anon_key()).plain();
    let ada = phone.builder().typing().rhythm(Rhythm::default()).open().await.unwrap();
    ada.sign_in(DEMO_ADA, DEMO_PASSWORD).await.unwrap();
    ada.start().await;
    let mut status = ada.status();
    status.wait_for(|status| status.live == LiveStatus::Live && status.last_success_at.is_some()).await.unwrap();
    let person = ada.me().await.unwrap().unwrap().id;

    // When: a storm
    talk(&ada, &logs).await.unwrap();
    network.set(FaultMix::rough());
    for round in 0..12 {
        if round % 4 == 0 {
            reference.expire_tokens(person);
        }
        talk(&ada, &logs).await.unwrap();
        if let Err(error) = ada.sync().await {
            logs.error(&error);
        }
        writeln!(logs.clone(), "{:?} {:?}", ada.status().borrow().clone(), ada.outbox(100).await.unwrap().len())
            .unwrap();
    }
    network.heal();
    ada.sync().await.unwrap();
    let desk = Phone::new(server.url(), server.anon_key());
    let admin = desk.first_start(DEMO_ADMIN, DEMO_PASSWORD).await;
    writeln!(logs.clone(), "{:?} {:?}", ada.diagnose().await.unwrap(), admin.diagnose().await.unwrap()).unwrap();
    writeln!(logs.clone(), "{:?}", phone.builder().key(a_key())).unwrap();
    admin.close().await.unwrap();
    ada.close().await.unwrap();

    // When: an app that panics with all that it was given
    let (panics, tokens) = panicking::everywhere(&logs, &server).await;

    // When: a key is used, and mistakes are made with it
    let encrypted = Fieldpost::builder().database(phone.file()).key(a_key()).local_only();
    logs.error(&encrypted.open().await.err().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for key in [a_key(), OTHER_KEY.parse().unwrap()] {
        let builder = Fieldpost::builder().database(folder.path().join("encrypted.db")).key(key).local_only();
        match builder.open().await {
            Ok(client) => {
                writeln!(logs.clone(), "{:?}", client.diagnose().await.unwrap()).unwrap();
                client.close().await.unwrap();
            }
            Err(error) => logs.error(&error),
        }
    }
    let session = SqliteStore::open(phone.file()).await.unwrap().session().await.unwrap().unwrap();
    server.shutdown().await;

    // Then
    let text = logs.text();
    let words = CONTENT.iter().map(|word| (*word).to_owned());
    let secrets = [
        session.access_token.reveal(),
        session.refresh_token.reveal(),
        DEMO_PASSWORD,
        "0123456789abcdef0123456789abcdef",
        &OTHER_KEY[..32],
    ];
    let planted: Vec<String> = words.chain(secrets.map(str::to_owned)).chain(tokens).collect();
    let told: Vec<_> =
        planted.iter().filter_map(|word| text.lines().find(|line| line.contains(word.as_str()))).collect();
    assert!(told.is_empty(), "{} lines, the first: {}", told.len(), told[0]);
    assert!(panics >= 4 && text.matches("the app's own fault").count() >= panics, "{panics} panics");
    assert!(text.len() > 1_000_000, "the storm has said something: {}", text.len());
}
