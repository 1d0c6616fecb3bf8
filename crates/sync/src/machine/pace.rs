//! How many rows to send or request at once.

use fieldpost_storage::ReducedSize;

/// The size of batches and pages, relative to the server's limit. It is halved when a call fails and doubled when one
/// succeeds: at 64 kbit/s a full batch takes too long, but a quarter of it gets through.
pub(super) trait Pace {
    /// The number of rows, at most `full` and at least one. A server that states a limit of zero must not stop
    /// everything.
    fn of(self, full: u32) -> u32;

    /// Whether the size is below the server's limit.
    fn is_reduced(&self) -> bool;

    /// Reduces the size to half of `rows`, which were too many.
    fn slow_down(&mut self, rows: u32);

    /// Doubles the size after a success, up to `full`.
    fn speed_up(&mut self, full: u32);
}

impl Pace for ReducedSize {
    fn of(self, full: u32) -> u32 {
        self.rows.unwrap_or(full).min(full).max(1)
    }

    fn is_reduced(&self) -> bool {
        self.rows.is_some()
    }

    fn slow_down(&mut self, rows: u32) {
        self.rows = Some((rows / 2).max(1));
    }

    fn speed_up(&mut self, full: u32) {
        self.rows = self.rows.map(|rows| rows.saturating_mul(2)).filter(|rows| *rows < full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_halves_down_to_one_and_doubles_back_to_the_limit() {
        let mut pace = ReducedSize::default();
        assert_eq!(pace.of(500), 500);
        pace.slow_down(500);
        assert_eq!(pace.of(500), 250);
        pace.slow_down(1);
        assert_eq!(pace.of(500), 1);
        for expected in [2, 4, 8] {
            pace.speed_up(10);
            assert_eq!(pace.of(10), expected);
        }
        pace.speed_up(10);
        assert!(!pace.is_reduced());
        assert_eq!(pace.of(0), 1);
    }
}
