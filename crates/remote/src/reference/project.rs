//! What somebody else's project adds to the tables: its own triggers and policies.
//!
//! Fieldpost is a guest in such a project. It must not deliver what the project hides. A refusal of the project must
//! reach the author in the project's own words. What the project changes must look the same to everybody.

use super::push::SubmittedMessage;
use fieldpost_domain::{Message, PersonId, Refusal};
#[cfg(feature = "records")]
use fieldpost_domain::{
    Role,
    records::{RecordRefusal, RecordRow},
};
use std::{fmt, sync::Arc};

/// The triggers and policies of a project. The default methods add nothing.
pub trait Project: Send + Sync {
    /// Whether it has policies that hide messages at all. If so, a page states which numbers it covers.
    fn hides(&self) -> bool {
        false
    }

    /// Whether its policies show a message to a reader who sees its conversation.
    fn shows(&self, message: &Message, reader: PersonId) -> bool {
        let _ = (message, reader);
        true
    }

    /// Applies the project's triggers to a message that somebody sends.
    ///
    /// # Errors
    /// A trigger, a constraint or a policy of the project refuses the row, in its own words.
    fn stores(&self, message: &mut SubmittedMessage, author: PersonId) -> Result<(), Refusal> {
        let _ = (message, author);
        Ok(())
    }

    /// Whether its policies show a record to a member of the record's org.
    #[cfg(feature = "records")]
    fn shows_record(&self, row: &RecordRow, reader: PersonId, role: &Role) -> bool {
        let _ = (row, reader, role);
        true
    }

    /// Applies the project's triggers and policies to a record that a member of its org creates or changes. `before` is
    /// the row that is there.
    ///
    /// # Errors
    /// A trigger, a constraint or a policy of the project refuses the row.
    #[cfg(feature = "records")]
    fn stores_record(
        &self,
        before: Option<&RecordRow>,
        row: &mut RecordRow,
        (author, role): (PersonId, &Role),
    ) -> Result<(), RecordRefusal> {
        let _ = (before, row, author, role);
        Ok(())
    }

    /// The same for a record that somebody deletes who may do so.
    ///
    /// # Errors
    /// A trigger, a constraint or a policy of the project refuses it.
    #[cfg(feature = "records")]
    fn removes_record(&self, row: &RecordRow, (author, role): (PersonId, &Role)) -> Result<(), RecordRefusal> {
        let _ = (row, author, role);
        Ok(())
    }
}

/// A project without its own triggers and policies.
struct Plain;

impl Project for Plain {}

/// The project that owns the tables.
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
