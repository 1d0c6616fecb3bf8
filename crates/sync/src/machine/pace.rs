//! How much to ask for at once.

use fieldpost_storage::ReducedSize;

/// A share of what the server accepts, halved when a call came to nothing and doubled when one went well. On a line that
/// carries 64 kbit/s a full batch takes longer than anybody waits; half of a half of it gets through.
pub(super) trait Pace {
    /// How many rows, of at most `full`. Never none: a server that states nonsense must not bring everything to a halt.
    fn of(self, full: u32) -> u32;

    /// Whether less is asked for than the server accepts.
    fn is_reduced(&self) -> bool;

    /// So many rows were too many.
    fn slow_down(&mut self, rows: u32);

    /// What was asked for came through.
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
    fn a_pace_halves_down_to_one_and_doubles_back_to_everything() {
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
