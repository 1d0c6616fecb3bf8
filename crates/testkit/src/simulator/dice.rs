//! Chance that repeats, and does not depend on how often it was asked elsewhere.

/// `SplitMix64`: small, and the same on every machine and in every version.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; zero when there is none.
    pub(super) const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// Whether something happens that happens so many times out of a thousand.
    pub(super) const fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        pick(from, self.next())
    }
}

/// What a number means among things of which there may be more or fewer by now.
pub(super) fn pick<T: Copy>(from: &[T], number: u64) -> Option<T> {
    let length = from.len() as u64;
    let index = usize::try_from(number.checked_rem(length)?).ok()?;
    from.get(index).copied()
}

/// The chance of one part of a run: the same whatever other parts do.
pub(super) const fn branch(seed: u64, part: u64) -> Dice {
    let mut dice = Dice::new(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
    dice.next();
    dice
}
