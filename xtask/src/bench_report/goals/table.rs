//! Every goal, in the order of the report.

use super::{
    Bound::{self, AtLeast, AtMost},
    Goal, Look,
    reasons::{ACKNOWLEDGEMENT, ECHO, GROWTH, POWER, Profile, SQLX, THREAD, TRIGGERS, UNKNOWN, USABLE, WIRE},
};

const RAW: &str = "raw SQLite";
const IN_BATCHES: &str = "raw SQLite, in batches";
const ROW_BY_ROW: &str = "raw SQLite, row by row";
const SEED: &str = "seed algorithm";
const RXDB: &str = "RxDB, batches of 1000";
const POWERSYNC: &str = "powersync 0.2.0";
const PLAIN: &str = "plain SQL";
const CALL: &str = "one at a time";

/// The goals of one bench.
struct Of {
    bench: &'static str,
    goals: Vec<Goal>,
}

impl Of {
    const fn bench(bench: &'static str) -> Self {
        Self { bench, goals: Vec::new() }
    }

    fn goal(mut self, case: &str, what: &'static str, look: Look, bound: Bound, missed: Profile) -> Self {
        self.goals.push(Goal { bench: self.bench, case: case.to_owned(), what, look, bound, missed });
        self
    }

    /// At least this many times as fast as another subject.
    fn speed(self, case: &str, what: &'static str, other: &'static str, least: f64, missed: Profile) -> Self {
        self.goal(case, what, Look::Speed(other), AtLeast(least), missed)
    }

    /// A fact with an upper limit.
    fn fact(self, case: &str, what: &'static str, name: &'static str, most: f64, missed: Profile) -> Self {
        self.goal(case, what, Look::Fact(name), AtMost(most), missed)
    }
}

/// All goals.
pub(in crate::bench_report) fn goals() -> Vec<Goal> {
    let device = [
        applying(),
        recorded(),
        loading(),
        sending(),
        screen("list"),
        screen("window"),
        hearing(),
        crowd(),
        searching(),
        timeline(),
        memory(),
    ];
    let network = [pulling(), nothing_new(), draining(), sending_meanwhile(), draining_records(), serving()];
    device.into_iter().chain(network).flat_map(|of| of.goals).collect()
}

fn applying() -> Of {
    let mut of = Of::bench("apply");
    for history in ["into an empty file", "beside 100000", "beside 1000000"] {
        for page in [500, 2000] {
            let case = format!("{page} {history}");
            of = of.speed(&case, "× raw row by row", ROW_BY_ROW, 0.7, SQLX);
            of = of.speed(&case, "× raw in batches", IN_BATCHES, 0.7, SQLX);
        }
    }
    for (page, empty) in [(500, "500 into an empty file"), (2000, "2000 into an empty file")] {
        let case = format!("{page} beside 1000000");
        of = of.goal(&case, "× slower than into an empty file", Look::Growth(empty), AtMost(1.3), GROWTH);
    }
    of
}

fn recorded() -> Of {
    const CASE: &str = "8000 messages";
    Of::bench("decode")
        .speed(CASE, "× serde alone, then raw row by row", "serde alone, then raw SQLite, row by row", 0.7, SQLX)
        .speed(CASE, "× serde alone, then raw in batches", "serde alone, then raw SQLite, in batches", 0.7, SQLX)
}

fn loading() -> Of {
    Of::bench("load")
        .speed("20000 messages", "× PowerSync", POWERSYNC, 3.0, POWER)
        .speed("100000 messages", "× PowerSync", POWERSYNC, 3.0, POWER)
        .goal("100000 messages", "× PowerSync's file", Look::Share("file_MiB", POWERSYNC), AtMost(0.5), POWER)
}

fn memory() -> Of {
    Of::bench("memory").fact("1000000 messages", "MiB over idle", "over_idle_MiB", 64.0, UNKNOWN)
}

fn sending() -> Of {
    Of::bench("send").goal(CALL, "× raw, one row", Look::Time("raw SQLite, one row"), AtMost(1.5), THREAD)
}

fn screen(bench: &'static str) -> Of {
    Of::bench(bench).goal(CALL, "ms longer than raw", Look::Longer(RAW), AtMost(0.3), THREAD).goal(
        CALL,
        "ms at the 99th percentile",
        Look::Milliseconds("p99"),
        AtMost(2.0),
        THREAD,
    )
}

fn searching() -> Of {
    let typed = [
        "one letter",
        "two letters",
        "three letters",
        "the commonest word",
        "a word of seven letters",
        "two words",
        "a phrase",
        "in a conversation, one letter",
    ];
    typed.into_iter().fold(Of::bench("search"), |of, typed| {
        let case = format!("{typed}, newest of 1000000");
        of.fact(&case, "ms at the 95th percentile", "p95", 30.0, UNKNOWN)
    })
}

fn hearing() -> Of {
    let milliseconds = Look::Milliseconds;
    Of::bench("hear")
        .goal("200 ms, acknowledged", "ms: 1.1 round trips", milliseconds("p50"), AtMost(220.0), WIRE)
        .fact("200 ms, acknowledged", "pushes", "pushes", 1.0, UNKNOWN)
        .fact("200 ms, acknowledged", "requests", "requests", 1.0, ECHO)
        .goal("loopback, on the other's screen", "ms", milliseconds("p50"), AtMost(30.0), WIRE)
        .goal("loopback, on the other's screen", "ms at the 99th percentile", milliseconds("p99"), AtMost(100.0), WIRE)
}

/// As docs/protocol.md says: which rows are told where.
fn crowd() -> Of {
    let case = |what| format!("1000 devices, 100 of admins: {what}");
    Of::bench("crowd")
        .fact(&case("a direct message of a medic"), "topics", "topics", 2.0, UNKNOWN)
        .fact(&case("a broadcast"), "topics", "topics", 1.0, UNKNOWN)
        .fact(&case("a broadcast: its deliveries"), "topics", "topics", 0.0, UNKNOWN)
        .fact(&case("a broadcast to readers of one: its deliveries"), "topics", "topics", 0.0, UNKNOWN)
}

fn timeline() -> Of {
    Of::bench("timeline").goal(CALL, "ms at the 99th percentile", Look::Milliseconds("p99"), AtMost(2.0), THREAD)
}

fn pulling() -> Of {
    let mut of = Of::bench("pull").fact("200 × 100, Supabase Lite", "requests", "requests", 12.0, WIRE);
    for case in ["200 × 100, Supabase Lite", "200 × 100, no cost", "1000 × 1000, Supabase Lite"] {
        of = of.speed(case, "× the seed algorithm", SEED, 10.0, WIRE).speed(
            case,
            "× RxDB, batches of 1000",
            RXDB,
            2.0,
            WIRE,
        );
    }
    for case in ["1000 × 100, Supabase Lite", "1000 × 100, no cost"] {
        of = of.speed(case, "× RxDB, batches of 1000", RXDB, 2.0, WIRE);
    }
    for case in ["200 × 100, Supabase Lite", "200 × 100, no cost"] {
        let share = |other| Look::Share("usable_ms", other);
        of = of
            .fact(case, "pages until usable", "usable_pages", 1.0, USABLE)
            .goal(case, "of RxDB's time until usable", share(RXDB), AtMost(0.05), USABLE)
            .goal(case, "of the seed's time until usable", share(SEED), AtMost(0.05), USABLE);
    }
    of
}

fn nothing_new() -> Of {
    let mut of = Of::bench("again");
    for case in ["1000 messages", "100000 messages", "1000000 messages"] {
        of = of.fact(case, "requests", "requests", 1.0, WIRE);
    }
    for case in ["100000 messages", "1000000 messages"] {
        of = of.goal(case, "× slower than with 1,000", Look::Growth("1000 messages"), AtMost(1.3), WIRE);
    }
    of
}

fn draining() -> Of {
    const LOSSES: &str = "500 queued, 10% of answers lost";
    let mut of = Of::bench("drain").goal("500 queued, 200 ms", "seconds", Look::Seconds, AtMost(2.0), WIRE);
    for case in ["500 queued, 0 ms", "500 queued, 50 ms", "500 queued, 200 ms"] {
        of = of.fact(case, "requests", "requests", 5.0, WIRE).speed(case, "× the seed algorithm", SEED, 50.0, UNKNOWN);
    }
    of.speed(LOSSES, "× the seed algorithm", SEED, 50.0, UNKNOWN)
        .fact(LOSSES, "doubled", "doubled", 0.0, UNKNOWN)
        .fact(LOSSES, "lost", "lost", 0.0, UNKNOWN)
}

/// At most 1.2 round trips.
fn sending_meanwhile() -> Of {
    Of::bench("meanwhile").goal(
        "200 × 100 to load, 200 ms",
        "ms until a message is acknowledged",
        Look::Milliseconds("p50"),
        AtMost(240.0),
        ACKNOWLEDGEMENT,
    )
}

fn draining_records() -> Of {
    let mut of = Of::bench("records");
    for case in ["500 treatments, 0 ms", "500 treatments, 200 ms"] {
        of = of
            .fact(case, "requests", "requests", 5.0, WIRE)
            .fact(case, "lost", "lost", 0.0, UNKNOWN)
            .fact(case, "doubled", "doubled", 0.0, UNKNOWN);
    }
    of.speed("500 treatments, 200 ms", "× the seed algorithm", SEED, 20.0, UNKNOWN)
}

fn serving() -> Of {
    let mut of = Of::bench("serve");
    for clients in ["1 client", "16 clients"] {
        of = of.speed(&format!("push 500, {clients}"), "× plain INSERT", PLAIN, 0.3, TRIGGERS);
        of = of.speed(&format!("pull 2000, {clients}"), "× plain SELECT", PLAIN, 0.5, UNKNOWN);
    }
    of
}
