//! Whether an immediate change is sent at once, whatever else its process does.

use fieldpost_domain::{
    MutationId,
    records::{Priority, RecordMutation},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many other calls a process may begin after an immediate change was written and before it is sent: one of each side
/// that was about to begin, and as many again if the token has to be renewed.
const CALLS: u32 = 4;

/// Follows the immediate changes that a process writes.
#[derive(Debug, Default)]
pub(super) struct Urgent(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The change, and how many calls have begun since it was written.
    waiting: Option<(MutationId, u32)>,
    /// Something failed or was put off, so a change may have to wait.
    troubled: bool,
    /// How urgent each change was when it was read.
    read: BTreeMap<MutationId, Priority>,
}

impl Urgent {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process was told of an immediate change that nothing holds back.
    pub(super) fn wrote(&self, change: MutationId) {
        let mut state = self.state();
        if !state.troubled {
            state.waiting = Some((change, 0));
        }
    }

    /// Until [`Urgent::calm`], changes may wait.
    pub(super) fn trouble(&self) {
        let mut state = self.state();
        (state.waiting, state.troubled) = (None, true);
    }

    /// A new pass tries everything again.
    pub(super) fn calm(&self) {
        self.state().troubled = false;
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.state().troubled
    }

    /// These changes were read.
    pub(super) fn read(&self, changes: &[RecordMutation]) {
        self.state().read.extend(changes.iter().map(|change| (change.id, change.priority)));
    }

    /// Whether a change was immediate when it was read.
    pub(super) fn was_immediate(&self, change: MutationId) -> bool {
        self.state().read.get(&change) == Some(&Priority::Immediate)
    }

    /// A call begins that sends these changes. Returns a change that should have been sent before it.
    pub(super) fn begins(&self, sent: &[MutationId]) -> Option<MutationId> {
        let mut state = self.state();
        let (change, calls) = state.waiting.as_mut()?;
        if sent.contains(change) {
            state.waiting = None;
            return None;
        }
        *calls += 1;
        if *calls <= CALLS {
            return None;
        }
        let change = *change;
        state.waiting = None;
        Some(change)
    }
}
