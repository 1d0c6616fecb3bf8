//! Repeatable random numbers.

/// Random numbers from a seed: `SplitMix64`, which is small and gives the same numbers on every machine and in every
/// version.
///
/// All randomness in tests comes from here: the server's ids, the simulator's schedules, a proxy's faults. No real
/// secret depends on it.
#[derive(Debug, Clone)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// The same seed gives the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, any.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; zero if `end` is zero.
    pub const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// True with a probability of `per_mille` in a thousand.
    pub const fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// True with a probability of one in `times`.
    pub const fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these; none if the slice is empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.next().checked_rem(from.len() as u64)?;
        from.get(usize::try_from(index).ok()?)
    }

    /// Ten bytes for [`fieldpost_domain::MessageId::from_parts`] and its like.
    pub fn ten(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.next().to_le_bytes()[..2]);
        bytes
    }

    /// `length` characters of the base64url alphabet.
    pub(super) fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..length).map(|_| char::from(ALPHABET[(self.next() % 64) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        assert_eq!(SeededRandom::new(7).ten(), SeededRandom::new(7).ten());
        assert_ne!(SeededRandom::new(7).ten(), SeededRandom::new(8).ten());
    }

    #[test]
    fn of_nothing_nothing_is_picked_and_of_something_everything_at_some_time() {
        let mut random = SeededRandom::new(7);
        assert_eq!((random.below(0), random.pick::<u8>(&[])), (0, None));
        let picked: std::collections::BTreeSet<_> = (0..100).filter_map(|_| random.pick(&[1, 2, 3]).copied()).collect();
        assert_eq!(picked.len(), 3);
    }
}
