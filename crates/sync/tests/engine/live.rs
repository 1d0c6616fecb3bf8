//! Live hints. Tokio's time is paused: it advances when every task waits.

use crate::given::*;
use async_trait::async_trait;
use fieldpost_domain::{AccessToken, ConversationId, PersonId};
use fieldpost_remote::{
    LiveConnection, LiveEvent, LiveHints, RemoteError, RemoteErrorKind, RemoteResult, Topic, reference::ReferenceServer,
};
use fieldpost_sync::{LiveStatus, Runner};
use fieldpost_testkit::{LiveCall, LiveNetwork};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

const S: Duration = Duration::from_secs(1);
/// Long enough for a pass, and far below the timer.
const BLINK: Duration = Duration::from_millis(100);

struct Listening {
    phone: Phone,
    live: LiveNetwork,
    _runner: Runner,
}

impl Listening {
    /// Ada's phone, which has synced once and is live.
    async fn ada(server: &ReferenceServer) -> Self {
        let (phone, live) = Phone::with_live(server, 1);
        phone.sign_in(ADA).await;
        phone.sync().await;
        let runner = Runner::start(Arc::clone(&phone.engine));
        sleep(6 * S).await;
        let listening = Self { phone, live, _runner: runner };
        assert_eq!(listening.status(), LiveStatus::Live);
        listening.phone.network.take_calls();
        listening
    }

    fn status(&self) -> LiveStatus {
        self.phone.engine.status().borrow().live
    }

    /// The text of the newest message.
    async fn newest(&self) -> String {
        self.phone.texts().await.pop().unwrap().1
    }

    fn pulls(&self) -> usize {
        self.phone.network.take_calls().into_iter().filter(|call| *call == "pull").count()
    }

    fn joins(&self) -> usize {
        self.live.take_calls().into_iter().filter(|call| matches!(call, LiveCall::Join(_))).count()
    }
}

/// The admin, whose phone does not listen.
async fn admin(server: &ReferenceServer) -> Phone {
    Phone::of(server, ADMIN, 2).await
}

async fn writes(admin: &Phone, text: &str) {
    admin.write(text).await;
    admin.sync().await;
}

#[tokio::test(start_paused = true)]
async fn what_another_writes_is_here_within_a_blink_by_one_pull() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    sleep(10 * S).await;
    ada.phone.network.take_calls();
    writes(&boss, "Which gate?").await;
    sleep(BLINK).await;
    assert_eq!((ada.newest().await.as_str(), ada.pulls()), ("Which gate?", 1));
}

#[tokio::test(start_paused = true)]
async fn what_she_writes_while_live_is_one_request_and_her_other_phone_has_it_within_a_blink() {
    let server = ReferenceServer::demo();
    let (ada, other) = (Listening::ada(&server).await, Listening::ada(&server).await);
    sleep(10 * S).await;
    ada.phone.network.take_calls();
    ada.phone.write("On my way").await;
    sleep(BLINK).await;
    assert_eq!(ada.phone.network.take_calls(), ["push"], "no pull for her own hint");
    assert_eq!(other.newest().await, "On my way");
}

#[tokio::test(start_paused = true)]
async fn without_a_single_hint_the_timer_finds_everything() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    ada.live.lose_hints();
    writes(&boss, "Unheard").await;
    sleep(BLINK).await;
    assert_ne!(ada.newest().await, "Unheard");
    sleep(30 * S).await;
    assert_eq!(ada.newest().await, "Unheard");
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_is_opened_again_and_what_was_missed_is_pulled() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    ada.live.refuse(RemoteErrorKind::Unreachable);
    ada.live.cut();
    sleep(BLINK).await;
    assert_eq!(ada.status(), LiveStatus::Reconnecting);
    writes(&boss, "While it was down").await;
    sleep(BLINK).await;
    ada.live.heal();
    sleep(5 * S).await;
    assert_eq!((ada.status(), ada.newest().await.as_str()), (LiveStatus::Live, "While it was down"));
}

#[tokio::test(start_paused = true)]
async fn topics_that_the_server_closes_are_joined_again() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    for round in 0..50 {
        ada.live.take_calls();
        ada.live.close_topics();
        sleep(2 * S).await;
        assert_eq!((ada.status(), ada.joins()), (LiveStatus::Live, 2), "round {round}");
    }
    writes(&boss, "Still there").await;
    sleep(BLINK).await;
    assert_eq!(ada.newest().await, "Still there");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_open_on_one_side_only_is_noticed_within_two_heartbeats() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    ada.live.silence();
    sleep(52 * S).await;
    assert_eq!(ada.status(), LiveStatus::Live, "on a new connection");
    assert!(ada.live.take_calls().contains(&LiveCall::Connect));
    writes(&boss, "Heard again").await;
    sleep(BLINK).await;
    assert_eq!(ada.newest().await, "Heard again");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_replaced_and_the_topics_are_joined_again() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    server.expire_tokens(fieldpost_storage::Sessions::account(&*ada.phone.store).await.unwrap().unwrap());
    ada.live.take_calls();
    sleep(35 * S).await;
    assert_eq!(ada.status(), LiveStatus::Live);
    writes(&boss, "With the new token").await;
    sleep(BLINK).await;
    assert_eq!(ada.newest().await, "With the new token");
}

/// Realtime may check tokens by another key than the rest of the server.
#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_every_token_of_live_topics_is_not_asked_for_new_ones_without_end() {
    let server = ReferenceServer::demo();
    let ada = Listening::ada(&server).await;
    ada.live.refuse_tokens();
    sleep(3600 * S).await;
    let refreshes = ada.phone.network.take_calls().into_iter().filter(|call| *call == "refresh").count();
    assert!((1..=8).contains(&refreshes), "{refreshes} new tokens in an hour");
    ada.live.heal();
    sleep(61 * S).await;
    assert_eq!(ada.status(), LiveStatus::Live);
}

#[tokio::test(start_paused = true)]
async fn in_the_background_and_during_a_pause_nothing_is_open_and_in_the_foreground_it_is_at_once() {
    let server = ReferenceServer::demo();
    let ada = Listening::ada(&server).await;
    ada.phone.engine.background(S).await.unwrap();
    sleep(BLINK).await;
    ada.live.take_calls();
    sleep(600 * S).await;
    assert_eq!((ada.status(), ada.live.take_calls().len()), (LiveStatus::Off, 0));
    ada.phone.engine.foreground();
    sleep(BLINK).await;
    assert_eq!((ada.status(), ada.joins()), (LiveStatus::Live, 2));
    ada.phone.engine.pause().await;
    assert_eq!(ada.status(), LiveStatus::Off);
    ada.phone.engine.resume();
    sleep(BLINK).await;
    assert_eq!(ada.status(), LiveStatus::Live);
}

#[tokio::test(start_paused = true)]
async fn whoever_signs_out_hears_nothing_and_whoever_signs_in_again_does() {
    let server = ReferenceServer::demo();
    let ada = Listening::ada(&server).await;
    ada.phone.engine.sign_out().await.unwrap();
    sleep(BLINK).await;
    ada.live.take_calls();
    sleep(600 * S).await;
    assert_eq!((ada.status(), ada.live.take_calls().len()), (LiveStatus::Off, 0));
    ada.phone.engine.sign_in(&Phone::credentials(ADA)).await.unwrap();
    sleep(BLINK).await;
    assert_eq!(ada.status(), LiveStatus::Live);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_live_hints_is_not_asked_for_any() {
    let server = ReferenceServer::builder().without(&fieldpost_domain::Capability::Live).build();
    server.add_demo();
    let (phone, live) = Phone::with_live(&server, 1);
    phone.sign_in(ADA).await;
    let _runner = Runner::start(Arc::clone(&phone.engine));
    sleep(600 * S).await;
    assert_eq!((phone.engine.status().borrow().live, live.take_calls().len()), (LiveStatus::Off, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_runner_closes_the_connection() {
    let server = ReferenceServer::demo();
    let (phone, live) = Phone::with_live(&server, 1);
    phone.sign_in(ADA).await;
    phone.sync().await;
    let runner = Runner::start(Arc::clone(&phone.engine));
    sleep(S).await;
    runner.stop().await;
    assert_eq!(phone.engine.status().borrow().live, LiveStatus::Off);
    live.take_calls();
    sleep(600 * S).await;
    assert!(live.take_calls().is_empty());
    let _again = Runner::start(Arc::clone(&phone.engine));
    sleep(BLINK).await;
    assert_eq!(phone.engine.status().borrow().live, LiveStatus::Live);
}

#[tokio::test(start_paused = true)]
async fn who_becomes_an_admin_hears_the_admins_as_well() {
    let server = ReferenceServer::demo();
    let ada = Listening::ada(&server).await;
    let me = fieldpost_storage::Sessions::account(&*ada.phone.store).await.unwrap().unwrap();
    ada.live.take_calls();
    server.change_role(me, fieldpost_domain::Role::OrgAdmin);
    sleep(BLINK).await;
    let joined = ada.live.take_calls();
    assert!(joined.iter().any(|call| matches!(call, LiveCall::Join(Topic::Admins(_)))), "{joined:?}");
    assert_eq!(ada.status(), LiveStatus::Live);
}

/// Somebody writes fifty messages a second for 200 seconds. A third of the hints is lost, others are late or come twice, and every
/// five seconds the line is cut, falls silent, or loses its topics.
#[tokio::test(start_paused = true)]
async fn of_ten_thousand_messages_none_is_lost_on_a_line_that_ends_every_five_seconds() {
    let server = ReferenceServer::demo();
    let ada = Listening::ada(&server).await;
    let (thread, before) = (ada.phone.thread().await, ada.phone.texts().await.len());
    let writer = server.person_with(ADMIN).unwrap();
    ada.live.rough(3);
    for second in 0..200 {
        server.insert_messages(thread, writer, &(0..50).map(|n| format!("{second}.{n}")).collect::<Vec<_>>());
        sleep(S).await;
        match second % 15 {
            4 => ada.live.cut(),
            9 => ada.live.close_topics(),
            14 => ada.live.silence(),
            _ => {}
        }
        if second % 50 == 49 {
            // The timer alone has brought what is older than its interval.
            let here = ada.phone.texts().await.len() - before;
            assert!(here + 31 * 50 >= (second + 1) * 50, "{here} of {} after {second} s", (second + 1) * 50);
        }
    }
    ada.live.heal();
    sleep(31 * S).await;
    assert_eq!(ada.phone.texts().await.len() - before, 10_000);
}

/// The socket of the network before stays open and says nothing: supabase/supabase-flutter#1071, supabase/supabase-js#1732.
#[tokio::test(start_paused = true)]
async fn when_the_network_changes_a_connection_that_is_dead_is_replaced_within_seconds() {
    let server = ReferenceServer::demo();
    let (ada, boss) = (Listening::ada(&server).await, admin(&server).await);
    ada.live.silence();
    ada.phone.engine.set_online(true);
    sleep(12 * S).await;
    assert!(ada.live.take_calls().contains(&LiveCall::Connect));
    writes(&boss, "On the other network").await;
    sleep(BLINK).await;
    assert_eq!(ada.newest().await, "On the other network");
}

/// supabase/realtime#1691 ends the connection above a limit, supabase/realtime#1414 and supabase/supabase-flutter#886 for no reason.
#[tokio::test(start_paused = true)]
async fn a_server_that_ends_every_connection_costs_a_connect_and_a_pull_a_minute_at_most() {
    let server = ReferenceServer::demo();
    let ada = Listening::ada(&server).await;
    for _ in 0..7_200 {
        if ada.status() == LiveStatus::Live {
            ada.live.cut();
        }
        sleep(S / 2).await;
    }
    let connects = ada.live.take_calls().into_iter().filter(|call| *call == LiveCall::Connect).count();
    // Full jitter: a wait is half a minute in the mean.
    assert!((60..=180).contains(&connects), "{connects} connections in an hour");
    let pulls = ada.pulls();
    assert!((120..=120 + 2 * connects).contains(&pulls), "{pulls} pulls");
}

/// A server on which somebody sends something that is far too large to whoever looks at a conversation.
#[derive(Clone, Default)]
struct Abused {
    connects: Arc<AtomicUsize>,
}

struct Cut(VecDeque<RemoteResult<LiveEvent>>);

#[async_trait]
impl LiveHints for Abused {
    async fn connect(&self, _token: &AccessToken) -> RemoteResult<Box<dyn LiveConnection>> {
        self.connects.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Cut(VecDeque::new())))
    }
}

#[async_trait]
impl LiveConnection for Cut {
    async fn join(&mut self, topic: Topic, _token: &AccessToken) -> RemoteResult<()> {
        self.0.push_back(Ok(LiveEvent::Joined(topic)));
        if matches!(topic, Topic::Typing(_)) {
            self.0.push_back(Err(RemoteError::new(RemoteErrorKind::Malformed, "next")));
        }
        Ok(())
    }

    async fn leave(&mut self, _topic: Topic) -> RemoteResult<()> {
        Ok(())
    }

    async fn renew(&mut self, _token: &AccessToken) -> RemoteResult<()> {
        Ok(())
    }

    async fn heartbeat(&mut self) -> RemoteResult<()> {
        self.0.push_back(Ok(LiveEvent::Alive));
        Ok(())
    }

    async fn type_in(&mut self, _conversation_id: ConversationId, _person_id: PersonId) -> RemoteResult<()> {
        Ok(())
    }

    async fn next(&mut self) -> RemoteResult<LiveEvent> {
        match self.0.pop_front() {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }
}

/// Realtime passes on broadcasts of 256 KB (supabase/supabase#41734), four times what a phone takes.
#[tokio::test(start_paused = true)]
async fn whoever_sends_what_is_too_large_in_a_conversation_costs_its_readers_a_second_in_ten_minutes() {
    let (server, abused) = (ReferenceServer::demo(), Abused::default());
    let phone = Phone::with_hints(&server, 1, Arc::new(abused.clone()));
    phone.sign_in(ADA).await;
    phone.sync().await;
    let _runner = Runner::start(Arc::clone(&phone.engine));
    sleep(S).await;
    phone.engine.look_at_typing(phone.thread().await);
    sleep(3600 * S).await;
    let connects = abused.connects.load(Ordering::Relaxed);
    assert!((6..=8).contains(&connects), "{connects} connections in an hour");
    assert_eq!(phone.engine.status().borrow().live, LiveStatus::Live);
}

/// A server that says ten times a millisecond, on each topic, that there is something new.
struct Flood;

struct Flooded {
    topics: Vec<Topic>,
    events: Vec<LiveEvent>,
}

#[async_trait]
impl LiveHints for Flood {
    async fn connect(&self, _token: &AccessToken) -> RemoteResult<Box<dyn LiveConnection>> {
        Ok(Box::new(Flooded { topics: Vec::new(), events: Vec::new() }))
    }
}

#[async_trait]
impl LiveConnection for Flooded {
    async fn join(&mut self, topic: Topic, _token: &AccessToken) -> RemoteResult<()> {
        self.topics.push(topic);
        self.events.push(LiveEvent::Joined(topic));
        Ok(())
    }

    async fn leave(&mut self, _topic: Topic) -> RemoteResult<()> {
        Ok(())
    }

    async fn renew(&mut self, _token: &AccessToken) -> RemoteResult<()> {
        Ok(())
    }

    async fn heartbeat(&mut self) -> RemoteResult<()> {
        self.events.push(LiveEvent::Alive);
        Ok(())
    }

    async fn type_in(&mut self, _conversation_id: ConversationId, _person_id: PersonId) -> RemoteResult<()> {
        Ok(())
    }

    async fn next(&mut self) -> RemoteResult<LiveEvent> {
        if self.events.is_empty() {
            sleep(Duration::from_millis(1)).await;
            for topic in &self.topics {
                self.events.extend((0..10).map(|_| LiveEvent::Hint(*topic, None)));
            }
        }
        Ok(self.events.pop().unwrap_or(LiveEvent::Alive))
    }
}

/// supabase/realtime#269: thousands of changes in one statement were thousands of messages, until nothing came any more.
#[tokio::test(start_paused = true)]
async fn of_a_flood_of_hints_passes_follow_one_another_and_the_app_goes_on() {
    let server = ReferenceServer::demo();
    let phone = Phone::with_hints(&server, 1, Arc::new(Flood));
    phone.sign_in(ADA).await;
    phone.sync().await;
    let _runner = Runner::start(Arc::clone(&phone.engine));
    sleep(S).await;
    phone.network.take_calls();
    sleep(2 * S).await;
    let pulls = phone.network.take_calls().into_iter().filter(|call| *call == "pull").count();
    assert!(pulls <= 2_001, "of 40,000 hints, {pulls} pulls: at most one for each millisecond in which any came");
    assert_eq!(phone.engine.status().borrow().live, LiveStatus::Live);
    phone.write("I am fine").await;
    sleep(BLINK).await;
    assert_eq!(phone.engine.status().borrow().pending, 0);
}
