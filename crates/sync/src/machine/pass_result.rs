//! What a pass means for the schedule.

use super::Pass;
use crate::SyncError;
use fieldpost_domain::ConversationId;
use std::collections::{BTreeSet, HashSet};

/// What a pass means for the schedule. The lanes are sorted, so that each draws the same random wait in every run.
#[derive(Debug, Clone, Default)]
pub struct PassResult {
    /// Lanes that the pass was told to skip.
    pub held: HashSet<ConversationId>,
    /// Lanes whose mutation the server wants again later, or failed a whole call alone.
    pub waiting: BTreeSet<ConversationId>,
    /// Lanes with a mutation that was acknowledged or refused.
    pub moved: BTreeSet<ConversationId>,
    /// The pass has queued something to send: another pass is needed.
    pub more_to_push: bool,
    /// The pass has queued marks of what has arrived: they ride with the next push, or go by themselves after a while.
    pub delivered: bool,
    /// Why the pass as a whole failed; none if it succeeded or only lanes failed.
    pub connection: Option<SyncError>,
}

impl Pass {
    /// Skips these lanes.
    #[must_use]
    pub fn holding(mut self, lanes: HashSet<ConversationId>) -> Self {
        self.push.skip(lanes);
        self
    }

    /// The result of the pass, if it ended with this error.
    #[must_use]
    pub fn result(&self, error: Option<&SyncError>) -> PassResult {
        let (held, waiting, moved) = self.push.lanes();
        // A push error that did not end the pass is the lanes' own, unless too many failed in a row.
        let only_lanes_failed = self.ended_well && self.push.blames_lanes();
        let connection = error.filter(|_| !only_lanes_failed).cloned();
        let (more_to_push, delivered) = (self.follow.has_marked_again(), self.follow.has_delivered());
        PassResult { held, waiting, moved, more_to_push, delivered, connection }
    }
}
