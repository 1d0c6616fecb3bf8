//! Who has taken changes.

use std::sync::atomic::{AtomicU64, Ordering};

/// The pass that a handle makes, by a number that no other handle and no other pass has. What an earlier one has taken is
/// not under way any more.
#[derive(Debug)]
pub(in crate::memory) struct Pass(AtomicU64);

static NEXT: AtomicU64 = AtomicU64::new(1);

impl Default for Pass {
    fn default() -> Self {
        Self(AtomicU64::new(NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Pass {
    pub(super) fn number(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// The handle has got the turn.
    pub(super) fn begin(&self) {
        self.0.store(NEXT.fetch_add(1, Ordering::Relaxed), Ordering::SeqCst);
    }
}
