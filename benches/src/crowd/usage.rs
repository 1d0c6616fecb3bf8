//! What a process takes of its machine.

use crate::watch::memory;
use anyhow::{Result, ensure};
use std::fs;

pub(super) const MEMORY: &str = "memory_KiB";
pub(super) const FILES: &str = "files";
pub(super) const THREADS: &str = "threads";

/// Memory, open files and threads, of a process or of one device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) kibibytes: f64,
    pub(super) files: f64,
    pub(super) threads: f64,
}

impl Usage {
    /// All zero where there is no `/proc`.
    pub(super) fn of_this_process() -> Self {
        let entries = |folder| fs::read_dir(folder).into_iter().flatten().count() as f64;
        let kibibytes = memory("VmRSS").unwrap_or(0) as f64 / 1024.0;
        Self { kibibytes, files: entries("/proc/self/fd"), threads: entries("/proc/self/task") }
    }

    pub(super) fn beyond(self, before: Self) -> Self {
        Self {
            kibibytes: self.kibibytes - before.kibibytes,
            files: self.files - before.files,
            threads: self.threads - before.threads,
        }
    }

    pub(super) fn each(self, devices: usize) -> Self {
        let devices = devices.max(1) as f64;
        Self { kibibytes: self.kibibytes / devices, files: self.files / devices, threads: self.threads / devices }
    }
}

/// The open files of a device that has a file, with some to spare; one in memory has only its sockets.
const OF_A_DEVICE: [usize; 2] = [4, 12];

/// What else a process has open.
const BESIDE: usize = 200;

/// Says what to do where the devices' process may not open as many files as it needs.
pub(super) fn ensure_enough_files(devices: usize, in_files: bool) -> Result<()> {
    let needed = devices * OF_A_DEVICE[usize::from(in_files)] + BESIDE;
    let allowed = allowed().unwrap_or(usize::MAX);
    ensure!(
        allowed >= needed,
        "{devices} devices need about {needed} open files, and this shell allows {allowed}: call `ulimit -n {needed}` before"
    );
    Ok(())
}

/// The soft limit; none if there is none, or it is not known.
fn allowed() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
