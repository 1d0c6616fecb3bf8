//! What a project of somebody else's adds to the tables: its own triggers and policies.
//!
//! Fieldpost is a guest there. What such a project hides must not be delivered, what it refuses must reach its author in its
//! own words, and what it changes must look the same to everybody.

use super::push::SubmittedMessage;
use fieldpost_domain::{Message, PersonId, Refusal};
use std::{fmt, sync::Arc};

/// The triggers and policies of a project. Whoever overrides nothing adds nothing.
pub trait Project: Send + Sync {
    /// Whether it has policies that hide messages at all. Where it has, a page says which numbers it covers.
    fn hides(&self) -> bool {
        false
    }

    /// Whether its policies show a message to somebody who sees its conversation.
    fn shows(&self, message: &Message, reader: PersonId) -> bool {
        let _ = (message, reader);
        true
    }

    /// What its triggers make of a message that somebody sends.
    ///
    /// # Errors
    /// A trigger, a constraint or a policy of its own refuses the row, in its own words.
    fn stores(&self, message: &mut SubmittedMessage, author: PersonId) -> Result<(), Refusal> {
        let _ = (message, author);
        Ok(())
    }
}

/// A project without triggers and policies of its own.
struct Plain;

impl Project for Plain {}

/// The project whose tables these are.
#[derive(Clone)]
pub(super) struct OfProject(pub(super) Arc<dyn Project>);

impl Default for OfProject {
    fn default() -> Self {
        Self(Arc::new(Plain))
    }
}

impl fmt::Debug for OfProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfProject").field("hides", &self.0.hides()).finish_non_exhaustive()
    }
}
