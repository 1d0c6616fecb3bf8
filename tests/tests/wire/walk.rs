//! Random days: people write, read and lose their network, apps are killed, answers get lost, other clients and operators
//! meddle. Then everything heals, and the invariants are checked. A failure names its seed; the same seed is the same day.

mod day;
mod verdict;

use day::Day;
use std::ops::Range;

/// How many days each kind of store lives through.
const MEMORY_DAYS: u64 = 150;
const SQLITE_DAYS: u64 = 25;

/// The days to live through; `FIELDPOST_WALK=1005` lives through that one alone.
fn seeds(all: Range<u64>) -> Range<u64> {
    let one = std::env::var("FIELDPOST_WALK").ok().and_then(|seed| seed.parse::<u64>().ok());
    one.map_or(all, |seed| seed..seed + 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_day_everything_agrees_on_the_reference_store() {
    for seed in seeds(0..MEMORY_DAYS) {
        Day::new(seed, false).await.live().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_day_everything_agrees_on_sqlite() {
    for seed in seeds(1_000..1_000 + SQLITE_DAYS) {
        Day::new(seed, true).await.live().await;
    }
}
