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
//! * Whatever goes wrong here is the error of the pass, which goes on.

use super::{Effect, Event, Pass};

impl Pass {
    /// What to do first when something was written while the pass follows.
    #[must_use]
    pub fn push_meanwhile(&mut self) -> Effect {
        self.push.clear_batch();
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
            Event::StorageFailed(error) => {
                self.push_error = Some(error.into());
                return self.over_meanwhile();
            }
            Event::SessionFailed(error) => {
                self.push_error = Some(error);
                return self.over_meanwhile();
            }
            _ => return self.over_meanwhile(),
        };
        self.after_meanwhile(effect)
    }

    /// What follows an effect that this loop has left behind it: an attempt that was withdrawn.
    #[must_use]
    pub fn after_meanwhile(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Finish(outcome) => {
                self.push_error = outcome.error.or_else(|| self.push_error.take());
                self.over_meanwhile()
            }
            Effect::ReadState => self.over_meanwhile(),
            effect => Some(effect),
        }
    }

    fn over_meanwhile(&mut self) -> Option<Effect> {
        self.push.clear_batch();
        None
    }
}
