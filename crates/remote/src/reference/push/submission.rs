//! A mutation in its wire form: looser than [`Mutation`], whose type already excludes what a server has to refuse.

use super::kinds::Task;
use fieldpost_domain::{Mutation, MutationId, PushOutcome};

/// One element of a batch.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The mutation's own id, echoed; none if the element has no readable id.
    pub id: Option<MutationId>,
    /// The mutation.
    pub task: Task,
}

/// The result of one element.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmissionResult {
    /// The id as submitted.
    pub id: Option<MutationId>,
    /// The outcome.
    pub outcome: PushOutcome,
    /// Whether it was applied now and not by an earlier attempt: `applied` versus `duplicate`.
    pub applied: bool,
}

impl From<&Mutation> for Submission {
    fn from(mutation: &Mutation) -> Self {
        Self { id: Some(mutation.id), task: Task::from(&mutation.intent) }
    }
}
