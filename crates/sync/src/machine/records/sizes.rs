//! How many changes to send and rows to request at once (see [`super::super::pace`] and [`super::super::line`]).

use super::RecordPass;
use crate::machine::{
    line::{SLOW_LIMIT, TARGET_SECONDS, TELLING_BYTES, TELLING_TIME, averaged, within_target},
    pace::Pace,
};
use fieldpost_domain::{Transfer, records::RecordMutation};
use fieldpost_storage::BatchLimits;
use std::time::Duration;

/// What a pass knows about its line beyond [`fieldpost_storage::LineSpeed`].
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Something came in this pass: the line works.
    works: bool,
    slow_calls: u32,
}

impl RecordPass {
    /// The limits of the next batch.
    pub(super) fn batch_limits(&self) -> BatchLimits {
        let mut limits = BatchLimits::from(self.limits);
        limits.rows = self.memory.push_size.of(limits.rows);
        // Until something was sent, the way up is taken to be as slow as the way down.
        if let Some(bytes) = within_target(self.memory.line.up.or(self.memory.line.down)) {
            limits.bytes = limits.bytes.min(bytes);
        }
        limits
    }

    /// This batch was answered after `took`.
    pub(super) fn measure_up(&mut self, batch: &[RecordMutation], took: Duration) {
        self.line.works = true;
        if took < TELLING_TIME {
            self.memory.line.up = None;
            return;
        }
        let bytes = weight(batch);
        if bytes >= TELLING_BYTES {
            self.memory.line.up = averaged(self.memory.line.up, bytes, took, self.limits.push_bytes);
        }
    }

    /// The batch took too long: the next ones have half as many bytes.
    pub(super) fn batch_was_too_slow(&mut self) {
        self.memory.line.up = Some((weight(&self.push.batch) / 2 / TARGET_SECONDS).max(1));
    }

    /// The most bytes to request; none for the server's own limit.
    pub(super) fn page_bytes(&self) -> Option<u32> {
        within_target(self.memory.line.down).filter(|bytes| *bytes < self.limits.page_bytes)
    }

    /// The most rows to request; none for the server's own limit.
    pub(super) fn page_limit(&self) -> Option<u32> {
        let full = self.limits.page_rows;
        Some(self.memory.page_size.of(full)).filter(|rows| *rows < full)
    }

    pub(super) fn requested_rows(&self) -> u32 {
        self.page_limit().unwrap_or(self.limits.page_rows)
    }

    /// A page came.
    pub(super) fn measure_down(&mut self, transfer: Transfer, more: bool) {
        self.line.works = true;
        let rows = if more { self.requested_rows() } else { 0 };
        self.memory.page_size.speed_up(self.limits.page_rows, rows);
        if transfer.bytes >= TELLING_BYTES && !transfer.took.is_zero() {
            let full = self.limits.page_bytes;
            self.memory.line.down = averaged(self.memory.line.down, transfer.bytes, transfer.took, full);
        }
    }

    /// Halves the page size. False if it was one row already.
    pub(super) fn halve_page_size(&mut self) -> bool {
        let rows = self.requested_rows();
        self.memory.page_size.slow_down(rows);
        rows > 1
    }

    /// A page took too long, or was cut off: the next ones are half as large.
    pub(super) fn page_was_cut_off(&mut self) {
        self.halve_page_size();
        let bytes = self.page_bytes().unwrap_or(self.limits.page_bytes);
        self.memory.line.down = Some((bytes / 2 / TARGET_SECONDS).max(1));
    }

    /// Whether to request a page that took too long again in this pass: the line works, so a smaller one may come.
    pub(super) const fn retries_slow_page(&mut self) -> bool {
        self.line.slow_calls += 1;
        self.line.works && self.line.slow_calls <= SLOW_LIMIT
    }
}

/// An upper bound of the size of a batch as JSON.
fn weight(batch: &[RecordMutation]) -> u32 {
    let bytes: usize = batch.iter().map(RecordMutation::wire_size).sum();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
