//! Schedules: everything random in a run, made from a seed before it starts.

use super::{
    app_events::AppEvents,
    dice::branch,
    extras,
    narrow::Narrow,
    policy::Policy,
    step::{Act, Decision, Event, Step, ThirdPartyOp},
};
use crate::{Fault, SeededRandom};

/// What a run is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The seed.
    pub seed: u64,
    /// The participants and settings.
    pub setup: Setup,
    /// The steps.
    pub steps: Vec<Step>,
}

/// The participants and settings of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The owner of each device, as a number among the people.
    pub owners: Vec<u8>,
    /// The clock error of each device in seconds.
    pub skews: Vec<i64>,
    /// The most rows of a page.
    pub page_rows: u32,
    /// The most mutations of a batch.
    pub push_rows: u32,
    /// The lifetime of an access token in seconds.
    pub token_lifetime: u32,
    /// Which devices sync on their own; devices beyond the end do not.
    pub by_itself: Vec<bool>,
    /// On which devices the app owns the session; not on devices beyond the end.
    pub app_sessions: Vec<bool>,
    /// On which devices the app is a process that lives for one pass; not on devices beyond the end.
    pub one_shot: Vec<bool>,
    /// After how many seconds an unsent message expires.
    pub send_ttl: Option<u32>,
    /// The messages that the project hides or refuses.
    pub(super) policy: Option<Policy>,
    /// Somebody who also belongs to the other org, as a number among the people; and whether she is an admin there.
    pub two_orgs: Option<(u8, bool)>,
    /// The batches and pages that fit.
    pub(super) narrow: Narrow,
}

/// The most steps of a run.
const STEPS: u64 = 90;

impl Schedule {
    /// The schedule of a seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = branch(seed, 1);
        let mut setup = Setup {
            policy: Policy::roll(seed),
            narrow: Narrow::roll(seed),
            two_orgs: two_orgs(seed),
            ..Setup::roll(&mut dice)
        };
        let count = 20 + dice.below(STEPS - 20);
        // Most runs favour some kinds of steps, so that these combine in ways that an even mix hardly produces.
        let taste = Taste::roll(&mut dice);
        let mut steps: Vec<Step> = (0..count).map(|number| taste.step(&mut branch(seed, 1000 + number))).collect();
        if let Some(app_events) = AppEvents::roll(seed, &mut setup) {
            steps = app_events.among(seed, steps);
        }
        steps = extras::with_writes_beside_syncs(seed, extras::with_outages(seed, steps));
        steps = extras::with_settings(seed, extras::with_changes(seed, steps));
        setup.live_for_one_pass(seed);
        Self { seed, setup, steps }
    }
}

impl Setup {
    fn roll(dice: &mut SeededRandom) -> Self {
        let devices = 2 + dice.below(4);
        // Two devices of the first person, so that what one does must reach the other.
        let first = dice.below(5) as u8;
        let owners =
            (0..devices).map(|number| if number < 2 && dice.chance(700) { first } else { dice.below(7) as u8 });
        let owners: Vec<u8> = owners.collect();
        let skew = |dice: &mut SeededRandom| if dice.chance(500) { 0 } else { dice.below(20_000) as i64 - 10_000 };
        Self {
            skews: owners.iter().map(|_| skew(dice)).collect(),
            owners,
            page_rows: dice.pick(&[2, 3, 5, 9, 40, 2500]).copied().unwrap_or(3),
            push_rows: dice.pick(&[1, 2, 4, 500]).copied().unwrap_or(4),
            token_lifetime: dice.pick(&[90, 600, 3600]).copied().unwrap_or(3600),
            by_itself: Vec::new(),
            app_sessions: Vec::new(),
            one_shot: Vec::new(),
            send_ttl: None,
            policy: None,
            narrow: Narrow::default(),
            two_orgs: None,
        }
    }
}

impl Setup {
    /// Nothing special, for runs with a schedule of their own.
    pub(super) fn plain() -> Self {
        Self {
            owners: Vec::new(),
            skews: Vec::new(),
            page_rows: 2500,
            push_rows: 500,
            token_lifetime: 3600,
            by_itself: Vec::new(),
            app_sessions: Vec::new(),
            one_shot: Vec::new(),
            send_ttl: None,
            policy: None,
            two_orgs: None,
            narrow: Narrow::default(),
        }
    }

    /// In some runs some apps end with each pass. The rest of a run is the same as without it.
    fn live_for_one_pass(&mut self, seed: u64) {
        let mut dice = branch(seed, 4);
        if dice.chance(300) {
            self.one_shot = self.owners.iter().map(|_| dice.chance(600)).collect();
        }
    }
}

/// In some runs somebody belongs to both orgs. The rest of a run is the same as without it.
fn two_orgs(seed: u64) -> Option<(u8, bool)> {
    let mut dice = branch(seed, 9);
    dice.chance(200).then(|| (dice.next() as u8, dice.chance(500)))
}

/// The weight of each kind of step in a run.
struct Taste {
    people: u64,
    third_parties: u64,
    network: u64,
    kills: u64,
    server: u64,
    two_processes: bool,
    membership: bool,
}

impl Taste {
    fn roll(dice: &mut SeededRandom) -> Self {
        let some = |dice: &mut SeededRandom, most: u64| if dice.chance(300) { 0 } else { 1 + dice.below(most) };
        Self {
            people: 20 + dice.below(40),
            third_parties: some(dice, 40),
            network: some(dice, 40),
            kills: some(dice, 20),
            server: some(dice, 15),
            two_processes: dice.chance(250),
            membership: dice.chance(500),
        }
    }

    fn step(&self, dice: &mut SeededRandom) -> Step {
        let after = match dice.below(10) {
            0..4 => dice.below(20),
            4..8 => dice.below(400),
            _ => dice.below(40_000),
        };
        let syncs = 30;
        let mut at = dice.below(syncs + self.people + self.third_parties + self.network + self.kills + self.server);
        let mut within = |share: u64| {
            let inside = at < share;
            at = at.wrapping_sub(if inside { 0 } else { share });
            inside
        };
        let act = if within(syncs) {
            Act::Sync { device: dice.next() as u8, process: self.process(dice) }
        } else if within(self.people) {
            self.person(dice)
        } else if within(self.third_parties) {
            self.third_party(dice)
        } else if within(self.network) {
            network(dice)
        } else if within(self.kills) {
            Act::Kill { device: dice.next() as u8, process: self.process(dice), polls: dice.below(60) as u16 }
        } else {
            Act::Server(event(dice))
        };
        Step { after: after as u32, act }
    }

    fn process(&self, dice: &mut SeededRandom) -> u8 {
        if self.two_processes { dice.below(2) as u8 } else { 0 }
    }

    fn person(&self, dice: &mut SeededRandom) -> Act {
        let (device, pick) = (dice.next() as u8, dice.next());
        match dice.below(20) {
            0..10 => Act::Write { device, pick },
            10..14 => Act::Read { device, pick, share: dice.pick(&[0, 50, 100, 100]).copied().unwrap_or(100) },
            14..16 => Act::Open { device, pick },
            16 if dice.chance(300) => Act::Decide { device, pick, decision: Decision::React },
            16 => Act::Decide {
                device,
                pick,
                decision: dice
                    .pick(&[
                        Decision::Retry,
                        Decision::Edit,
                        Decision::Cancel,
                        Decision::Amend,
                        Decision::Delete,
                        Decision::React,
                    ])
                    .copied()
                    .unwrap_or(Decision::Retry),
            },
            17..19 => {
                let slowly = if dice.chance(500) { 0 } else { dice.below(25_000) as u32 };
                Act::LookBack { device, process: self.process(dice), pick, slowly }
            }
            _ if dice.chance(300) => Act::SignOut { device },
            _ => {
                let seconds = dice.pick(&[-86_400, -3_600, -5, 7, 3_600, 400_000]).copied().unwrap_or(7);
                Act::Jump { device, seconds }
            }
        }
    }

    fn third_party(&self, dice: &mut SeededRandom) -> Act {
        let ops = (0..1 + dice.below(3)).map(|_| self.op(dice)).collect();
        let holding = match dice.below(4) {
            0 => 0,
            1 => dice.below(50),
            2 => dice.below(2_000),
            _ => dice.below(90_000),
        };
        Act::ThirdPartyClient { ops, holding: holding as u32, roll_back: dice.chance(150) }
    }

    fn op(&self, dice: &mut SeededRandom) -> ThirdPartyOp {
        let (pick, person) = (dice.next(), dice.next() as u8);
        match dice.below(if self.membership { 30 } else { 22 }) {
            0..10 => ThirdPartyOp::Insert { pick, sender: dice.next() },
            10 => ThirdPartyOp::React { pick, person },
            11..13 => ThirdPartyOp::Edit { pick },
            13..15 => ThirdPartyOp::SoftDelete { pick },
            15..17 => ThirdPartyOp::HardDelete { pick },
            17 if dice.chance(400) => ThirdPartyOp::DeleteConversation { pick },
            17..19 => ThirdPartyOp::Mark { pick, person, share: dice.pick(&[50, 100]).copied().unwrap_or(100) },
            19 => ThirdPartyOp::Rename { pick },
            20..22 => ThirdPartyOp::RenamePerson { person, number: dice.next() as u16 },
            22..24 => ThirdPartyOp::Reassign { pick, medic: dice.next() },
            24..26 => ThirdPartyOp::RemoveMember { person },
            26..29 => ThirdPartyOp::AddMember { person, elsewhere: dice.chance(100) },
            _ => ThirdPartyOp::ChangeRole { person },
        }
    }
}

fn network(dice: &mut SeededRandom) -> Act {
    let device = dice.next() as u8;
    match dice.below(10) {
        0..7 => Act::Fault { device, skip: dice.below(6) as u8, fault: Fault::draw(dice) },
        7..9 => {
            let (seed, lasting) = (dice.next(), dice.below(60_000) as u32);
            Act::Rough { device, seed, lasting, per_mille: 100 + dice.below(400) as u16 }
        }
        _ => Act::Offline { device, lasting: dice.below(100_000) as u32 },
    }
}

fn event(dice: &mut SeededRandom) -> Event {
    let person = dice.next() as u8;
    match dice.below(20) {
        0..2 => Event::Down { lasting: dice.below(60_000) as u32 },
        2..4 => Event::Restart,
        4 => Event::NewEpoch,
        5..7 => Event::Backup,
        7 => Event::Restore,
        8..10 => Event::Compact,
        10..16 => Event::Expire { person },
        16..18 => Event::EndSessions { person },
        _ => Event::Poison { pick: dice.next() },
    }
}
