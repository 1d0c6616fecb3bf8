//! How many bytes to request or send at once.
//!
//! Nothing of a call is kept if it is cut off. So on a slow line a full page never comes: at 7 kB/s a page of one MiB
//! takes two and a half minutes, and a call may take one. The speed of the line is measured with every response that is
//! large enough to tell, and the next page is as large as comes in [`TARGET_SECONDS`]. The first screen, which is small,
//! is the first measurement. A page that was cut off is requested again at half the size.
//!
//! Bytes are bytes of JSON after decompression, on both sides: the server counts its rows that way, and the client
//! measures what it read. How well the line compresses is in the speed.
//!
//! A server without [`Capability::PageBytes`] is asked for fewer rows instead, by the average size of those that came.

use super::{Pass, pace::Pace};
use fieldpost_domain::{
    Capability, Mutation, ServerInfo, Transfer,
    planted::{PlantedBug, planted},
};
use fieldpost_storage::BatchLimits;
use std::time::Duration;

/// How long a page or a batch should take: a quarter of the time that a call may take.
pub(super) const TARGET_SECONDS: u32 = 15;

/// Smaller responses measure the way there and back, not the line.
pub(super) const TELLING_BYTES: u32 = 4096;

/// Calls faster than this are not the line's fault.
pub(super) const TELLING_TIME: Duration = Duration::from_secs(1);

/// The smallest page: below this the way there and back costs more than the bytes.
const LEAST_BYTES: u32 = 16 * 1024;

/// How large a row is taken to be before any came.
const ROW_BYTES: u32 = 512;

/// How often one pass requests a page again that took too long.
pub(super) const SLOW_LIMIT: u32 = 2;

/// What a pass knows about its line beyond [`fieldpost_storage::LineSpeed`].
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The average size of the rows of the last page.
    row_bytes: Option<u32>,
    /// The server ends a page at the requested number of bytes.
    cuts_pages: bool,
    /// Something came in this pass: the line works.
    pub(super) works: bool,
    slow_calls: u32,
}

impl Pass {
    pub(super) fn know_server(&mut self, server: Option<&ServerInfo>) {
        if let Some(server) = server {
            self.line.cuts_pages = server.capabilities.contains(&Capability::PageBytes);
        }
    }

    /// The most bytes to request; none for the server's own limit.
    pub(super) fn page_bytes(&self) -> Option<u32> {
        self.slow_line_bytes().filter(|_| self.line.cuts_pages)
    }

    /// The most rows to request, of at most `full`, on a line that is too slow for full pages and a server that cannot
    /// end a page by its size.
    pub(super) fn rows_of_slow_line(&self) -> Option<u32> {
        let bytes = self.slow_line_bytes().filter(|_| !self.line.cuts_pages)?;
        Some((bytes / self.line.row_bytes.unwrap_or(ROW_BYTES).max(1)).max(1))
    }

    fn slow_line_bytes(&self) -> Option<u32> {
        within_target(self.memory.line.down).filter(|bytes| *bytes < self.memory.limits.page_bytes)
    }

    /// The limits of the next batch.
    pub(super) fn batch_limits(&self) -> BatchLimits {
        let mut limits = BatchLimits::from(self.memory.limits);
        limits.rows = self.memory.push_size.of(limits.rows);
        // Until something was sent, the way up is taken to be as slow as the way down.
        if let Some(bytes) = within_target(self.memory.line.up.or(self.memory.line.down)) {
            limits.bytes = limits.bytes.min(bytes);
        }
        limits
    }

    /// A page of this many rows came.
    pub(super) fn measure_down(&mut self, transfer: Transfer, rows: usize) {
        self.line.works = true;
        let rows = u32::try_from(rows).unwrap_or(u32::MAX).max(1);
        self.line.row_bytes = Some((transfer.bytes / rows).max(1));
        let full = self.memory.limits.page_bytes;
        if transfer.bytes >= TELLING_BYTES && !transfer.took.is_zero() {
            self.memory.line.down = averaged(self.memory.line.down, transfer.bytes, transfer.took, full);
        }
    }

    /// This batch was answered after `took`.
    pub(super) fn measure_up(&mut self, batch: &[Mutation], took: Duration) {
        self.line.works = true;
        if took < TELLING_TIME {
            self.memory.line.up = None;
            return;
        }
        let bytes = weight(batch);
        if bytes >= TELLING_BYTES {
            let full = self.memory.limits.push_bytes;
            self.memory.line.up = averaged(self.memory.line.up, bytes, took, full);
        }
    }

    /// The batch took too long: the next ones have half as many bytes.
    pub(super) fn batch_was_too_slow(&mut self) {
        self.memory.line.up = Some((weight(self.push.batch()) / 2 / TARGET_SECONDS).max(1));
    }

    /// A page took too long, or was cut off: the next ones are half as large.
    pub(super) fn page_was_cut_off(&mut self) {
        if planted(PlantedBug::LineForgotten) {
            return;
        }
        let rows = self.memory.page_size.of(self.memory.limits.page_rows);
        self.memory.page_size.slow_down(rows);
        let bytes = self.slow_line_bytes().unwrap_or(self.memory.limits.page_bytes);
        self.memory.line.down = Some((bytes / 2 / TARGET_SECONDS).max(1));
    }

    /// Whether to request a page that took too long again in this pass: the line works, so a smaller one may come.
    pub(super) const fn retries_slow_page(&mut self) -> bool {
        self.line.slow_calls += 1;
        self.line.works && self.line.slow_calls <= SLOW_LIMIT
    }
}

/// The approximate size of a batch as JSON.
fn weight(batch: &[Mutation]) -> u32 {
    let bytes: usize = batch.iter().map(|mutation| mutation.intent.wire_size()).sum();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What comes in the target time at this speed.
pub(super) fn within_target(speed: Option<u32>) -> Option<u32> {
    speed.map(|speed| speed.saturating_mul(TARGET_SECONDS).max(LEAST_BYTES))
}

/// The speed after one more measurement; none if it is enough for `full` bytes.
pub(super) fn averaged(before: Option<u32>, bytes: u32, took: Duration, full: u32) -> Option<u32> {
    let millis = took.as_millis().max(1);
    let measured = u32::try_from(u128::from(bytes) * 1000 / millis).unwrap_or(u32::MAX);
    let speed = before.map_or(measured, |before| before / 2 + measured / 2).max(1);
    within_target(Some(speed)).filter(|bytes| *bytes < full).map(|_| speed)
}
