//! Steps that some runs have in addition: outages, and writes while an app syncs.
//!
//! These are layers on top of a schedule, as `app_events` is. Runs without them stay as they were.

use super::{
    dice::branch,
    step::{Act, Event, Step},
};
use crate::SeededRandom;

/// The longest outage in milliseconds.
const LONGEST: u64 = 100_000;

/// How soon after the beginning of a sync something is written, in milliseconds.
const SOON: u64 = 250;

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
