//! When the next pass runs.

use crate::given::{error, lane};
use fieldpost_domain::ConversationId;
use fieldpost_remote::RemoteErrorKind;
use fieldpost_storage::{StorageError, StorageErrorKind};
use fieldpost_sync::{
    SyncError,
    machine::{Moment, PassResult, Rhythm, Schedule, Step, Trigger::*},
};
use std::{collections::HashSet, time::Duration};

const S: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Randomness that always draws the longest wait.
const LONGEST: u32 = u32::MAX;

fn at(seconds: u32) -> Moment {
    S * seconds
}

fn pass() -> Step {
    pass_without([])
}

fn pass_without<const N: usize>(lanes: [ConversationId; N]) -> Step {
    Step::Pass { held: HashSet::from(lanes), periodic: false }
}

/// A schedule after a successful first pass.
fn settled() -> Schedule {
    let mut schedule = Schedule::new(Rhythm::default());
    ends(&mut schedule, Moment::ZERO, &PassResult::default());
    schedule
}

fn ends(schedule: &mut Schedule, now: Moment, result: &PassResult) {
    schedule.begun(now);
    schedule.ended(now, result, || LONGEST);
}

fn fails(schedule: &mut Schedule, now: Moment, error: impl Into<SyncError>) {
    ends(schedule, now, &PassResult { connection: Some(error.into()), ..PassResult::default() });
}

fn unreachable() -> SyncError {
    error(RemoteErrorKind::Unreachable).into()
}

fn waits<const N: usize>(lanes: [ConversationId; N]) -> PassResult {
    PassResult { waiting: lanes.into(), ..PassResult::default() }
}

#[test]
fn the_first_pass_is_due_at_once_and_the_next_with_the_timer() {
    let mut schedule = Schedule::new(Rhythm::default());
    assert!(matches!(schedule.next(Moment::ZERO), Step::Pass { .. }));
    ends(&mut schedule, at(1), &PassResult::default());
    assert_eq!(schedule.next(at(1)), Step::Wait(at(31)));
    assert_eq!(schedule.next(at(31)), Step::Pass { held: HashSet::new(), periodic: true });
}

#[test]
fn the_timer_is_slower_in_the_background_and_the_foreground_triggers_a_pass() {
    let mut schedule = settled();
    schedule.trigger(at(5), Background);
    assert_eq!(schedule.next(at(5)), Step::Wait(at(5) + 15 * MINUTE));
    schedule.trigger(at(300), Foreground);
    assert_eq!(schedule.next(at(300)), pass());
}

#[test]
fn the_rhythm_can_be_set() {
    let rhythm = Rhythm { foreground: 2 * S, background: 3 * S, ..Rhythm::default() };
    let mut schedule = Schedule::new(rhythm);
    ends(&mut schedule, Moment::ZERO, &PassResult::default());
    assert_eq!(schedule.next(Moment::ZERO), Step::Wait(at(2)));
    schedule.trigger(at(1), Background);
    assert_eq!(schedule.next(at(1)), Step::Wait(at(4)));
}

#[test]
fn a_rhythm_at_which_no_timer_can_run_is_refused() {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    let usual = Rhythm::default();
    for wrong in [Duration::ZERO, Duration::from_micros(999), YEAR + S, Duration::MAX] {
        let rhythms = [
            Rhythm { foreground: wrong, ..usual },
            Rhythm { background: wrong, ..usual },
            Rhythm { live: Some(wrong), ..usual },
            Rhythm { first_wait: wrong, ..usual },
            Rhythm { longest_wait: wrong, ..usual },
        ];
        for rhythm in rhythms {
            let error = rhythm.check().unwrap_err().to_string();
            assert!(error.contains(&format!("is {wrong:?}; it must be between 1")), "{error}");
        }
    }
    assert!(Rhythm { deliver: Duration::MAX, ..usual }.check().is_err());
    assert!(Rhythm { foreground: Duration::from_millis(999), ..usual }.check().is_err());
    let slowest = Rhythm {
        foreground: YEAR,
        background: YEAR,
        live: Some(YEAR),
        first_wait: YEAR,
        longest_wait: YEAR,
        deliver: YEAR,
    };
    let fastest =
        Rhythm { foreground: S, background: S, live: Some(S), first_wait: S, longest_wait: S, deliver: Duration::ZERO };
    for rhythm in [usual, slowest, fastest] {
        assert_eq!(rhythm.check(), Ok(()));
        let mut schedule = Schedule::new(rhythm);
        ends(&mut schedule, at(3), &PassResult::default());
        assert_eq!(schedule.next(at(3)), Step::Wait(at(3) + rhythm.foreground));
    }
}

#[test]
fn each_trigger_causes_a_pass_and_simultaneous_triggers_share_one() {
    for trigger in [LocalWrite, Hint, Online, Foreground, SignedIn, Resume] {
        let mut schedule = settled();
        schedule.trigger(at(3), trigger);
        schedule.trigger(at(3), LocalWrite);
        assert_eq!(schedule.next(at(3)), pass(), "{trigger:?}");
        ends(&mut schedule, at(3), &PassResult::default());
        assert_eq!(schedule.next(at(3)), Step::Wait(at(33)), "{trigger:?}");
    }
}

#[test]
fn a_trigger_during_a_pass_causes_another_pass() {
    let mut schedule = settled();
    schedule.begun(at(3));
    schedule.trigger(at(4), LocalWrite);
    schedule.ended(at(5), &PassResult::default(), || LONGEST);
    assert_eq!(schedule.next(at(5)), pass());
}

#[test]
fn a_pass_that_was_cut_off_is_repeated() {
    let mut schedule = settled();
    schedule.begun(at(3));
    schedule.cut_off();
    assert_eq!(schedule.next(at(3)), pass());
}

#[test]
fn nothing_runs_without_a_network_a_session_or_a_store() {
    for (gone, back) in [(Offline, Online), (SignedOut, SignedIn), (Pause, Resume)] {
        let mut schedule = settled();
        schedule.trigger(at(3), gone);
        schedule.trigger(at(4), LocalWrite);
        assert_eq!(schedule.next(at(4)), Step::Rest, "{gone:?}");
        assert_eq!(schedule.next(100 * MINUTE), Step::Rest, "{gone:?}");
        schedule.trigger(100 * MINUTE, back);
        assert!(matches!(schedule.next(100 * MINUTE), Step::Pass { .. }), "{back:?}");
    }
}

#[test]
fn after_a_signed_out_pass_nothing_runs_until_somebody_may_have_signed_in() {
    // Another process on the same file may have signed in. After each of these triggers, the engine checks that.
    for news in [SignedIn, Foreground, Online, Resume] {
        let mut schedule = settled();
        fails(&mut schedule, at(3), SyncError::SignedOut);
        for idle in [LocalWrite, Hint] {
            schedule.trigger(at(4), idle);
            assert_eq!(schedule.next(at(4)), Step::Rest, "{idle:?}");
        }
        schedule.trigger(at(5), news);
        assert_eq!(schedule.next(at(5)), pass(), "{news:?}");
    }
}

#[test]
fn connection_backoff_doubles_up_to_the_cap() {
    let mut schedule = settled();
    let mut now = at(1);
    let mut waited = Vec::new();
    for _ in 0..9 {
        fails(&mut schedule, now, unreachable());
        let Step::Wait(then) = schedule.next(now) else { panic!("it does not wait") };
        waited.push((then - now).as_secs());
        now = then;
        assert!(matches!(schedule.next(now), Step::Pass { .. }));
    }
    assert_eq!(waited, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn the_wait_is_a_random_part_of_its_ceiling() {
    let mut schedule = settled();
    let result = PassResult { connection: Some(unreachable()), ..PassResult::default() };
    schedule.begun(at(1));
    schedule.ended(at(1), &result, || u32::MAX / 4);
    assert_eq!(schedule.next(at(1)), Step::Wait(at(1) + S / 4));
}

#[test]
fn background_backoff_reaches_at_least_the_timer_interval() {
    let mut schedule = settled();
    schedule.trigger(at(1), Background);
    for n in 0..12 {
        fails(&mut schedule, at(n), unreachable());
    }
    assert_eq!(schedule.next(at(12)), Step::Wait(at(11) + 15 * MINUTE));
}

#[test]
fn a_local_write_does_not_end_connection_backoff() {
    let mut schedule = settled();
    for n in 1..=5 {
        fails(&mut schedule, at(n), unreachable());
    }
    schedule.trigger(at(6), LocalWrite);
    assert_eq!(schedule.next(at(6)), Step::Wait(at(21)));
}

#[test]
fn online_foreground_sign_in_and_resume_end_all_backoff() {
    for trigger in [Online, Foreground, SignedIn, Resume] {
        let mut schedule = settled();
        for n in 1..=5 {
            let connection = Some(unreachable());
            ends(&mut schedule, at(n), &PassResult { connection, ..waits([lane(1)]) });
        }
        schedule.trigger(at(6), trigger);
        assert_eq!(schedule.next(at(6)), pass(), "{trigger:?}");
        fails(&mut schedule, at(6), unreachable());
        assert_eq!(schedule.next(at(6)), Step::Wait(at(7)), "{trigger:?}: the next wait is a first one");
    }
}

#[test]
fn a_successful_pass_resets_connection_backoff() {
    let mut schedule = settled();
    for n in 1..=5 {
        fails(&mut schedule, at(n), unreachable());
    }
    ends(&mut schedule, at(30), &PassResult::default());
    fails(&mut schedule, at(40), unreachable());
    assert_eq!(schedule.next(at(40)), Step::Wait(at(41)));
}

#[test]
fn retry_after_is_honoured_in_spite_of_triggers() {
    for kind in [RemoteErrorKind::RateLimited, RemoteErrorKind::Unavailable] {
        let mut schedule = settled();
        fails(&mut schedule, at(1), error(kind).with_retry_after(20 * S));
        for trigger in [Foreground, Online, LocalWrite] {
            schedule.trigger(at(2), trigger);
            assert_eq!(schedule.next(at(2)), Step::Wait(at(21)), "{kind:?} {trigger:?}");
        }
        ends(&mut schedule, at(21), &PassResult::default());
        schedule.trigger(at(22), LocalWrite);
        assert_eq!(schedule.next(at(22)), pass());
    }
}

#[test]
fn retry_after_is_capped() {
    let mut schedule = settled();
    fails(&mut schedule, at(0), error(RemoteErrorKind::Unavailable).with_retry_after(Duration::MAX));
    assert_eq!(schedule.next(at(1)), Step::Wait(15 * MINUTE));
}

#[test]
fn an_error_that_retrying_cannot_help_waits_for_the_timer() {
    let storage = |kind| SyncError::from(StorageError::new(kind, "test"));
    for error in [
        error(RemoteErrorKind::ClientTooOld).into(),
        error(RemoteErrorKind::WrongApiKey).into(),
        storage(StorageErrorKind::Corrupt),
    ] {
        let mut schedule = settled();
        fails(&mut schedule, at(1), error);
        assert_eq!(schedule.next(at(1)), Step::Wait(at(31)));
    }
    let mut schedule = settled();
    fails(&mut schedule, at(1), storage(StorageErrorKind::Busy));
    assert_eq!(schedule.next(at(1)), Step::Wait(at(2)), "another process may finish soon");
}

#[test]
fn a_lane_in_backoff_does_not_delay_other_lanes() {
    let mut schedule = settled();
    ends(&mut schedule, at(1), &waits([lane(1)]));
    schedule.trigger(at(1), LocalWrite);
    assert_eq!(schedule.next(at(1)), pass_without([lane(1)]), "the others go on at once");
    ends(&mut schedule, at(1), &PassResult { held: HashSet::from([lane(1)]), ..PassResult::default() });
    assert_eq!(schedule.next(at(1)), Step::Wait(at(2)), "its own pass follows after its backoff");
    assert_eq!(schedule.next(at(2)), pass());
}

#[test]
fn each_lane_has_its_own_growing_backoff() {
    let mut schedule = settled();
    ends(&mut schedule, at(1), &waits([lane(1)]));
    ends(&mut schedule, at(2), &waits([lane(1), lane(2)]));
    // Lane 1 has failed twice, lane 2 once.
    assert_eq!(schedule.next(at(3)), pass_without([lane(1)]));
    assert_eq!(schedule.next(at(4)), pass());
}

#[test]
fn a_lane_that_made_progress_resets_its_backoff() {
    let mut schedule = settled();
    for n in 1..=4 {
        ends(&mut schedule, at(n), &waits([lane(1)]));
    }
    ends(&mut schedule, at(12), &PassResult { moved: [lane(1)].into(), ..waits([lane(1)]) });
    assert_eq!(schedule.next(at(12)), Step::Wait(at(13)));
}

#[test]
fn a_lane_with_nothing_to_send_loses_its_backoff() {
    let mut schedule = settled();
    ends(&mut schedule, at(1), &waits([lane(1)]));
    ends(&mut schedule, at(3), &PassResult::default());
    assert_eq!(schedule.next(at(3)), Step::Wait(at(33)));
}

#[test]
fn a_failed_pass_and_a_pass_that_skips_the_lane_keep_its_backoff() {
    let mut schedule = settled();
    for n in 1..=4 {
        ends(&mut schedule, at(n), &waits([lane(1)]));
    }
    fails(&mut schedule, at(5), unreachable());
    ends(&mut schedule, at(6), &PassResult { held: HashSet::from([lane(1)]), ..PassResult::default() });
    assert_eq!(schedule.next(at(6)), Step::Wait(at(12)));
}

#[test]
fn connection_backoff_delays_lanes_that_are_due() {
    let mut schedule = settled();
    let connection = Some(error(RemoteErrorKind::RateLimited).with_retry_after(9 * S).into());
    ends(&mut schedule, at(1), &PassResult { connection, ..waits([lane(1)]) });
    assert_eq!(schedule.next(at(3)), Step::Wait(at(10)));
}

#[test]
fn more_to_push_causes_another_pass() {
    let mut schedule = settled();
    ends(&mut schedule, at(1), &PassResult { more_to_push: true, ..PassResult::default() });
    assert_eq!(schedule.next(at(1)), pass());
    ends(&mut schedule, at(2), &PassResult::default());
    assert!(matches!(schedule.next(at(2)), Step::Wait(_)), "once");
}

#[test]
fn what_has_arrived_waits_five_seconds_for_something_to_ride_with() {
    let arrived = PassResult { delivered: true, ..PassResult::default() };
    let mut schedule = settled();
    ends(&mut schedule, at(1), &arrived);
    assert_eq!(schedule.next(at(1)), Step::Wait(at(6)), "earlier than the timer");
    schedule.trigger(at(3), Hint);
    schedule.begun(at(3));
    assert!(!schedule.is_delivering(), "a stream of pages makes one call");
    schedule.ended(at(3), &arrived, || LONGEST);
    assert_eq!(schedule.next(at(3)), Step::Wait(at(6)), "more of it does not put it off");
    assert_eq!(schedule.next(at(6)), pass());
    schedule.begun(at(6));
    assert!(schedule.is_delivering());
    schedule.ended(at(6), &PassResult::default(), || LONGEST);
    assert_eq!(schedule.next(at(7)), Step::Wait(at(36)));
}

#[test]
fn the_first_pass_of_a_process_takes_along_what_an_earlier_one_left() {
    let mut schedule = Schedule::new(Rhythm::default());
    schedule.begun(Moment::ZERO);
    assert!(schedule.is_delivering());
}
