//! Chance by the part of a run.

use crate::SeededRandom;

/// What a number means among things of which there may be more or fewer by now.
pub(super) fn pick<T: Copy>(from: &[T], number: u64) -> Option<T> {
    let length = from.len() as u64;
    let index = usize::try_from(number.checked_rem(length)?).ok()?;
    from.get(index).copied()
}

/// The chance of one part of a run: the same whatever other parts do.
pub(super) const fn branch(seed: u64, part: u64) -> SeededRandom {
    let mut dice = SeededRandom::new(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
    dice.next();
    dice
}
