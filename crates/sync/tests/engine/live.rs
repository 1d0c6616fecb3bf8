//! Live hints. Tokio's time is paused: it advances when every task waits.

use crate::given::*;
use fieldpost_remote::{RemoteErrorKind, Topic, reference::ReferenceServer};
use fieldpost_sync::{LiveStatus, Runner};
use fieldpost_testkit::{LiveCall, LiveNetwork};
use std::{sync::Arc, time::Duration};
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
