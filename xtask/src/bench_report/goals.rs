//! What the figures are measured by, and why a goal is missed where it is.

use super::lines::{Lines, OURS, Spread};

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// How many times faster than this subject.
    Speed(&'static str),
    /// How many times the median time of one call by this subject.
    Time(&'static str),
    /// How many milliseconds longer the median call takes than by this subject.
    Longer(&'static str),
    /// How many times slower than in this case.
    Growth(&'static str),
    /// A fact of ours as it is.
    Fact(&'static str),
    /// A fact of ours in milliseconds.
    Milliseconds(&'static str),
    /// A fact of ours in proportion to the same of this subject.
    Share(&'static str, &'static str),
    /// The median time of the whole case in seconds.
    Seconds,
}

/// Which side of a number is good.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// One goal.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) bench: &'static str,
    pub(super) case: &'static str,
    pub(super) what: &'static str,
    pub(super) look: Look,
    pub(super) bound: Bound,
    /// What a profile shows where this is missed.
    pub(super) missed: &'static str,
}

impl Goal {
    /// What this run has measured; none if it has not.
    pub(super) fn measured(&self, lines: &Lines) -> Option<f64> {
        let place = (self.bench, self.case);
        let ours = lines.of(self.bench, self.case, OURS);
        let fact = |name: &str| Spread::of(ours.iter().filter_map(|line| line.facts.get(name).copied()));
        match self.look {
            Look::Speed(other) => lines.ratio(place, (OURS, other), |line| Some(line.rate())),
            Look::Time(other) => lines.ratio(place, (OURS, other), |line| line.facts.get("p50").copied()),
            Look::Share(name, other) => lines.ratio(place, (OURS, other), |line| line.facts.get(name).copied()),
            Look::Longer(other) => {
                let others = lines.of(self.bench, self.case, other);
                let theirs = Spread::of(others.iter().filter_map(|line| line.facts.get("p50").copied()))?;
                Some((fact("p50")?.median - theirs.median) * 1e3)
            }
            Look::Growth(before) => {
                let before = lines.of(self.bench, before, OURS);
                let before = Spread::of(before.iter().map(|line| line.rate()))?;
                Some(before.median / Spread::of(ours.iter().map(|line| line.rate()))?.median)
            }
            Look::Fact(name) => fact(name).map(|spread| spread.median),
            Look::Milliseconds(name) => fact(name).map(|spread| spread.median * 1e3),
            Look::Seconds => Spread::of(ours.iter().map(|line| line.seconds)).map(|spread| spread.median),
        }
    }

    pub(super) fn met(&self, measured: f64) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => measured >= bound,
            Bound::AtMost(bound) => measured <= bound,
        }
    }
}

const fn goal(
    bench: &'static str,
    case: &'static str,
    what: &'static str,
    look: Look,
    bound: Bound,
    missed: &'static str,
) -> Goal {
    Goal { bench, case, what, look, bound, missed }
}

const SQLX: &str = "timed statement by statement (in a build made for that), most of a page is the insert of its messages; next come the \
    statements that bring ranges, unread counts and newest messages up to date, and the upsert of its conversations. Raw is \
    given all of that beforehand. How much of the insert itself is binding and the way to SQLite's thread is not measured yet.";
const THREAD: &str = "not profiled yet. Likely the way to SQLite's thread and back, once for each of the statements of a call, which raw, \
    on the calling thread, does not go; wall times here also hold what else ran on the machine.";
const TRIGGERS: &str = "not profiled yet. The plain table has no triggers and checks nothing; a push checks who may write, gives each \
    message its seq, brings conversations up to date and answers for each mutation.";
const WIRE: &str = "all clients wait for the same server; the same case without a server's cost, in the table, shows the client alone. \
    The server's share is not profiled yet.";
const MEMORY: &str = "not profiled yet.";
const FEW: &str = "not profiled yet.";

const RAW: &str = "raw SQLite, in batches";
const ROWS: &str = "raw SQLite, row by row";

const SEED: &str = "seed algorithm";
const RXDB: &str = "RxDB, batches of 1000";
const POWERSYNC: &str = "powersync 0.2.0";
const PLAIN: &str = "plain SQL";

const fn at_least(bound: f64) -> Bound {
    Bound::AtLeast(bound)
}

const fn at_most(bound: f64) -> Bound {
    Bound::AtMost(bound)
}

pub(super) const GOALS: &[Goal] = &[
    goal("apply", "500 into an empty file", "× raw row by row", Look::Speed(ROWS), at_least(0.7), SQLX),
    goal("apply", "500 into an empty file", "× raw in batches", Look::Speed(RAW), at_least(0.7), SQLX),
    goal("apply", "2000 into an empty file", "× raw row by row", Look::Speed(ROWS), at_least(0.7), SQLX),
    goal("apply", "2000 into an empty file", "× raw in batches", Look::Speed(RAW), at_least(0.7), SQLX),
    goal("apply", "500 beside 100000", "× raw row by row", Look::Speed(ROWS), at_least(0.7), SQLX),
    goal("apply", "500 beside 100000", "× raw in batches", Look::Speed(RAW), at_least(0.7), SQLX),
    goal("apply", "2000 beside 100000", "× raw row by row", Look::Speed(ROWS), at_least(0.7), SQLX),
    goal("apply", "2000 beside 100000", "× raw in batches", Look::Speed(RAW), at_least(0.7), SQLX),
    goal("apply", "500 beside 1000000", "× raw row by row", Look::Speed(ROWS), at_least(0.7), SQLX),
    goal("apply", "500 beside 1000000", "× raw in batches", Look::Speed(RAW), at_least(0.7), SQLX),
    goal("apply", "2000 beside 1000000", "× raw row by row", Look::Speed(ROWS), at_least(0.7), SQLX),
    goal("apply", "2000 beside 1000000", "× raw in batches", Look::Speed(RAW), at_least(0.7), SQLX),
    goal(
        "apply",
        "2000 beside 1000000",
        "× slower than into an empty file",
        Look::Growth("2000 into an empty file"),
        at_most(1.3),
        GROWTH,
    ),
    goal("load", "20000 messages", "× PowerSync", Look::Speed(POWERSYNC), at_least(3.0), POWER),
    goal("load", "100000 messages", "× PowerSync", Look::Speed(POWERSYNC), at_least(3.0), POWER),
    goal("load", "100000 messages", "× PowerSync's file", Look::Share("file_MiB", POWERSYNC), at_most(0.5), POWER),
    goal("send", "one at a time", "× raw, one row", Look::Time("raw SQLite, one row"), at_most(1.5), THREAD),
    goal("list", "one at a time", "ms longer than raw", Look::Longer("raw SQLite"), at_most(0.3), THREAD),
    goal("list", "one at a time", "ms at the 99th percentile", Look::Milliseconds("p99"), at_most(2.0), THREAD),
    goal("window", "one at a time", "ms longer than raw", Look::Longer("raw SQLite"), at_most(0.3), THREAD),
    goal("window", "one at a time", "ms at the 99th percentile", Look::Milliseconds("p99"), at_most(2.0), THREAD),
    goal("memory", "1000000 messages", "MiB over idle", Look::Fact("over_idle_MiB"), at_most(64.0), MEMORY),
    goal("pull", "200 × 100, Supabase Lite", "requests", Look::Fact("requests"), at_most(12.0), WIRE),
    goal("pull", "200 × 100, Supabase Lite", "× the seed algorithm", Look::Speed(SEED), at_least(10.0), WIRE),
    goal("pull", "200 × 100, no cost", "× the seed algorithm", Look::Speed(SEED), at_least(10.0), WIRE),
    goal("pull", "200 × 100, Supabase Lite", "× RxDB, batches of 1000", Look::Speed(RXDB), at_least(2.0), WIRE),
    goal("pull", "200 × 100, no cost", "× RxDB, batches of 1000", Look::Speed(RXDB), at_least(2.0), WIRE),
    goal("pull", "1000 × 100, Supabase Lite", "× RxDB, batches of 1000", Look::Speed(RXDB), at_least(2.0), WIRE),
    goal("pull", "1000 × 100, no cost", "× RxDB, batches of 1000", Look::Speed(RXDB), at_least(2.0), WIRE),
    goal(
        "pull",
        "200 × 100, no cost",
        "of RxDB's time until usable",
        Look::Share("usable_ms", RXDB),
        at_most(0.05),
        USABLE,
    ),
    goal(
        "pull",
        "200 × 100, no cost",
        "of the seed's time until usable",
        Look::Share("usable_ms", SEED),
        at_most(0.05),
        USABLE,
    ),
    goal("again", "20000 messages", "requests", Look::Fact("requests"), at_most(1.0), WIRE),
    goal("again", "20000 messages", "× slower than with 1,000", Look::Growth("1000 messages"), at_most(1.3), WIRE),
    goal("drain", "500 queued, 200 ms", "seconds", Look::Seconds, at_most(2.0), WIRE),
    goal("drain", "500 queued, 200 ms", "requests", Look::Fact("requests"), at_most(5.0), WIRE),
    goal("drain", "500 queued, 0 ms", "× the seed algorithm", Look::Speed(SEED), at_least(50.0), FEW),
    goal("drain", "500 queued, 200 ms", "× the seed algorithm", Look::Speed(SEED), at_least(50.0), FEW),
    goal("drain", "500 queued, 10% of answers lost", "doubled", Look::Fact("doubled"), at_most(0.0), WIRE),
    goal("drain", "500 queued, 10% of answers lost", "lost", Look::Fact("lost"), at_most(0.0), WIRE),
    goal("serve", "push 500, 1 client", "× plain INSERT", Look::Speed(PLAIN), at_least(0.3), TRIGGERS),
    goal("serve", "push 500, 16 clients", "× plain INSERT", Look::Speed(PLAIN), at_least(0.3), TRIGGERS),
    goal("serve", "pull 2000, 1 client", "× plain SELECT", Look::Speed(PLAIN), at_least(0.5), RENDERING),
    goal("serve", "pull 2000, 16 clients", "× plain SELECT", Look::Speed(PLAIN), at_least(0.5), RENDERING),
];

const RENDERING: &str = "not profiled yet.";
const USABLE: &str = "the first page of the bootstrap is applied whole before any of it is shown. A smaller first page would be shown \
    sooner and cost more requests; that is not tried yet.";
const GROWTH: &str =
    "raw SQLite, in the same tables, slows down too: compare its rows in the section. Why is not profiled yet.";
const POWER: &str = "not profiled yet. The work differs: Fieldpost also keeps conversations, unread counts and a full-text index, \
    PowerSync also keeps its log of operations. Messages come round robin over the conversations, the worst order for an index.";
