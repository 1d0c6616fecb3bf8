//! The live connection.

use fieldpost_domain::{ConversationId, Extra, MutationId, OrgId, Person, PersonId, PushTag, Retry, Role, Version};
use fieldpost_remote::{LiveEvent, RemoteError, RemoteErrorKind, Topic};
use fieldpost_sync::machine::{
    Live, LiveRhythm, LiveStatus, LiveStep, Moment, Trigger,
    live::{concern, is_for_hints},
};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};
use uuid::Uuid;

const S: Duration = Duration::from_secs(1);
/// Randomness that always draws the longest wait.
const LONGEST: u32 = u32::MAX;

fn at(seconds: u32) -> Moment {
    S * seconds
}

fn me() -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(7))
}

fn org() -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(1))
}

fn own() -> Topic {
    Topic::Person(me())
}

fn of_org() -> Topic {
    Topic::Org(org())
}

/// A running machine that wants the topics of a medic.
fn wanting() -> Live {
    let mut live = Live::new(LiveRhythm::default());
    live.run(true);
    assert!(live.want(BTreeSet::from([own(), of_org()])));
    live
}

/// Does what the machine asks for until it waits, at one moment; the server accepts everything.
fn served(live: &mut Live, now: Moment) -> Vec<LiveStep> {
    let mut steps = Vec::new();
    loop {
        let step = live.next(now);
        steps.push(step);
        match step {
            LiveStep::Connect => live.connected(now),
            LiveStep::Join(topic) => {
                live.joining(now, topic);
                assert_eq!(live.heard(now, &LiveEvent::Joined(topic), LONGEST), is_for_hints(&topic));
            }
            LiveStep::Leave(topic) => live.left(topic),
            LiveStep::Type(conversation, _) => live.typed(now, conversation),
            LiveStep::Heartbeat => {
                live.asked(now);
                live.heard(now, &LiveEvent::Alive, LONGEST);
            }
            LiveStep::Disconnect => live.closed(),
            LiveStep::Wait(_) | LiveStep::Rest => return steps,
        }
    }
}

/// A machine whose topics are joined.
fn up() -> Live {
    let mut live = wanting();
    served(&mut live, Moment::ZERO);
    assert_eq!(live.status(), LiveStatus::Live);
    live
}

fn closed(topic: Topic, kind: RemoteErrorKind) -> LiveEvent {
    LiveEvent::Left(topic, RemoteError::new(kind, "join"))
}

#[test]
fn nothing_is_connected_before_somebody_wants_it() {
    let mut live = Live::new(LiveRhythm::default());
    assert_eq!((live.next(at(0)), live.status()), (LiveStep::Rest, LiveStatus::Off));
    live.want(BTreeSet::from([own()]));
    assert_eq!(live.next(at(0)), LiveStep::Rest, "nobody carries it out");
    live.run(true);
    assert_eq!((live.next(at(0)), live.status()), (LiveStep::Connect, LiveStatus::Reconnecting));
}

#[test]
fn it_connects_joins_everything_and_asks_every_25_seconds_whether_the_server_is_there() {
    let mut live = wanting();
    let steps = served(&mut live, at(0));
    assert_eq!(steps, [LiveStep::Connect, LiveStep::Join(own()), LiveStep::Join(of_org()), LiveStep::Wait(at(25))]);
    assert_eq!(served(&mut live, at(25)), [LiveStep::Heartbeat, LiveStep::Wait(at(50))]);
}

#[test]
fn a_heartbeat_that_is_not_answered_by_the_next_ends_the_connection() {
    let mut live = up();
    live.asked(at(25));
    assert_eq!(live.next(at(49)), LiveStep::Wait(at(50)));
    assert_eq!(live.next(at(50)), LiveStep::Disconnect);
    live.lost(at(50), LONGEST);
    assert_eq!(live.status(), LiveStatus::Reconnecting);
    assert_eq!(live.next(at(50)), LiveStep::Wait(at(51)));
    let steps = served(&mut live, at(51));
    assert_eq!(steps[..3], [LiveStep::Connect, LiveStep::Join(own()), LiveStep::Join(of_org())], "all is joined anew");
}

#[test]
fn a_topic_that_the_server_closes_is_joined_again_for_ever_and_later_each_time() {
    let mut live = up();
    let mut waits = Vec::new();
    let mut now = at(1);
    for _ in 0..9 {
        live.heard(now, &closed(own(), RemoteErrorKind::Unavailable), LONGEST);
        assert_eq!(live.status(), LiveStatus::Reconnecting);
        let due = loop {
            match live.next(now) {
                LiveStep::Wait(until) => now = until,
                LiveStep::Heartbeat => drop(served(&mut live, now)),
                LiveStep::Join(topic) => break topic,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(due, own());
        waits.push(now);
        live.joining(now, own());
    }
    let last = waits[8] - waits[7];
    assert!(last >= 59 * S && last <= 61 * S, "the wait grows up to a minute: {waits:?}");
    live.heard(now, &LiveEvent::Joined(own()), LONGEST);
    assert_eq!(live.status(), LiveStatus::Live);
}

#[test]
fn a_join_that_is_not_answered_has_failed() {
    let mut live = wanting();
    live.connected(at(0));
    live.joining(at(0), own());
    live.joining(at(0), of_org());
    assert_eq!(live.next(at(0)), LiveStep::Wait(at(10)));
    assert!(!live.look(at(9), LONGEST));
    assert!(live.look(at(10), LONGEST));
    assert_eq!(live.next(at(10)), LiveStep::Wait(at(11)));
    assert_eq!(live.next(at(11)), LiveStep::Join(own()));
}

#[test]
fn a_refusal_is_tried_more_slowly_than_a_fault_and_the_others_go_on() {
    let mut live = up();
    live.heard(at(1), &closed(own(), RemoteErrorKind::Forbidden), LONGEST);
    assert_eq!(live.next(at(1)), LiveStep::Wait(at(9)));
    assert!(live.heard(at(2), &LiveEvent::Hint(of_org(), None), LONGEST), "the other topic is still joined");
}

#[test]
fn every_join_and_every_ready_and_every_hint_asks_for_a_pull() {
    let mut live = up();
    for event in [LiveEvent::Joined(own()), LiveEvent::Ready(own()), LiveEvent::Hint(own(), None)] {
        assert!(live.heard(at(1), &event, LONGEST), "{event:?}");
    }
    assert!(!live.heard(at(1), &LiveEvent::Alive, LONGEST));
    assert!(!live.heard(at(1), &closed(own(), RemoteErrorKind::Unavailable), LONGEST));
}

#[test]
fn the_hint_of_an_own_push_asks_for_no_pull_and_that_of_anothers_does() {
    let push = |number: u32| PushTag::of(MutationId::from_uuid(Uuid::from_u128(number.into())));
    let hint = |number| LiveEvent::Hint(own(), Some(push(number)));
    let mut live = up();
    live.pushing(push(1));
    for _ in 0..2 {
        assert!(!live.heard(at(1), &hint(1), LONGEST), "it may come twice");
    }
    assert!(live.heard(at(1), &hint(2), LONGEST), "another device pushed");
    (1..=20).for_each(|number| live.pushing(push(number)));
    assert!(live.heard(at(2), &hint(1), LONGEST), "forgotten after many pushes");
    assert!(!live.heard(at(2), &hint(20), LONGEST));
}

#[test]
fn a_wait_that_the_server_named_is_kept_even_in_the_foreground() {
    let mut live = wanting();
    live.refused(at(0), RemoteErrorKind::RateLimited, Retry::After(40 * S), LONGEST);
    live.trigger(Trigger::Foreground);
    assert_eq!(live.next(at(0)), LiveStep::Wait(at(40)));
    assert_eq!(live.next(at(40)), LiveStep::Connect);
    live.refused(at(40), RemoteErrorKind::Unavailable, Retry::After(Duration::from_secs(3600 * 24)), LONGEST);
    assert_eq!(live.next(at(40)), LiveStep::Wait(at(40) + 15 * 60 * S), "a gateway that says a day is mistaken");
}

#[test]
fn a_server_out_of_reach_is_tried_later_and_later_and_at_once_when_the_network_is_back() {
    let mut live = wanting();
    let mut ceilings = Vec::new();
    for _ in 0..8 {
        live.refused(at(0), RemoteErrorKind::Unreachable, Retry::WhenOnline, LONGEST);
        let LiveStep::Wait(until) = live.next(at(0)) else { panic!("it waits") };
        ceilings.push(until.as_secs());
    }
    assert_eq!(ceilings, [1, 2, 4, 8, 16, 32, 60, 60]);
    live.trigger(Trigger::Online);
    assert_eq!(live.next(at(0)), LiveStep::Connect);
}

#[test]
fn a_connection_that_ends_at_once_is_tried_later_each_time_and_one_that_lasted_soon() {
    let mut live = wanting();
    let mut waits = Vec::new();
    let mut now = at(0);
    for _ in 0..4 {
        live.connected(now);
        live.lost(now, LONGEST);
        let LiveStep::Wait(until) = live.next(now) else { panic!("it waits") };
        waits.push((until - now).as_secs());
        now = until;
    }
    assert_eq!(waits, [1, 2, 4, 8]);
    live.connected(now);
    let later = now + 61 * S;
    live.lost(later, LONGEST);
    assert_eq!(live.next(later), LiveStep::Wait(later + S));
}

#[test]
fn it_is_off_in_the_background_offline_paused_and_signed_out() {
    for (off, on) in [
        (Trigger::Background, Trigger::Foreground),
        (Trigger::Offline, Trigger::Online),
        (Trigger::Pause, Trigger::Resume),
        (Trigger::SignedOut, Trigger::SignedIn),
    ] {
        let mut live = up();
        live.trigger(off);
        assert_eq!(live.status(), LiveStatus::Off, "{off:?}");
        assert_eq!(served(&mut live, at(1)), [LiveStep::Disconnect, LiveStep::Rest], "{off:?}");
        live.trigger(on);
        if off == Trigger::SignedOut {
            assert_eq!(live.next(at(2)), LiveStep::Rest, "who it is now, a pass finds out");
            live.want(BTreeSet::from([own()]));
        }
        assert_eq!(live.next(at(2)), LiveStep::Connect, "{on:?}");
    }
}

#[test]
fn what_concerns_the_person_no_more_is_left_and_what_does_now_is_joined() {
    let mut live = up();
    let admins = Topic::Admins(org());
    assert!(live.want(BTreeSet::from([own(), admins])));
    assert!(!live.want(BTreeSet::from([own(), admins])), "nothing new");
    assert_eq!(served(&mut live, at(1)), [LiveStep::Leave(of_org()), LiveStep::Join(admins), LiveStep::Wait(at(25))]);
    assert_eq!(live.status(), LiveStatus::Live);
}

#[test]
fn a_person_listens_to_herself_her_org_and_as_an_admin_to_the_admins() {
    let member = |role: Role, removed: bool| Person {
        id: me(),
        org_id: org(),
        role,
        first_name: String::new(),
        last_name: String::new(),
        medic_id: None,
        removed,
        version: Version::ZERO,
        extra: Extra::default(),
    };
    let topics = |one: Person| concern(&[one]);
    assert_eq!(topics(member(Role::Medic, false)), BTreeSet::from([own(), of_org()]));
    assert_eq!(topics(member(Role::OrgAdmin, false)), BTreeSet::from([own(), of_org(), Topic::Admins(org())]));
    assert_eq!(topics(member(Role::OrgAdmin, true)), BTreeSet::from([own()]), "she may be taken in again");
    assert_eq!(concern(&[]), BTreeSet::new());
}

fn thread() -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(5))
}

fn other() -> PersonId {
    PersonId::from_uuid(Uuid::from_u128(8))
}

#[test]
fn whoever_writes_is_told_of_every_three_seconds_however_often_she_presses_a_key() {
    let mut live = up();
    let mut told = Vec::new();
    for tenth in 0..100 {
        let now = at(1) + Duration::from_millis(tenth * 100);
        live.types(now, thread());
        let steps = served(&mut live, now);
        told.extend(steps.contains(&LiveStep::Type(thread(), me())).then_some(now.as_secs_f64()));
    }
    assert_eq!(told, [1.0, 4.0, 7.0, 10.0]);
    live.look(at(80), LONGEST);
    assert!(served(&mut live, at(80)).contains(&LiveStep::Leave(Topic::Typing(thread()))), "nobody needs it any more");
}

#[test]
fn what_could_not_be_told_in_time_is_not_told_late() {
    let mut live = wanting();
    live.types(at(0), thread());
    live.refused(at(0), RemoteErrorKind::Unreachable, Retry::WhenOnline, LONGEST);
    let steps = served(&mut live, at(5));
    assert!(steps.contains(&LiveStep::Join(Topic::Typing(thread()))), "{steps:?}");
    assert!(!steps.iter().any(|step| matches!(step, LiveStep::Type(..))), "{steps:?}");
}

#[test]
fn another_who_writes_is_shown_for_a_while_where_somebody_looks_and_the_person_herself_never() {
    let typing = |person_id| LiveEvent::Typing { conversation_id: thread(), person_id };
    let mut live = up();
    live.heard(at(1), &typing(other()), LONGEST);
    assert!(live.writing().is_empty(), "nobody looks");
    live.watch_typing(BTreeSet::from([thread()]));
    assert!(served(&mut live, at(1)).contains(&LiveStep::Join(Topic::Typing(thread()))));
    live.heard(at(1), &typing(other()), LONGEST);
    live.heard(at(1), &typing(me()), LONGEST);
    assert_eq!(live.writing(), [(thread(), BTreeSet::from([other()]))].into());
    assert_eq!(live.next(at(1)), LiveStep::Wait(at(8)));
    live.look(at(8), LONGEST);
    assert!(live.writing().is_empty());
    live.heard(at(9), &typing(other()), LONGEST);
    live.lost(at(10), LONGEST);
    assert!(live.writing().is_empty(), "nobody knows any more");
}

/// What a device does until a moment on a server that takes every connection and answers no join: when it connects.
fn connects_where_joins_are_not_answered(live: &mut Live, until: Moment, answers_heartbeats: bool) -> Vec<Moment> {
    let (mut now, mut connects) = (at(0), Vec::new());
    while now < until {
        live.look(now, LONGEST);
        match live.next(now) {
            LiveStep::Connect => {
                connects.push(now);
                live.connected(now);
            }
            LiveStep::Join(topic) => live.joining(now, topic),
            LiveStep::Heartbeat => {
                live.asked(now);
                if answers_heartbeats {
                    live.heard(now, &LiveEvent::Alive, LONGEST);
                }
            }
            LiveStep::Disconnect => live.lost(now, LONGEST),
            LiveStep::Wait(at) => now = at,
            other => panic!("{other:?}"),
        }
    }
    connects
}

/// Joins that time out for ever on an open connection, until the app is started again: supabase/realtime-py#246,
/// supabase/supabase-flutter#536.
#[test]
fn a_connection_on_which_no_join_is_answered_is_replaced_by_another_whether_heartbeats_are_answered_or_not() {
    for answers_heartbeats in [true, false] {
        let connects = connects_where_joins_are_not_answered(&mut wanting(), at(3600), answers_heartbeats);
        assert!(connects[1] <= at(60), "{connects:?}");
        assert!((15..=60).contains(&connects.len()), "{} connections in an hour", connects.len());
    }
}

/// Where something is joined, another connection would not be better: supabase/realtime#1111, a topic that is never let in.
#[test]
fn a_topic_that_is_never_answered_ends_no_connection_on_which_another_is_joined() {
    let mut live = wanting();
    live.connected(at(0));
    live.joining(at(0), own());
    live.heard(at(0), &LiveEvent::Joined(own()), LONGEST);
    let (mut now, mut joins) = (at(0), 0);
    while now < at(3600) {
        live.look(now, LONGEST);
        match live.next(now) {
            LiveStep::Join(topic) => {
                assert_eq!(topic, of_org());
                joins += 1;
                live.joining(now, topic);
            }
            LiveStep::Heartbeat => {
                live.asked(now);
                live.heard(now, &LiveEvent::Alive, LONGEST);
            }
            LiveStep::Wait(at) => now = at,
            other => panic!("{other:?}"),
        }
    }
    assert!((50..=60).contains(&joins), "{joins} joins in an hour");
}

/// On iOS a socket of the network before stays open and takes what is written: supabase/supabase-flutter#1071. Also
/// supabase/supabase-js#1732 (after standby), supabase/supabase-flutter#388.
#[test]
fn when_the_network_changes_an_open_connection_is_asked_at_once_and_has_ten_seconds_to_answer() {
    for trigger in [Trigger::Online, Trigger::Foreground, Trigger::Resume] {
        let mut live = up();
        live.trigger(trigger);
        assert_eq!(live.next(at(3)), LiveStep::Heartbeat, "{trigger:?}");
        live.asked(at(3));
        assert_eq!(live.next(at(3)), LiveStep::Wait(at(13)));
        assert_eq!(live.next(at(13)), LiveStep::Disconnect);
        // Another one answers, and goes on as before.
        let mut live = up();
        live.trigger(trigger);
        assert_eq!(served(&mut live, at(3)), [LiveStep::Heartbeat, LiveStep::Wait(at(13))]);
        assert_eq!(served(&mut live, at(13)), [LiveStep::Heartbeat, LiveStep::Wait(at(38))]);
    }
}

/// Realtime answers one after the other, a refusal after five seconds, and heartbeats wait with the rest: so many stale topics that
/// joined at once timed out, and the connection with them (supabase/supabase-py#1371, supabase/realtime-py#246).
#[test]
fn many_refused_conversations_do_not_keep_the_server_from_answering_heartbeats() {
    let mut live = up();
    live.watch_typing((0..30).map(conversation).collect());
    let (mut now, mut busy_until, mut refusals) = (at(1), at(1), 0);
    let mut answers = VecDeque::new();
    while now < at(600) {
        while answers.front().is_some_and(|(at, _)| *at <= now) {
            let (_, answer) = answers.pop_front().unwrap();
            refusals += usize::from(matches!(answer, LiveEvent::Left(..)));
            live.heard(now, &answer, LONGEST);
        }
        live.look(now, LONGEST);
        let (takes, answer) = match live.next(now) {
            LiveStep::Join(topic) => {
                live.joining(now, topic);
                (5 * S, closed(topic, RemoteErrorKind::Forbidden))
            }
            LiveStep::Heartbeat => {
                live.asked(now);
                (Duration::ZERO, LiveEvent::Alive)
            }
            LiveStep::Wait(until) => {
                assert!(until > now, "it waits for what has passed");
                now = answers.front().map_or(until, |(at, _)| until.min(*at));
                continue;
            }
            other => panic!("{other:?} after {now:?}"),
        };
        busy_until = now.max(busy_until) + takes;
        answers.push_back((busy_until, answer));
    }
    assert_eq!(live.status(), LiveStatus::Live);
    assert!((60..=120).contains(&refusals), "each is tried again: {refusals}");
}

/// A heartbeat of an earlier connection or question must not end a good one: supabase/supabase-js#2625,
/// braverhealth/phoenix-socket-dart#28.
#[test]
fn a_question_that_is_asked_twice_is_answered_by_the_time_of_the_first_and_counts_for_no_other_connection() {
    let mut live = up();
    live.asked(at(25));
    live.trigger(Trigger::Online);
    live.asked(at(45));
    assert_eq!((live.next(at(49)), live.next(at(50))), (LiveStep::Wait(at(50)), LiveStep::Disconnect));
    live.lost(at(50), LONGEST);
    live.trigger(Trigger::Online);
    let steps = served(&mut live, at(51));
    assert_eq!(steps.last(), Some(&LiveStep::Wait(at(76))), "a new one has its whole time: {steps:?}");
}

/// Above the limit of joins Realtime refuses one and ends the connection with it: supabase/realtime#1691. Clients that came back
/// at once made a storm of it: warmbly/warmbly#206.
#[test]
fn a_server_that_ends_the_connection_with_each_join_is_asked_later_each_time() {
    for answer in [LiveEvent::Joined(own()), closed(own(), RemoteErrorKind::RateLimited)] {
        let (mut live, mut now, mut waits) = (wanting(), at(0), Vec::new());
        for _ in 0..8 {
            assert_eq!(live.next(now), LiveStep::Connect);
            live.connected(now);
            live.joining(now, own());
            live.heard(now, &answer, LONGEST);
            live.lost(now, LONGEST);
            let LiveStep::Wait(until) = live.next(now) else { panic!("it waits") };
            waits.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60], "{answer:?}");
    }
}

/// Without a slot, a sender of the log or a publication (supabase/realtime#1300, #113, cli#4667) Realtime lets everybody in, and ends each
/// topic a minute later, because nothing will ever come.
#[test]
fn a_server_that_lets_everybody_in_and_brings_nothing_is_asked_as_slowly_as_one_that_refuses() {
    let (mut live, mut now, mut joins, mut joined) = (wanting(), at(0), 0, Vec::new());
    live.connected(now);
    while now < at(2 * 3600) {
        live.look(now, LONGEST);
        match live.next(now) {
            LiveStep::Join(topic) => {
                live.joining(now, topic);
                live.heard(now, &LiveEvent::Joined(topic), LONGEST);
                joined.push((now, topic));
                joins += 1;
            }
            LiveStep::Heartbeat => {
                live.asked(now);
                live.heard(now, &LiveEvent::Alive, LONGEST);
            }
            LiveStep::Wait(until) => now = until,
            other => panic!("{other:?}"),
        }
        while joined.first().is_some_and(|(at, _)| *at + 60 * S <= now) {
            let (_, topic) = joined.remove(0);
            live.heard(now, &closed(topic, RemoteErrorKind::Unavailable), LONGEST);
        }
    }
    assert!((20..=40).contains(&joins), "{joins} joins of two topics in two hours");
    // As soon as it brings something, an end is an end as any other.
    live.heard(now, &LiveEvent::Joined(own()), LONGEST);
    live.heard(now, &LiveEvent::Ready(own()), LONGEST);
    live.heard(now, &closed(own(), RemoteErrorKind::Unavailable), LONGEST);
    live.heard(now, &LiveEvent::Joined(of_org()), LONGEST);
    served(&mut live, now);
    assert!(served(&mut live, now + S).contains(&LiveStep::Join(own())));
}

/// A join push that timed out and was accepted afterwards: supabase/supabase-py#974.
#[test]
fn a_join_that_is_answered_late_is_a_join_all_the_same() {
    let mut live = wanting();
    live.connected(at(0));
    live.joining(at(0), own());
    live.joining(at(0), of_org());
    live.look(at(10), LONGEST);
    for topic in [own(), of_org()] {
        assert!(live.heard(at(10), &LiveEvent::Joined(topic), LONGEST), "what was missed is pulled");
    }
    assert_eq!((live.status(), live.next(at(12))), (LiveStatus::Live, LiveStep::Wait(at(25))));
}

/// Topics that nobody needs any more and that stay joined use up the server's limit: supabase/supabase-py#1371, Jdyn/use-phoenix#8.
#[test]
fn a_topic_that_is_joined_after_nobody_wants_it_any_more_is_left() {
    let mut live = wanting();
    live.connected(at(0));
    live.joining(at(0), of_org());
    live.look(at(10), LONGEST);
    live.want(BTreeSet::from([own()]));
    live.heard(at(10), &LiveEvent::Joined(of_org()), LONGEST);
    assert_eq!(live.next(at(10)), LiveStep::Leave(of_org()));
}

fn conversation(number: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(1_000 + number))
}

/// Channels that were left and stayed in the client's memory: supabase/supabase-py#1371, supabase/supabase-js#1204.
#[test]
fn of_topics_that_were_refused_and_are_not_looked_at_any_more_nothing_is_kept() {
    let mut live = up();
    served(&mut live, at(24));
    let size = |live: &Live| format!("{live:?}").len();
    let before = size(&live);
    for number in 0..1_000 {
        let topic = Topic::Typing(conversation(number));
        live.watch_typing(BTreeSet::from([conversation(number)]));
        live.joining(at(1), topic);
        live.heard(at(1), &closed(topic, RemoteErrorKind::Forbidden), LONGEST);
    }
    live.watch_typing(BTreeSet::new());
    live.look(at(20), LONGEST);
    assert_eq!(size(&live), before);
}

/// A connection may join 100 topics (supabase/realtime#843), and an app may look at more conversations.
#[test]
fn an_app_that_looks_at_many_conversations_joins_some_and_first_what_brings_hints_and_where_the_person_writes() {
    let mut live = up();
    live.types(at(1), thread());
    live.watch_typing((0..200).map(conversation).collect());
    let admins = Topic::Admins(org());
    live.want(BTreeSet::from([own(), of_org(), admins]));
    let steps = served(&mut live, at(1));
    let joins: Vec<_> = steps.iter().filter(|step| matches!(step, LiveStep::Join(Topic::Typing(_)))).collect();
    assert_eq!((steps[0], joins.len()), (LiveStep::Join(admins), 50));
    assert!(steps.contains(&LiveStep::Type(thread(), me())), "{steps:?}");
}

/// Whoever is in a conversation can say that anybody is writing there: what is said is not signed, and Realtime passes on hundreds a
/// second (supabase/realtime#1588 limits their size alone).
#[test]
fn a_member_who_floods_a_conversation_with_made_up_people_fills_no_memory_and_stops_nobody_elses() {
    let mut live = up();
    let (theirs, ours) = (thread(), conversation(1));
    live.watch_typing(BTreeSet::from([theirs, ours]));
    served(&mut live, at(1));
    for number in 0..10_000 {
        let person_id = PersonId::from_uuid(Uuid::from_u128(100_000 + number));
        live.heard(at(1), &LiveEvent::Typing { conversation_id: theirs, person_id }, LONGEST);
    }
    live.heard(at(1), &LiveEvent::Typing { conversation_id: ours, person_id: other() }, LONGEST);
    assert_eq!((live.writing()[&theirs].len(), live.writing()[&ours].len()), (20, 1));
    live.look(at(8), LONGEST);
    assert!(live.writing().is_empty(), "and all of it is over after seven seconds");
}

/// Realtime passes on broadcasts of 256 KB and more (supabase/supabase#41734), and whoever is in a conversation can send one there.
#[test]
fn whoever_cuts_connections_by_frames_that_are_too_large_stops_typing_and_no_hints() {
    let mut live = up();
    live.watch_typing(BTreeSet::from([thread()]));
    served(&mut live, at(1));
    let is_joined = |steps: &[LiveStep]| steps.contains(&LiveStep::Join(Topic::Typing(thread())));
    for start in [at(100), at(1_000)] {
        live.abused(start);
        live.lost(start, LONGEST);
        live.trigger(Trigger::Foreground);
        let steps = served(&mut live, start + S);
        assert!(steps.contains(&LiveStep::Join(own())) && !is_joined(&steps), "{steps:?}");
        assert_eq!(live.status(), LiveStatus::Live);
        assert!(!is_joined(&served(&mut live, start + 599 * S)));
        assert!(is_joined(&served(&mut live, start + 600 * S)), "ten minutes later it is tried again");
    }
}
