//! Random numbers for the parts of a run.

use crate::SeededRandom;

/// Picks one of the items that exist now; there may be more or fewer than when the number was drawn.
pub(super) fn pick<T: Copy>(from: &[T], number: u64) -> Option<T> {
    let length = from.len() as u64;
    let index = usize::try_from(number.checked_rem(length)?).ok()?;
    from.get(index).copied()
}

/// The random numbers of one part of a run; other parts do not affect them.
pub(super) const fn branch(seed: u64, part: u64) -> SeededRandom {
    let mut dice = SeededRandom::new(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
    dice.next();
    dice
}
