//! Schedules for devices that sync on their own: events that their apps receive, and failures of their stores.
//!
//! This is a layer on top of a schedule. Runs without it stay as they were, and its steps are inserted among the others
//! without changing those.

use super::{
    dice::branch,
    schedule::Setup,
    step::{Act, Notice, Step, Trouble},
};
use crate::SeededRandom;

/// The frequencies of these events in a run.
pub(super) struct AppEvents {
    /// How many of a thousand steps are followed by one of these.
    notices: u64,
    troubles: u64,
    two_processes: bool,
}

impl AppEvents {
    /// Present in some runs; in the others devices sync only when asked.
    pub(super) fn roll(seed: u64, setup: &mut Setup) -> Option<Self> {
        let mut dice = branch(seed, 2);
        if !dice.chance(350) {
            return None;
        }
        setup.by_itself = setup.owners.iter().map(|_| dice.chance(650)).collect();
        setup.app_sessions = setup.owners.iter().map(|_| dice.chance(250)).collect();
        setup.send_ttl = if dice.chance(300) { dice.pick(&[5, 20, 90]).copied() } else { None };
        Some(Self {
            notices: 100 + dice.below(400),
            troubles: if dice.chance(400) { 0 } else { dice.below(250) },
            two_processes: dice.chance(200),
        })
    }

    /// Inserts its steps among the others.
    pub(super) fn among(&self, seed: u64, steps: Vec<Step>) -> Vec<Step> {
        let follow = |(number, step): (usize, Step)| {
            let mut dice = branch(seed, 500_000 + number as u64);
            let notice = dice.chance(self.notices).then(|| self.notice(&mut dice));
            let trouble = dice.chance(self.troubles).then(|| trouble(&mut dice));
            [Some(step), notice, trouble].into_iter().flatten()
        };
        steps.into_iter().enumerate().flat_map(follow).collect()
    }

    fn notice(&self, dice: &mut SeededRandom) -> Step {
        let (device, process) = (dice.next() as u8, if self.two_processes { dice.below(2) as u8 } else { 0 });
        let notice = match dice.below(32) {
            0..4 => Notice::Online(false),
            4..8 => Notice::Online(true),
            8..12 => Notice::Foreground,
            12..16 => Notice::Background(dice.below(5_000) as u32),
            16..22 => Notice::Hint,
            22..25 => Notice::Pause,
            25..28 => Notice::Resume,
            28 => Notice::SessionChanged,
            29..31 => Notice::Refresh,
            _ => Notice::Wipe,
        };
        Step { after: after(dice), act: Act::Tell { device, process, notice } }
    }
}

fn trouble(dice: &mut SeededRandom) -> Step {
    let trouble = dice.pick(&[Trouble::Busy, Trouble::Full, Trouble::Broken]).copied().unwrap_or(Trouble::Busy);
    Step { after: after(dice), act: Act::Trouble { device: dice.next() as u8, skip: dice.below(8) as u8, trouble } }
}

/// Most come in the middle of other activity, some after it.
fn after(dice: &mut SeededRandom) -> u32 {
    let most = dice.pick(&[5, 60, 400, 8_000]).copied().unwrap_or(60);
    dice.below(most) as u32
}
