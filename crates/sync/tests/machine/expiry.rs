//! Which messages expire, and how a pass handles them.

use crate::given::*;
use fieldpost_domain::Time;
use fieldpost_storage::SyncMemory;
use fieldpost_sync::machine::{Effect, Event, Expiry, Pass};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(100);

/// A reading of the device clock.
fn clock(seconds: i64) -> Time {
    Time::from_timestamp(1_000_000 + seconds, 0).unwrap()
}

const fn moment(seconds: u64) -> Duration {
    Duration::from_secs(1_000 + seconds)
}

#[test]
fn the_earliest_reading_since_the_anchor_counts() {
    let mut expiry = Expiry::after(TTL, clock(0), moment(0));
    for (now, passed, before) in [
        (150, 150, 50),
        // Jumped ahead: an earlier reading counts.
        (9_000, 160, 60),
        // Jumped back: no message is old.
        (-9_000, 170, -9_100),
        // Corrected: messages written in between are as young as they are.
        (180, 180, -9_090),
    ] {
        expiry.look(clock(now), moment(passed));
        assert_eq!(expiry.before(moment(passed)), Some(clock(before)), "{now} after {passed}");
    }
}

#[test]
fn an_anchor_trusts_the_device_clock_from_then_on() {
    let mut expiry = Expiry::after(TTL, clock(0), moment(0));
    expiry.anchor(clock(9_000), moment(10));
    assert_eq!(expiry.before(moment(30)), Some(clock(8_920)));
}

#[test]
fn nothing_expires_without_a_ttl_or_when_the_time_overflows() {
    assert_eq!(Expiry::never().before(moment(0)), None);
    assert_eq!(Expiry::after(Duration::MAX, clock(0), moment(0)).before(moment(0)), None);
    assert_eq!(Expiry::after(TTL, Time::MAX_UTC, moment(0)).before(moment(1)), None);
}

#[test]
fn a_pass_expires_messages_before_it_sends_anything() {
    let mut pass = Pass::new().expiring(Some(clock(5)));
    assert_eq!(after_recall(&mut pass, memory()), Effect::Expire { before: clock(5) });
    assert!(matches!(pass.next(Event::Expired(2)), Effect::ReadBatch { .. }));
    assert_eq!(pass.next(Event::Batch(vec![])), Effect::ReadState);
    let pull = pass.next(state(following("c")));
    assert_eq!(finish(&mut pass, pull).report.failed, 2);
}
