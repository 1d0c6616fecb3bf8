//! Ids that repeat.

use crate::SeededRandom;
use fieldpost_sync::Entropy;
use std::sync::{Mutex, PoisonError};

/// Bytes that follow from a seed.
#[derive(Debug)]
pub struct SeededEntropy {
    random: Mutex<SeededRandom>,
}

impl SeededEntropy {
    /// The same seed gives the same bytes.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { random: Mutex::new(SeededRandom::new(seed)) }
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> [u8; 10] {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).ten()
    }
}
