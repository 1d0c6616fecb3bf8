//! Live hints over the devserver: each fault that it knows, and the bad network before it.

use fieldpost_devserver::{DevServer, Endpoint, Fault, FaultProxy, Interruption, LiveFault};
use fieldpost_domain::{AccessToken, Retry};
use fieldpost_remote::{
    Auth, Credentials, LiveConnection, LiveEvent, LiveHints, RemoteError, RemoteErrorKind, Topic,
    conformance::{Action, Verdict, reference},
    reference::{DEMO_ADA, DEMO_PASSWORD, ReferenceServer},
};
use fieldpost_remote_supabase::{SupabaseConfig, SupabaseRemote};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// What must come comes sooner; what must not come is given up after a blink.
const PATIENCE: Duration = Duration::from_secs(10);
const BLINK: Duration = Duration::from_millis(30);

/// Ada's phone, which listens to what concerns her.
struct Phone {
    live: Box<dyn LiveConnection>,
    topic: Topic,
    token: AccessToken,
}

fn remote(server: &DevServer, url: &str) -> SupabaseRemote {
    SupabaseRemote::new(SupabaseConfig::new(url, server.anon_key())).unwrap()
}

async fn sign_in(remote: &SupabaseRemote) -> (Topic, AccessToken) {
    let credentials = Credentials { email: DEMO_ADA.to_owned(), password: DEMO_PASSWORD.into() };
    let session = remote.sign_in(&credentials).await.unwrap();
    (Topic::Person(session.person_id), session.access_token)
}

impl Phone {
    async fn of(server: &DevServer, url: &str) -> Self {
        let remote = remote(server, url);
        let (topic, token) = sign_in(&remote).await;
        let live = remote.connect(&token).await.unwrap();
        let mut phone = Self { live, topic, token };
        phone.join().await;
        phone
    }

    async fn join(&mut self) {
        self.live.join(self.topic, &self.token).await.unwrap();
        assert!(matches!(self.next().await, LiveEvent::Joined(topic) if topic == self.topic));
        assert!(matches!(self.next().await, LiveEvent::Ready(topic) if topic == self.topic));
    }

    async fn result(&mut self) -> Result<LiveEvent, RemoteError> {
        tokio::time::timeout(PATIENCE, self.live.next()).await.expect("something comes")
    }

    async fn next(&mut self) -> LiveEvent {
        self.result().await.unwrap()
    }

    async fn hears_a_hint(&mut self) {
        assert!(matches!(self.next().await, LiveEvent::Hint(topic, _) if topic == self.topic));
    }

    async fn leaves(&mut self) -> RemoteErrorKind {
        match self.next().await {
            LiveEvent::Left(topic, error) if topic == self.topic => error.kind(),
            other => panic!("{other:?}"),
        }
    }

    /// That all events so far have come.
    async fn has_heard_all(&mut self) {
        self.live.heartbeat().await.unwrap();
        assert!(matches!(self.next().await, LiveEvent::Alive));
    }
}

async fn demo() -> (DevServer, Phone) {
    let server = DevServer::builder().start().await.unwrap();
    let phone = Phone::of(&server, server.url()).await;
    (server, phone)
}

/// Something changes that concerns Ada.
fn change(server: &DevServer, phone: &Phone) {
    static CHANGES: AtomicUsize = AtomicUsize::new(0);
    let Topic::Person(person_id) = phone.topic else { panic!("her own topic") };
    let name = format!("Lovelace {}", CHANGES.fetch_add(1, Ordering::Relaxed));
    assert!(server.reference().rename_person(person_id, "Ada", &name));
}

#[tokio::test]
async fn hints_are_lost_late_and_doubled_on_command() {
    let (server, mut phone) = demo().await;
    server.live().order(1, LiveFault::LoseHint);
    change(&server, &phone);
    phone.has_heard_all().await;
    server.live().order(1, LiveFault::DoubleHint);
    change(&server, &phone);
    phone.hears_a_hint().await;
    phone.hears_a_hint().await;
    server.live().order(1, LiveFault::DelayHint(BLINK));
    change(&server, &phone);
    phone.has_heard_all().await;
    phone.hears_a_hint().await;
    server.live().lose(100, 7);
    change(&server, &phone);
    phone.has_heard_all().await;
    server.live().heal();
    change(&server, &phone);
    phone.hears_a_hint().await;
    phone.has_heard_all().await;
}

#[tokio::test]
async fn a_topic_that_the_server_ends_is_left_once_and_can_be_joined_again() {
    use RemoteErrorKind::{Forbidden, RateLimited, Unauthorized, Unavailable};
    let (server, mut phone) = demo().await;
    for (interruption, kind) in [
        (Interruption::CloseTopics, Unavailable),
        (Interruption::FailTopics, Unavailable),
        (Interruption::EndTopics("Token has expired 0 seconds ago"), Unauthorized),
        (Interruption::EndTopics("You no longer have permission to read from this Channel topic"), Forbidden),
        (Interruption::EndTopics("Too many messages per second"), RateLimited),
        (Interruption::EndTopics("Replication connection was not established in time"), Unavailable),
    ] {
        server.live().interrupt(interruption);
        assert_eq!(phone.leaves().await, kind, "{interruption:?}");
        change(&server, &phone);
        phone.has_heard_all().await;
        phone.join().await;
        change(&server, &phone);
        phone.hears_a_hint().await;
    }
}

#[tokio::test]
async fn a_refused_join_leaves_the_connection_usable() {
    use RemoteErrorKind::{RateLimited, Unavailable};
    let (server, mut phone) = demo().await;
    for (reason, kind) in [
        ("ClientJoinRateLimitReached: Too many joins per second", RateLimited),
        ("UnableToConnectToProject: Realtime was unable to connect to the project database", Unavailable),
    ] {
        server.live().order(1, LiveFault::RefuseJoin(reason));
        phone.live.join(phone.topic, &phone.token).await.unwrap();
        assert_eq!(phone.leaves().await, kind, "{reason}");
        phone.join().await;
    }
}

#[tokio::test]
async fn a_connection_that_ends_is_an_interruption() {
    for interruption in [Interruption::CloseConnections, Interruption::CutConnections] {
        let (server, mut phone) = demo().await;
        server.live().interrupt(interruption);
        assert_eq!(phone.result().await.unwrap_err().kind(), RemoteErrorKind::Interrupted, "{interruption:?}");
    }
    let (server, mut phone) = demo().await;
    server.shutdown().await;
    assert_eq!(phone.result().await.unwrap_err().kind(), RemoteErrorKind::Interrupted);
}

/// A line that is dead on one side says nothing. That no answer comes is all that one can notice.
#[tokio::test]
async fn a_server_that_falls_silent_does_not_answer_a_heartbeat() {
    let (server, mut phone) = demo().await;
    server.live().interrupt(Interruption::FallSilent);
    change(&server, &phone);
    phone.live.heartbeat().await.unwrap();
    assert!(tokio::time::timeout(BLINK, phone.live.next()).await.is_err());
    assert_eq!(server.live().connections(), 1);
}

#[tokio::test]
async fn a_token_that_expires_ends_its_topics_and_a_newer_one_keeps_them()
-> Result<(), fieldpost_remote::conformance::Unsupported> {
    let (server, mut phone) = demo().await;
    let Topic::Person(person_id) = phone.topic else { panic!("her own topic") };
    expire(&server, person_id)?;
    phone.has_heard_all().await;
    assert_eq!(phone.leaves().await, RemoteErrorKind::Unauthorized);
    let (_, token) = sign_in(&remote(&server, server.url())).await;
    phone.token = token;
    phone.join().await;
    let (_, newer) = sign_in(&remote(&server, server.url())).await;
    phone.live.renew(&newer).await.unwrap();
    phone.has_heard_all().await;
    change(&server, &phone);
    phone.hears_a_hint().await;
    // A token that never was one is looked at as soon as it comes.
    phone.live.renew(&AccessToken::new("nonsense")).await.unwrap();
    assert_eq!(phone.leaves().await, RemoteErrorKind::Unauthorized);
    Ok(())
}

fn expire(server: &DevServer, person_id: fieldpost_domain::PersonId) -> Verdict {
    reference::perform(server.reference(), Action::ExpireTokens { person_id })
}

/// Nobody need say anything for it.
#[tokio::test]
async fn the_server_ends_a_topic_when_its_token_does() {
    let short = ReferenceServer::builder().token_lifetime(Duration::from_millis(300)).build();
    short.add_demo();
    let server = DevServer::builder().reference(short).start().await.unwrap();
    let mut phone = Phone::of(&server, server.url()).await;
    assert_eq!(phone.leaves().await, RemoteErrorKind::Unauthorized);
}

#[tokio::test]
async fn the_bad_network_lets_the_connection_through_and_cuts_it() {
    let server = DevServer::builder().start().await.unwrap();
    let network = FaultProxy::before(&server).await.unwrap();
    let mut phone = Phone::of(&server, network.url()).await;
    change(&server, &phone);
    phone.hears_a_hint().await;
    network.offline(true).await;
    assert_eq!(phone.result().await.unwrap_err().kind(), RemoteErrorKind::Interrupted);
    let away = remote(&server, network.url()).connect(&phone.token).await.err().unwrap();
    assert_eq!(away.kind(), RemoteErrorKind::Unreachable);
    network.offline(false).await;
    Phone::of(&server, network.url()).await.has_heard_all().await;
}

#[tokio::test]
async fn what_a_gateway_answers_in_place_of_the_connection() {
    use RemoteErrorKind::*;
    let server = DevServer::builder().start().await.unwrap();
    let network = FaultProxy::before(&server).await.unwrap();
    let phone = remote(&server, network.url());
    for (fault, kind) in [
        (Fault::Reset, Interrupted),
        (Fault::LoseAnswer, Interrupted),
        (Fault::BadGateway, Unavailable),
        (Fault::Unavailable, Unavailable),
        (Fault::RateLimit(7), RateLimited),
        (Fault::Portal, Intercepted),
        (Fault::PortalRedirect, Intercepted),
        (Fault::PortalNotFound, Intercepted),
    ] {
        network.order(Endpoint::Realtime, 1, fault);
        let error = phone.connect(&AccessToken::new("any")).await.err().expect("no connection");
        assert_eq!(error.kind(), kind, "{fault:?}");
        let waits = error.retry() == Retry::After(Duration::from_secs(7));
        assert_eq!(waits, kind == RateLimited, "{fault:?}");
    }
    assert!(phone.connect(&AccessToken::new("any")).await.is_ok());
}
