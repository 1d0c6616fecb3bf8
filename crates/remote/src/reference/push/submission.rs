//! A mutation as it stands on the wire: looser than [`Mutation`], whose type already rules out what a server has to refuse.

use super::kinds::Task;
use fieldpost_domain::{Mutation, MutationId, PushOutcome};

/// One element of a batch.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The mutation's own id, echoed; none if the element had none that can be read.
    pub id: Option<MutationId>,
    /// What is to be done.
    pub task: Task,
}

/// The answer to one element.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmissionResult {
    /// As submitted.
    pub id: Option<MutationId>,
    /// What became of it.
    pub outcome: PushOutcome,
    /// Whether it was done now, not by an earlier attempt: `applied` against `duplicate`.
    pub applied: bool,
}

impl From<&Mutation> for Submission {
    fn from(mutation: &Mutation) -> Self {
        Self { id: Some(mutation.id), task: Task::from(&mutation.intent) }
    }
}
