//! The live connection.

use fieldpost_domain::{ConversationId, Extra, OrgId, Person, PersonId, Retry, Role, Version};
use fieldpost_remote::{LiveEvent, RemoteError, RemoteErrorKind, Topic};
use fieldpost_sync::machine::{
    Live, LiveRhythm, LiveStatus, LiveStep, Moment, Trigger,
    live::{concern, is_for_hints},
};
use std::{collections::BTreeSet, time::Duration};
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
    assert!(live.heard(at(2), &LiveEvent::Hint(of_org()), LONGEST), "the other topic is still joined");
}

#[test]
fn every_join_and_every_ready_and_every_hint_asks_for_a_pull() {
    let mut live = up();
    for event in [LiveEvent::Joined(own()), LiveEvent::Ready(own()), LiveEvent::Hint(own())] {
        assert!(live.heard(at(1), &event, LONGEST), "{event:?}");
    }
    assert!(!live.heard(at(1), &LiveEvent::Alive, LONGEST));
    assert!(!live.heard(at(1), &closed(own(), RemoteErrorKind::Unavailable), LONGEST));
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
