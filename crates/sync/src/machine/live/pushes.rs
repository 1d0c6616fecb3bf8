//! Hints of this device's own pushes, which ask for no pull.
//!
//! A hint with the tag of a push tells of that push's transaction and of no other one: each transaction sends hints of its own.
//! And the device learns what its transaction has changed from the answer: if the answer is quiet, it holds all of it, and if not, a pull
//! follows anyway. If the answer is lost, the push is repeated. So nothing is missed by not pulling for such a hint, whether it
//! comes before the answer, after it, or twice.

use fieldpost_domain::{
    PushTag,
    planted::{PlantedBug, planted},
};
use std::collections::VecDeque;

/// How many pushes to remember. A hint that comes later than this many pushes costs a pull.
const REMEMBERED: usize = 16;

/// The last pushes.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnPushes(VecDeque<PushTag>);

impl OwnPushes {
    pub(super) fn add(&mut self, push: PushTag) {
        self.0.retain(|known| *known != push);
        self.0.push_back(push);
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    pub(super) fn is_own(&self, push: PushTag) -> bool {
        self.0.contains(&push) || planted(PlantedBug::EveryPushIsOwn)
    }
}
