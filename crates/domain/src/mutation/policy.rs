//! How the outbox treats each kind of mutation.

use crate::Capability;

/// How the outbox treats the mutations of one kind. The layers decide by this policy and have no lists of kinds. A
/// store saves the parts that its queries need beside each mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// It opens the conversation of its lane. If it is refused, the whole lane is parked with it and waits for the
    /// person.
    pub opens: bool,
    /// Whose messages it may change, if it changes any.
    pub changes: Target,
    /// It expires after the ttl.
    pub expires: bool,
    /// Who decides about it when it is refused.
    pub decision: Decision,
    /// Which earlier mutations it replaces, if they were never attempted.
    pub replaces: Replaces,
    /// It is something that the person waits for: it is listed and counted. Otherwise the store records it itself.
    pub counts: bool,
    /// The capability that it needs; it is not sent before the server has named it.
    pub needs: Option<Capability>,
}

/// Whose messages a mutation may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// None.
    None,
    /// One's own.
    Own,
    /// One's own, and an admin's also those of others in the org.
    OwnOrAsAdmin,
    /// Anybody's: it adds to a message and changes nothing of it.
    Anybodys,
    /// Those of others: it says something about a message, which stays as it is.
    Others,
}

/// Who decides about a refused mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The person: it becomes a dead letter, which can be retried, edited or cancelled.
    Person,
    /// Nobody: no content can be lost. It cannot be cancelled, and leaves the outbox when it is refused.
    Nobody,
}

/// Which earlier mutations a mutation replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    /// None.
    Nothing,
    /// Those of the same kind in its lane.
    InLane,
    /// Those of the same kind that change the same message, and the same part of it ([`super::Intent::slot`]).
    OfTarget,
    /// All that change the same message. One that leaves it as it is stays ([`Policy::leaves_as_is`]).
    ChangesOfTarget,
}

impl Policy {
    /// For a kind that this version does not know: it is only kept for the person.
    pub(super) const UNKNOWN: Self = Self {
        opens: false,
        changes: Target::None,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::Nothing,
        counts: true,
        needs: None,
    };

    /// Whether its message shows the same with it as without it.
    #[must_use]
    pub const fn leaves_as_is(&self) -> bool {
        matches!(self.changes, Target::Others)
    }

    /// Whether a refusal leaves a dead letter.
    #[must_use]
    pub const fn becomes_dead_letter(&self) -> bool {
        matches!(self.decision, Decision::Person)
    }
}
