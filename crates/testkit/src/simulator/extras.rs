//! Steps that some runs have in addition: outages, writes while an app syncs, changes of what is on its way, and settings.
//!
//! These are layers on top of a schedule, as `app_events` is. Runs without them stay as they were.

use super::{
    dice::branch,
    step::{Act, Decision, Event, Step, ThirdPartyOp, Wish},
};
use crate::SeededRandom;

/// The longest outage in milliseconds.
const LONGEST: u64 = 100_000;

/// How soon after the beginning of a sync something is written, in milliseconds.
const SOON: u64 = 250;

/// Longer than most passes, in milliseconds.
const A_WHILE: u64 = 3_000;

/// In some runs networks want people to sign in first, and the server lacks its functions or refuses its own tokens.
pub(super) fn with_outages(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    if !branch(seed, 6).chance(250) {
        return steps;
    }
    let follow = |(number, step): (usize, Step)| {
        let mut dice = branch(seed, 600_000 + number as u64);
        let outage = dice.chance(60).then(|| outage(&mut dice));
        [Some(step), outage].into_iter().flatten()
    };
    steps.into_iter().enumerate().flat_map(follow).collect()
}

fn outage(dice: &mut SeededRandom) -> Step {
    let (device, lasting) = (dice.next() as u8, dice.below(LONGEST) as u32);
    let act = match dice.below(4) {
        0..2 => Act::Portal { device, lasting },
        2 => Act::Server(Event::Missing { lasting }),
        _ => Act::Server(Event::RefuseTokens { lasting }),
    };
    Step { after: dice.below(500) as u32, act }
}

/// In some runs people write while their apps sync.
pub(super) fn with_writes_beside_syncs(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    if !branch(seed, 7).chance(300) {
        return steps;
    }
    let follow = |(number, step): (usize, Step)| {
        let mut dice = branch(seed, 700_000 + number as u64);
        let write = syncing(&step.act).map(|device| write(&mut dice, device));
        [Some(step), write].into_iter().flatten()
    };
    steps.into_iter().enumerate().flat_map(follow).collect()
}

const fn syncing(act: &Act) -> Option<u8> {
    if let Act::Sync { device, .. } = act { Some(*device) } else { None }
}

fn write(dice: &mut SeededRandom, device: u8) -> Step {
    let pick = dice.next();
    let act = if dice.chance(600) { Act::Write { device, pick } } else { Act::Open { device, pick } };
    Step { after: dice.below(SOON) as u32, act }
}

/// In some runs people change messages that are on their way, or that somebody else is looking at.
pub(super) fn with_changes(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    if !branch(seed, 10).chance(300) {
        return steps;
    }
    let among = |(number, step): (usize, Step)| {
        let mut dice = branch(seed, 1_100_000 + number as u64);
        match step.act {
            Act::Write { device, pick } if dice.chance(400) => {
                vec![step, soon(change(&mut dice, device, pick), &mut dice)]
            }
            Act::Sync { device, .. } if dice.chance(400) => {
                let pick = dice.next();
                vec![step, soon(change(&mut dice, device, pick), &mut dice)]
            }
            Act::LookBack { device, pick, .. } => looking_back(step, (device, pick), &mut dice),
            _ => vec![step],
        }
    };
    steps.into_iter().enumerate().flat_map(among).collect()
}

fn soon(act: Act, dice: &mut SeededRandom) -> Step {
    Step { after: dice.below(SOON) as u32, act }
}

/// While a page of history is on its way, another device takes back what it did before, and this one hears of it first.
fn looking_back(step: Step, (device, pick): (u8, u64), dice: &mut SeededRandom) -> Vec<Step> {
    let other = device.wrapping_add(1);
    let change = change(dice, other, pick);
    let sync = |device| Act::Sync { device, process: 0 };
    let mut then = |act| Step { after: dice.below(A_WHILE) as u32, act };
    let before = [then(change.clone()), then(sync(other)), then(sync(device))];
    let after = [then(change), then(sync(other)), then(sync(device))];
    before.into_iter().chain([Step { after: A_WHILE as u32, ..step }]).chain(after).collect()
}

fn change(dice: &mut SeededRandom, device: u8, pick: u64) -> Act {
    let decision = match dice.below(10) {
        0..4 => Decision::Amend,
        4..6 => Decision::Delete,
        _ => Decision::React,
    };
    Act::Decide { device, pick, decision }
}

/// In some runs people pin, mute, archive and mark as unread, here and on other clients, read on, and begin to write.
pub(super) fn with_settings(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    let mut dice = branch(seed, 11);
    if !dice.chance(350) {
        return steps;
    }
    let often = 100 + dice.below(300);
    let follow = |(number, step): (usize, Step)| {
        let mut dice = branch(seed, 1_200_000 + number as u64);
        let setting = dice.chance(often).then(|| setting(&mut dice));
        [Some(step), setting].into_iter().flatten()
    };
    steps.into_iter().enumerate().flat_map(follow).collect()
}

fn setting(dice: &mut SeededRandom) -> Step {
    let (device, pick) = (dice.next() as u8, dice.next());
    let act = match dice.below(20) {
        0..12 => Act::Set { device, pick, wish: wish(dice) },
        12..14 => {
            let op = ThirdPartyOp::Set { pick, person: device, wish: wish(dice) };
            Act::ThirdPartyClient { ops: vec![op], holding: dice.below(2_000) as u32, roll_back: dice.chance(150) }
        }
        14..17 => Act::Read { device, pick, share: 100 },
        _ => Act::Draft { device, pick },
    };
    Step { after: dice.below(2 * SOON) as u32, act }
}

fn wish(dice: &mut SeededRandom) -> Wish {
    match dice.below(12) {
        0..2 => Wish::Pin,
        2 => Wish::Unpin,
        3..5 => Wish::Mute { seconds: dice.pick(&[60, 3_600, 1_000_000]).copied().unwrap_or(60) },
        5 => Wish::Unmute,
        6..8 => Wish::Archive,
        8 => Wish::TakeOut,
        _ => Wish::MarkUnread { share: dice.below(100) as u8 },
    }
}
