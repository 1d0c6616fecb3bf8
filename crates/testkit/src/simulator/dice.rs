//! Random numbers for the parts of a run.

pub(super) use crate::chance::branch;

/// Picks one of the items that exist now; there may be more or fewer than when the number was drawn.
pub(super) fn pick<T: Copy>(from: &[T], number: u64) -> Option<T> {
    let length = from.len() as u64;
    let index = usize::try_from(number.checked_rem(length)?).ok()?;
    from.get(index).copied()
}
