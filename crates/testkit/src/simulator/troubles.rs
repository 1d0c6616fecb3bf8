//! Writes that fail before they are committed.

use super::step::Trouble;
use fieldpost_storage::{StorageError, StorageErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Stands in the errors that were ordered, so that no other passes for one.
pub(super) const ORDERED: &str = "ordered by the simulator";

/// What a device's store does for now.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<Vec<(u8, Trouble)>>);

impl Troubles {
    fn ordered(&self) -> MutexGuard<'_, Vec<(u8, Trouble)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of the next writes fails.
    pub(crate) fn order(&self, skip: u8, trouble: Trouble) {
        self.ordered().push((skip, trouble));
    }

    /// All is well from now on.
    pub(crate) fn heal(&self) {
        self.ordered().clear();
    }

    /// What becomes of the next write: none if it is carried out.
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

/// Whether a write failed because that was ordered.
pub(crate) fn was_ordered(error: &StorageError) -> bool {
    error.detail() == Some(ORDERED)
}
