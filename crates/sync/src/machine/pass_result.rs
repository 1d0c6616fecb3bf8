//! What a pass means for when the next one runs.

use super::Pass;
use crate::SyncError;
use fieldpost_domain::ConversationId;
use std::collections::{BTreeSet, HashSet};

/// What a pass means for when the next one runs. In an order of its own, so that whoever draws lots for the lanes draws the
/// same ones every time.
#[derive(Debug, Clone, Default)]
pub struct PassResult {
    /// Lanes that the pass left alone because it was told to.
    pub held: HashSet<ConversationId>,
    /// Lanes whose mutation the server wants again later, or that made a whole call fail alone.
    pub waiting: BTreeSet<ConversationId>,
    /// Lanes of which something got an answer for good.
    pub moved: BTreeSet<ConversationId>,
    /// What the server said made something wait again: another pass is worth its while.
    pub more_to_push: bool,
    /// Why the pass as a whole came to nothing; none if it got through, or if only lanes are to blame.
    pub connection: Option<SyncError>,
}

impl Pass {
    /// Leaves these lanes alone.
    #[must_use]
    pub fn holding(mut self, lanes: HashSet<ConversationId>) -> Self {
        self.push.leave_alone(lanes);
        self
    }

    /// What it means that the pass ended with this.
    #[must_use]
    pub fn result(&self, error: Option<&SyncError>) -> PassResult {
        let (held, waiting, moved) = self.push.lanes();
        // An error that was kept while the pass went on to its end is the lanes' own, unless too many failed in a row.
        let only_lanes = self.ended_well && self.push.blames_lanes();
        let connection = error.filter(|_| !only_lanes).cloned();
        PassResult { held, waiting, moved, more_to_push: self.follow.has_marked_again(), connection }
    }
}
