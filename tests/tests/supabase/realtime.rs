//! Supabase's own realtime-js, unmodified, against the devserver: so that the devserver's protocol is not only our reading of it,
//! and what hears and types with realtime-js hears and types with Fieldpost.

#![expect(clippy::expect_used, reason = "a step that fails has to fail its test")]

use fieldpost_devserver::{DevServer, Interruption, LiveFault};
use fieldpost_domain::{AccessToken, ConversationId, PersonId};
use fieldpost_remote::{
    Auth, Credentials, LiveConnection, LiveEvent, LiveHints, Topic,
    reference::{DEMO_ADA, DEMO_ADMIN, DEMO_PASSWORD},
};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use serde_json::{Value, json};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A process with realtime-js, signed in as Ada.
struct Stranger {
    _process: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Stranger {
    async fn joins(server: &DevServer, topic: Topic, vsn: Option<&str>) -> Self {
        let mut process = Command::new("node")
            .arg("realtime.mjs")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("supabase"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (stdin, stdout) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut stranger = Self { _process: process, stdin, lines: BufReader::new(stdout).lines() };
        // Another version can be tried by hand.
        let library = std::env::var("FIELDPOST_REALTIME_JS").ok();
        stranger
            .told(&json!({
                "url": server.url(), "key": server.anon_key(), "email": DEMO_ADA, "password": DEMO_PASSWORD,
                "topic": topic.to_string(), "vsn": vsn, "library": library,
            }))
            .await;
        stranger
    }

    async fn told(&mut self, command: &Value) {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.unwrap();
    }

    async fn says(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("it says something");
        serde_json::from_str(&line.unwrap().expect("it goes on")).unwrap()
    }

    /// Waits until it says something with this field, and returns the field.
    async fn until(&mut self, field: &str) -> Value {
        loop {
            let said = self.says().await;
            if let Some(value) = said.get(field) {
                return value.clone();
            }
        }
    }

    async fn has_status(&mut self, status: &str) {
        while self.until("status").await != status {}
    }

    /// It has joined and the server is able to send hints.
    async fn is_ready(&mut self) {
        self.has_status("SUBSCRIBED").await;
        while self.until("system").await != "ok" {}
    }
}

async fn demo() -> DevServer {
    DevServer::builder().start().await.unwrap()
}

fn ada(server: &DevServer) -> PersonId {
    server.reference().person_with(DEMO_ADA).unwrap()
}

fn change(server: &DevServer, name: &str) {
    assert!(server.reference().rename_person(ada(server), "Ada", name));
}

#[tokio::test]
async fn realtime_js_joins_and_hears_hints_in_both_versions() {
    for vsn in [None, Some("1.0.0")] {
        let server = demo().await;
        let mut stranger = Stranger::joins(&server, Topic::Person(ada(&server)), vsn).await;
        stranger.is_ready().await;
        change(&server, "Byron");
        assert_eq!(stranger.until("hint").await, json!({}), "{vsn:?}");
        stranger.told(&json!({"token": true})).await;
        stranger.until("renewed").await;
        change(&server, "Lovelace");
        stranger.until("hint").await;
    }
}

#[tokio::test]
async fn realtime_js_and_fieldpost_see_each_other_type() {
    let server = demo().await;
    let conversation = server.reference().conversations_of(ada(&server))[0].id;
    let topic = Topic::Typing(conversation);
    let mut stranger = Stranger::joins(&server, topic, None).await;
    stranger.is_ready().await;
    let (mut admin, id) = fieldpost(&server, topic).await;
    stranger.told(&json!({"type": ada(&server).to_string()})).await;
    assert_eq!(typing(&mut *admin).await, (conversation, ada(&server)));
    admin.type_in(conversation, id).await.unwrap();
    assert_eq!(stranger.until("typing").await, json!(id.to_string()), "and not its own");
}

/// The admin, with Fieldpost's own client.
async fn fieldpost(server: &DevServer, topic: Topic) -> (Box<dyn LiveConnection>, PersonId) {
    let remote = SupabaseRemote::new(SupabaseConfig::new(server.url(), server.anon_key())).unwrap();
    let credentials = Credentials { email: DEMO_ADMIN.to_owned(), password: DEMO_PASSWORD.into() };
    let session = remote.sign_in(&credentials).await.unwrap();
    let token: AccessToken = session.access_token;
    let mut live = remote.connect(&token).await.unwrap();
    live.join(topic, &token).await.unwrap();
    while !matches!(live.next().await.unwrap(), LiveEvent::Ready(_) | LiveEvent::Joined(Topic::Typing(_))) {}
    (live, session.person_id)
}

async fn typing(live: &mut dyn LiveConnection) -> (ConversationId, PersonId) {
    loop {
        let next = tokio::time::timeout(PATIENCE, live.next()).await.expect("somebody types");
        if let LiveEvent::Typing { conversation_id, person_id } = next.unwrap() {
            return (conversation_id, person_id);
        }
    }
}

/// What realtime-js survives: it joins again by itself.
#[tokio::test]
async fn realtime_js_comes_back_after_a_failure_and_a_break() {
    let server = demo().await;
    let mut stranger = Stranger::joins(&server, Topic::Person(ada(&server)), None).await;
    stranger.is_ready().await;
    for (name, interruption) in [
        ("failed", Interruption::FailTopics),
        ("closed", Interruption::CloseConnections),
        ("cut", Interruption::CutConnections),
        ("silent", Interruption::FallSilent),
    ] {
        server.live().interrupt(interruption);
        stranger.is_ready().await;
        change(&server, name);
        stranger.until("hint").await;
    }
    server.live().order(1, LiveFault::DoubleHint);
    change(&server, "twice");
    stranger.until("hint").await;
    stranger.until("hint").await;
}

/// What it does not: a closed topic is gone for good. Fieldpost joins again (`fieldpost_sync`).
#[tokio::test]
async fn realtime_js_takes_a_close_for_the_end() {
    for interruption in [Interruption::CloseTopics, Interruption::EndTopics("Token has expired 0 seconds ago")] {
        let server = demo().await;
        let mut stranger = Stranger::joins(&server, Topic::Person(ada(&server)), None).await;
        stranger.is_ready().await;
        let joins = server.live().joins();
        server.live().interrupt(interruption);
        stranger.has_status("CLOSED").await;
        stranger.told(&json!({"token": true})).await;
        stranger.until("renewed").await;
        assert_eq!(server.live().joins(), joins, "{interruption:?}");
    }
}

#[tokio::test]
async fn realtime_js_tries_a_refused_join_again() {
    let server = demo().await;
    server.live().order(
        2,
        LiveFault::RefuseJoin("UnableToConnectToProject: Realtime was unable to connect to the project database"),
    );
    let mut stranger = Stranger::joins(&server, Topic::Person(ada(&server)), None).await;
    stranger.has_status("CHANNEL_ERROR").await;
    stranger.has_status("CHANNEL_ERROR").await;
    stranger.is_ready().await;
}
