//! Whose turn it is to sync the records.

use crate::turn::TurnFile;
use fieldpost_domain::Time;
use fieldpost_storage::{MutationIds, RandomIds};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

/// The turn, and the name of the pass that has it. What an earlier pass has taken is not under way any more.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) turn: TurnFile,
    name: Mutex<Uuid>,
}

impl Pass {
    pub(crate) fn beside(database: &Path) -> Self {
        Self { turn: TurnFile::beside(database, "-records-turn"), name: Mutex::new(random()) }
    }

    pub(crate) fn name(&self) -> Uuid {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = random();
    }
}

/// No other pass has it, in any process.
fn random() -> Uuid {
    RandomIds.new_id(Time::UNIX_EPOCH).as_uuid()
}
