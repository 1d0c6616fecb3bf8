//! Writes that fail before they are committed.

use super::step::Trouble;
use fieldpost_storage::{StorageError, StorageErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Marks errors that the simulator ordered, so that no other error passes for one.
pub(super) const ORDERED: &str = "ordered by the simulator";

/// The ordered failures of a device's store.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<Vec<(u8, Trouble)>>);

impl Troubles {
    fn ordered(&self) -> MutexGuard<'_, Vec<(u8, Trouble)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one of the next writes fail.
    pub(crate) fn order(&self, skip: u8, trouble: Trouble) {
        self.ordered().push((skip, trouble));
    }

    /// Cancels all failures.
    pub(crate) fn heal(&self) {
        self.ordered().clear();
    }

    /// Decides about the next write: an error if it must fail.
    pub(super) fn next(&self, operation: &'static str) -> Result<(), StorageError> {
        let mut ordered = self.ordered();
        let due = ordered.iter().position(|(skip, _)| *skip == 0);
        for (skip, _) in ordered.iter_mut() {
            *skip = skip.saturating_sub(1);
        }
        let Some(due) = due else { return Ok(()) };
        let kind = match ordered.remove(due).1 {
            Trouble::Busy => StorageErrorKind::Busy,
            Trouble::Full => StorageErrorKind::Full,
            Trouble::Broken => StorageErrorKind::Other,
        };
        Err(StorageError::new(kind, operation).with_detail(ORDERED))
    }
}

/// Whether the simulator ordered the failure.
pub(crate) fn was_ordered(error: &StorageError) -> bool {
    error.detail() == Some(ORDERED)
}
