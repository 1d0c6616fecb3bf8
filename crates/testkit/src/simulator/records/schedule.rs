//! Schedules of runs with records, made from a seed before they start.

use super::{
    policy::RecordPolicy,
    step::{Act, Decision, Event, Op, RecordStep},
    world::Side,
};
use crate::{
    Fault, SeededRandom,
    simulator::{
        dice::branch,
        step::{Notice, Trouble},
    },
};

/// What a run with records is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSchedule {
    /// The seed.
    pub seed: u64,
    /// The participants and settings.
    pub setup: RecordSetup,
    /// The steps.
    pub steps: Vec<RecordStep>,
}

/// The participants and settings of a run with records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSetup {
    /// The owner of each device, as a number among the people.
    pub owners: Vec<u8>,
    /// The clock error of each device in seconds.
    pub skews: Vec<i64>,
    /// The most rows of a page.
    pub page_rows: u32,
    /// The most changes of a batch.
    pub push_rows: u32,
    /// The lifetime of an access token in seconds.
    pub token_lifetime: u32,
    /// Which devices sync on their own.
    pub by_itself: Vec<bool>,
    /// On which devices the app is a process that lives for one pass.
    pub one_shot: Vec<bool>,
    /// Messages that wait on the server for every device at the start.
    pub backlog: u32,
    /// Each side must end as it does alone.
    pub independent: bool,
    /// The audit log can never be uploaded.
    pub no_audit: bool,
    /// The records that the project hides or refuses.
    pub(super) policy: Option<RecordPolicy>,
}

/// The most steps of a run.
const STEPS: u64 = 80;

/// The people of the first org, and of the other, as numbers among the people.
const HERE: [u8; 4] = [0, 3, 4, 1];
const THERE: [u8; 2] = [2, 5];

impl RecordSchedule {
    /// The schedule of a seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = branch(seed, 101);
        let setup = RecordSetup { policy: RecordPolicy::roll(seed), ..RecordSetup::roll(&mut dice) };
        let count = 15 + dice.below(STEPS - 15);
        let taste = Taste::roll(&mut dice, &setup);
        let steps = (0..count).map(|number| taste.step(&mut branch(seed, 100_000 + number))).collect();
        Self { seed, setup, steps }
    }
}

impl RecordSetup {
    fn roll(dice: &mut SeededRandom) -> Self {
        let devices = 2 + dice.below(3);
        let person = |dice: &mut SeededRandom, from: &[u8]| dice.pick(from).copied().unwrap_or(0);
        let owners = (0..devices).map(|number| match number {
            2 => person(dice, &THERE),
            _ => person(dice, &HERE),
        });
        let owners: Vec<u8> = owners.collect();
        let independent = dice.chance(120);
        let skew = |dice: &mut SeededRandom| if dice.chance(400) { 0 } else { dice.below(20_000) as i64 - 10_000 };
        let (alone, one_shot) = (dice.chance(400), dice.chance(250));
        let by_itself: Vec<bool> = owners.iter().map(|_| independent || (alone && dice.chance(650))).collect();
        Self {
            skews: owners.iter().map(|_| skew(dice)).collect(),
            one_shot: by_itself.iter().map(|by_itself| one_shot && !by_itself && dice.chance(600)).collect(),
            by_itself,
            page_rows: dice.pick(&[2, 3, 5, 9, 40, 2500]).copied().unwrap_or(3),
            push_rows: dice.pick(&[1, 2, 4, 500]).copied().unwrap_or(4),
            // Otherwise the side that meets an expired token first renews it, and the other does not.
            token_lifetime: if independent { 604_800 } else { dice.pick(&[90, 600, 3600]).copied().unwrap_or(3600) },
            backlog: if dice.chance(300) { 30 + dice.below(60) as u32 } else { 0 },
            independent,
            no_audit: dice.chance(60),
            policy: None,
            owners,
        }
    }
}

/// The weight of each kind of step in a run.
struct Taste {
    people: u64,
    others: u64,
    network: u64,
    kills: u64,
    server: u64,
    notices: u64,
    two_processes: bool,
    membership: bool,
    independent: bool,
    calm_clocks: bool,
}

impl Taste {
    fn roll(dice: &mut SeededRandom, setup: &RecordSetup) -> Self {
        let some = |dice: &mut SeededRandom, most: u64| if dice.chance(300) { 0 } else { 1 + dice.below(most) };
        let by_itself = setup.by_itself.contains(&true);
        Self {
            people: 30 + dice.below(40),
            others: some(dice, 30),
            network: some(dice, 40),
            kills: some(dice, 20),
            server: some(dice, 15),
            notices: if by_itself { 10 + dice.below(20) } else { some(dice, 8) },
            two_processes: dice.chance(200) && !setup.independent,
            membership: dice.chance(400),
            independent: setup.independent,
            calm_clocks: dice.chance(500),
        }
    }

    fn step(&self, dice: &mut SeededRandom) -> RecordStep {
        let after = match dice.below(10) {
            0..4 => dice.below(20),
            4..8 => dice.below(400),
            8 => dice.below(40_000),
            _ => dice.below(400_000),
        };
        let syncs = 30;
        let all = [self.people, self.others, self.network, self.kills, self.server, self.notices];
        let mut at = dice.below(syncs + all.iter().sum::<u64>());
        let mut within = |share: u64| {
            let inside = at < share;
            at = at.wrapping_sub(if inside { 0 } else { share });
            inside
        };
        let act = if within(syncs) {
            self.sync(dice)
        } else if within(self.people) {
            self.person(dice)
        } else if within(self.others) {
            self.dashboard(dice)
        } else if within(self.network) {
            self.network(dice)
        } else if within(self.kills) {
            let polls = if self.independent { 0 } else { dice.below(60) as u16 };
            Act::Kill { device: dice.next() as u8, process: self.process(dice), polls }
        } else if within(self.server) {
            Act::Server(self.event(dice))
        } else {
            Act::Tell { device: dice.next() as u8, process: self.process(dice), notice: self.notice(dice) }
        };
        RecordStep { after: after as u32, act }
    }

    fn process(&self, dice: &mut SeededRandom) -> u8 {
        if self.two_processes { dice.below(2) as u8 } else { 0 }
    }

    fn sync(&self, dice: &mut SeededRandom) -> Act {
        let (device, process) = (dice.next() as u8, self.process(dice));
        if dice.chance(200) { Act::SyncMessages { device, process } } else { Act::Sync { device, process } }
    }

    fn person(&self, dice: &mut SeededRandom) -> Act {
        let (device, process, pick) = (dice.next() as u8, self.process(dice), dice.next());
        match dice.below(24) {
            0..6 => Act::Create { device, process, pick },
            6..14 => Act::Update { device, process, pick },
            14..16 => Act::Delete { device, process, pick },
            16..18 => Act::Read { device, process, pick },
            18..20 => Act::Write { device, process, pick },
            20..22 => Act::Decide {
                device,
                pick,
                decision: dice
                    .pick(&[Decision::Retry, Decision::Cancel, Decision::Reapply, Decision::Dismiss])
                    .copied()
                    .unwrap_or(Decision::Retry),
            },
            22 if !self.independent && dice.chance(300) => Act::SignOut { device },
            _ if self.calm_clocks => Act::Update { device, process, pick },
            _ => {
                let seconds = dice.pick(&[-86_400, -3_600, -5, 7, 3_600, 400_000]).copied().unwrap_or(7);
                Act::Jump { device, seconds }
            }
        }
    }

    fn dashboard(&self, dice: &mut SeededRandom) -> Act {
        // A transaction that writes on both sides makes them depend on each other.
        let messages = dice.chance(200);
        let count = if messages || self.independent { 1 } else { 1 + dice.below(3) };
        let ops = (0..count).map(|_| if messages { message(dice) } else { self.op(dice) }).collect();
        let holding = match dice.below(4) {
            0 => 0,
            1 => dice.below(50),
            2 => dice.below(2_000),
            _ => dice.below(90_000),
        };
        Act::Dashboard { ops, holding: holding as u32, roll_back: dice.chance(150) }
    }

    fn op(&self, dice: &mut SeededRandom) -> Op {
        let (pick, person) = (dice.next(), dice.next() as u8);
        match dice.below(if self.membership { 24 } else { 18 }) {
            0..5 => Op::Insert { pick },
            5..7 => Op::InsertForDevice { pick, device: dice.next() as u8 },
            7..13 => Op::Update { pick },
            13..16 => Op::Delete { pick },
            16..18 if self.membership => Op::Move { pick },
            16..18 => Op::Update { pick },
            18..20 => Op::RemoveMember { person },
            20..23 => Op::AddMember { person, elsewhere: dice.chance(150) },
            _ => Op::ChangeRole { person },
        }
    }

    fn network(&self, dice: &mut SeededRandom) -> Act {
        let device = dice.next() as u8;
        let side = if dice.chance(700) { Side::Records } else { Side::Messages };
        match dice.below(12) {
            0..7 => Act::Fault { device, side, skip: dice.below(6) as u8, fault: Fault::draw(dice) },
            7..9 => {
                let (seed, lasting) = (dice.next(), dice.below(60_000) as u32);
                Act::Rough { device, side, seed, lasting, per_mille: 100 + dice.below(400) as u16 }
            }
            9 if self.independent && side == Side::Messages => Act::Offline { device, lasting: 1_000 },
            9 => {
                let all = [Trouble::Busy, Trouble::Full, Trouble::Broken];
                let trouble = dice.pick(&all).copied().unwrap_or(Trouble::Busy);
                Act::Trouble { device, side, skip: dice.below(8) as u8, trouble }
            }
            _ => Act::Offline { device, lasting: dice.below(100_000) as u32 },
        }
    }

    fn event(&self, dice: &mut SeededRandom) -> Event {
        let person = dice.next() as u8;
        match dice.below(24) {
            0..2 => Event::Down { lasting: dice.below(60_000) as u32 },
            2..4 => Event::Restart,
            4 => Event::NewEpoch,
            5..7 => Event::Backup,
            7 => Event::Restore,
            // It expires the cursors of a side on which nothing is written.
            8..10 if !self.independent => Event::Compact,
            10..13 if !self.independent => Event::Expire { person },
            13..15 if !self.independent => Event::EndSessions { person },
            15..20 => Event::Retry { pick: dice.next() },
            20 => Event::Policies,
            21 => Event::Missing { lasting: dice.below(60_000) as u32 },
            _ => Event::NoAudit { lasting: dice.below(200_000) as u32 },
        }
    }

    fn notice(&self, dice: &mut SeededRandom) -> Notice {
        match dice.below(24) {
            0..4 => Notice::Online(false),
            4..9 => Notice::Online(true),
            9..13 => Notice::Foreground,
            // The sides share the deadline.
            13..17 if !self.independent => Notice::Background(dice.below(5_000) as u32),
            17..19 if !self.independent => Notice::Pause,
            19..22 if !self.independent => Notice::Resume,
            _ => Notice::Hint,
        }
    }
}

fn message(dice: &mut SeededRandom) -> Op {
    Op::Message { pick: dice.next(), sender: dice.next() }
}
