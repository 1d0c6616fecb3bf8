//! Wall time and CPU time of a piece of work.
//!
//! The CPU time covers all threads of this process: SQLite works on its own thread, and moving work there is part of
//! the cost. Linux counts it in nanoseconds per thread (`schedstat`); without that file it is zero.

use serde::{Deserialize, Serialize};
use std::{
    fs,
    time::{Duration, Instant},
};

/// The time that a piece of work took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Wall time.
    pub seconds: f64,
    /// CPU time of all threads.
    pub cpu: f64,
}

/// A running measurement.
#[derive(Debug)]
pub(crate) struct Watch {
    started: Instant,
    cpu: Duration,
}

impl Watch {
    /// Starts measuring.
    #[must_use]
    pub(crate) fn start() -> Self {
        let cpu = cpu();
        Self { started: Instant::now(), cpu }
    }

    /// Stops measuring.
    #[must_use]
    pub(crate) fn stop(self) -> Reading {
        let seconds = self.started.elapsed().as_secs_f64();
        Reading { seconds, cpu: cpu().saturating_sub(self.cpu).as_secs_f64() }
    }
}

/// The CPU time of all current threads of this process.
fn cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// A field of `/proc/self/status` in bytes: `VmHWM` is the peak memory of the process, `VmRSS` the current one.
#[must_use]
pub(crate) fn memory(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
