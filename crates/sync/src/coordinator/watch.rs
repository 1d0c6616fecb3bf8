//! The stream of states.

use super::{ConnectionKind, ContextState, Coordinator};
use crate::{RecordStatus, Status};
use tokio::sync::watch;

/// What the coordinator itself knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) connection: ConnectionKind,
    /// How many syncs of both sides are running.
    pub(super) triggered: u32,
}

/// The state and its changes: read it with [`ContextWatch::state`], wait for the next change with
/// [`ContextWatch::changed`].
#[derive(Debug, Clone)]
pub struct ContextWatch {
    records: watch::Receiver<RecordStatus>,
    messages: watch::Receiver<Status>,
    own: watch::Receiver<Own>,
}

impl ContextWatch {
    pub(super) fn of(coordinator: &Coordinator) -> Self {
        Self {
            records: coordinator.records.status(),
            messages: coordinator.messages.status(),
            own: coordinator.own.subscribe(),
        }
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> ContextState {
        let own = *self.own.borrow();
        ContextState {
            records: self.records.borrow().clone(),
            messages: self.messages.borrow().clone(),
            connection: own.connection,
            triggered: own.triggered > 0,
        }
    }

    /// Waits for the next change and returns the state after it; none once the coordinator is gone. Dropping the future
    /// loses nothing.
    pub async fn changed(&mut self) -> Option<ContextState> {
        let changed = tokio::select! {
            changed = self.records.changed() => changed,
            changed = self.messages.changed() => changed,
            changed = self.own.changed() => changed,
        };
        changed.ok()?;
        self.records.mark_unchanged();
        self.messages.mark_unchanged();
        self.own.mark_unchanged();
        Some(self.state())
    }
}
