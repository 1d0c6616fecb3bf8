//! Repeatable randomness.

use crate::SeededRandom;
use fieldpost_sync::Entropy;
use std::sync::{Mutex, PoisonError};

/// The random numbers of one part of a run; other parts do not affect them.
pub(crate) const fn branch(seed: u64, part: u64) -> SeededRandom {
    let mut random = SeededRandom::new(seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93));
    random.next();
    random
}

/// Random bytes from a seed.
#[derive(Debug)]
pub struct SeededEntropy {
    random: Mutex<SeededRandom>,
}

/// Separates the device's ids from the server's: the same seed must not give both the same ids.
const APART: u64 = 0x6a09_e667_f3bc_c908;

impl SeededEntropy {
    /// The same seed gives the same bytes.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { random: Mutex::new(SeededRandom::new(seed ^ APART)) }
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> [u8; 10] {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).ten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_again_and_others_than_a_server_of_that_seed() {
        let bytes = SeededEntropy::new(7).bytes();
        assert_eq!(bytes, SeededEntropy::new(7).bytes());
        assert_ne!(bytes, SeededEntropy::new(8).bytes());
        assert_ne!(bytes, SeededRandom::new(7).ten());
    }
}
