//! Pushing while the pass follows.
//!
//! A bootstrap may take minutes, and a message that the person writes meanwhile must not wait for its end. So once the
//! pass has left its push phase, the driver may run a second, smaller loop beside it: batches of the outbox until nothing
//! sendable is left, as in the push phase, with the same held lanes and the same sizes. The calls of both loops overlap;
//! the store takes their transactions one after the other.
//!
//! What must stay true:
//!
//! * Only one of the two pushes at a time. The driver holds a lock while the pass is in its push phase and once it ends.
//! * To the store it looks as if the pass had been interrupted between two pages and begun again, which every page
//!   survives.
//! * A digest describes the moment of its page. If a push settled something since the page was requested, the two cannot
//!   be compared, and the pass pulls once more.
//! * Whatever goes wrong here is the error of the pass, which goes on; except that once the server has asked one of the
//!   two to slow down, neither makes another call.

use super::{Effect, Event, Outcome, Pass};
use crate::SyncError;

impl Pass {
    /// What to do first when something was written while the pass follows.
    #[must_use]
    pub fn push_meanwhile(&mut self) -> Effect {
        self.push.clear_batch();
        self.quiet = super::quiet::Quiet::No;
        self.read_batch()
    }

    /// As [`Pass::next`] for this loop; none when it is over.
    #[must_use]
    pub fn next_meanwhile(&mut self, event: Event) -> Option<Effect> {
        let effect = match event {
            Event::Batch(mutations) => self.on_batch(mutations),
            Event::Pushed(answer) => {
                // Now, and not once it is settled: the page may be applied between the two.
                self.follow.disturb();
                self.on_pushed(answer)
            }
            Event::Settled(report) => self.on_settled(&report),
            Event::StorageFailed(error) => return self.failed_meanwhile(error.into()),
            Event::SessionFailed(error) => return self.failed_meanwhile(error),
            _ => return self.over_meanwhile(),
        };
        self.after_meanwhile(effect)
    }

    /// What follows an effect that this loop has left behind it: an attempt that was withdrawn.
    #[must_use]
    pub fn after_meanwhile(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Finish(Outcome { error: Some(error), .. }) => self.failed_meanwhile(error),
            Effect::Finish(_) | Effect::ReadState => self.over_meanwhile(),
            // Nothing is called any more; what was read for this batch was not sent.
            Effect::Push(_) if self.told_to_wait.is_some() => Some(self.withdraw_before(|_| Effect::ReadState)),
            Effect::ReadBatch { .. } if self.told_to_wait.is_some() => self.over_meanwhile(),
            effect => Some(effect),
        }
    }

    /// Pushing failed as a whole: no lane is to blame.
    fn failed_meanwhile(&mut self, error: SyncError) -> Option<Effect> {
        self.note_wait(&error);
        self.push.fail_batch();
        self.push_error = Some(error);
        self.over_meanwhile()
    }

    fn over_meanwhile(&mut self) -> Option<Effect> {
        self.push.clear_batch();
        None
    }
}
