//! Observes a run: its trace, its counts, and the first broken invariant.

use super::Invariant;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The invariant.
    pub invariant: Invariant,
    /// Where and how.
    pub what: String,
    /// The expected and the actual view, if they can be compared.
    pub views: Option<(String, String)>,
}

impl Breach {
    pub(super) fn new(invariant: Invariant, what: impl Into<String>) -> Self {
        Self { invariant, what: what.into(), views: None }
    }

    pub(super) fn with_views(mut self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        self.views = Some((expected.into(), found.into()));
        self
    }
}

/// How often each fault happened in a run, by name.
pub type Counts = BTreeMap<&'static str, u64>;

#[derive(Debug)]
pub(super) struct Observer {
    start: Instant,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Option<Vec<String>>,
    faults: Counts,
    calls: u64,
    breach: Option<Breach>,
}

impl Observer {
    /// Must be called inside the runtime whose time is observed.
    pub(super) fn new(traced: bool) -> Self {
        Self { start: Instant::now(), seen: Mutex::new(Seen { lines: traced.then(Vec::new), ..Seen::default() }) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the run began.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The same in microseconds.
    pub(super) fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Adds a line to the trace, if the run is traced.
    pub(super) fn say(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(lines) = &mut self.seen().lines {
            lines.push(format!("{:>4}.{:03} {}", now / 1000, now % 1000, line()));
        }
    }

    /// Counts a fault.
    pub(super) fn count(&self, fault: &'static str) {
        *self.seen().faults.entry(fault).or_default() += 1;
    }

    /// Counts a call and returns the total.
    pub(super) fn call(&self) -> u64 {
        let mut seen = self.seen();
        seen.calls += 1;
        seen.calls
    }

    /// Keeps the first breach: later ones may only be its consequences.
    pub(super) fn report(&self, breach: Breach) {
        self.say(|| format!("BROKEN {}: {}", breach.invariant, breach.what));
        self.seen().breach.get_or_insert(breach);
    }

    /// The same for the result of a check.
    pub(super) fn judge(&self, verdict: Result<(), Breach>) {
        if let Err(breach) = verdict {
            self.report(breach);
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.seen().breach.is_some()
    }

    pub(super) fn take(&self) -> (Vec<String>, Counts, u64, Option<Breach>) {
        let seen = std::mem::take(&mut *self.seen());
        (seen.lines.unwrap_or_default(), seen.faults, seen.calls, seen.breach)
    }
}
