//! How many rows to request or send at once.

use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_storage::ReducedSize;

/// How many calls of the full size must get through before a size that was refused is tried again.
const PATIENCE: u32 = 64;

/// Steps smaller than this share of the size are not worth a call that may be refused.
const SMALLEST_STEP: u32 = 8;

/// A batch or page size below the server's limit.
///
/// A line that fails says nothing about the next call: after it the size halves, and doubles with each success. A server
/// that refuses a size because it is too much says so every time: the size that it refused is kept, and the size grows
/// towards it in halves of what is left, until the steps are small. Then it stays for a while.
pub(super) trait Pace {
    /// The size, at most `full`. At least 1: nonsensical limits must not stop the sync.
    fn of(self, full: u32) -> u32;

    /// The line failed at this many rows.
    fn slow_down(&mut self, rows: u32);

    /// This many rows were refused because they were too many. Returns whether fewer may pass.
    fn refuse(&mut self, rows: u32) -> bool;

    /// This many rows got through.
    fn speed_up(&mut self, full: u32, rows: u32);
}

impl Pace for ReducedSize {
    fn of(self, full: u32) -> u32 {
        self.rows.unwrap_or(full).min(full).max(1)
    }

    fn slow_down(&mut self, rows: u32) {
        self.rows = Some((rows / 2).max(1));
    }

    fn refuse(&mut self, rows: u32) -> bool {
        if planted(PlantedBug::SizeForgotten) {
            return false;
        }
        *self = Self { rows: Some((rows / 2).max(1)), refused: Some(rows), passed: 0 };
        rows > 1
    }

    fn speed_up(&mut self, full: u32, rows: u32) {
        let Some(size) = self.rows else { return };
        let next = match self.refused.filter(|refused| *refused > size) {
            None => size.saturating_mul(2),
            // Fewer rows than the size say nothing about more.
            Some(_) if rows < size => return,
            Some(refused) => {
                let step = (refused - size) / 2;
                if step > size / SMALLEST_STEP {
                    size + step
                } else if self.passed < PATIENCE {
                    self.passed += 1;
                    return;
                } else {
                    self.refused = None;
                    size.saturating_mul(2)
                }
            }
        };
        *self = if next < full { Self { rows: Some(next), refused: self.refused, passed: 0 } } else { Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failed_line_the_size_halves_down_to_one_and_doubles_back_to_the_limit() {
        let mut pace = ReducedSize::default();
        assert_eq!(pace.of(500), 500);
        pace.slow_down(500);
        assert_eq!(pace.of(500), 250);
        pace.slow_down(1);
        assert_eq!(pace.of(500), 1);
        for expected in [2, 4, 8] {
            pace.speed_up(10, 1);
            assert_eq!(pace.of(10), expected);
        }
        pace.speed_up(10, 1);
        assert_eq!(pace, ReducedSize::default());
        assert_eq!(pace.of(0), 1);
    }

    /// Calls of the full size until `calls` have been made; those above `most` are refused. Returns how many were.
    fn refused_of(pace: &mut ReducedSize, calls: u32, most: u32) -> u32 {
        let mut refused = 0;
        for _ in 0..calls {
            let rows = pace.of(500);
            if rows > most {
                assert!(pace.refuse(rows), "a single row passes");
                refused += 1;
            } else {
                pace.speed_up(500, rows);
            }
        }
        refused
    }

    #[test]
    fn a_size_that_the_server_refuses_is_found_in_a_few_calls_and_seldom_tried_again() {
        for most in [1, 2, 3, 7, 56, 100, 112, 250, 400, 499] {
            let mut pace = ReducedSize::default();
            let first = refused_of(&mut pace, 20, most);
            let found = pace.of(500);
            assert!(found <= most && found >= most - most / 3, "{found} of {most}");
            assert!(first <= 10, "{first} of {most}");
            let later = refused_of(&mut pace, 1000, most);
            assert!(later <= 80, "{later} of 1000 calls were refused at {most}");
        }
    }

    #[test]
    fn a_server_that_takes_more_again_gets_more() {
        let mut pace = ReducedSize::default();
        refused_of(&mut pace, 20, 100);
        assert_eq!(refused_of(&mut pace, 500, 500), 0);
        assert_eq!(pace, ReducedSize::default());
    }

    #[test]
    fn small_calls_do_not_raise_a_size_that_was_refused() {
        let mut pace = ReducedSize::default();
        assert!(pace.refuse(100));
        for _ in 0..1000 {
            pace.speed_up(500, 3);
        }
        assert_eq!(pace.of(500), 50);
    }
}
