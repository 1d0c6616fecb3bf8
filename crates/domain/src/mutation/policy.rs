//! What a kind of mutation means for the outbox.

use crate::Capability;

/// What the outbox does with the mutations of a kind. Everything that the layers decide by kind is decided by this: they have
/// no lists of kinds. A store keeps what its queries need of it beside each mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// It opens the conversation of its lane. If that is refused, everything in the lane waits for a person with it.
    pub opens: bool,
    /// Whose messages it may change, if it changes one.
    pub changes: Target,
    /// It may wait too long to be worth sending.
    pub expires: bool,
    /// Whether a person decides about it.
    pub decision: Decision,
    /// Which mutations it takes the place of, as long as those were never attempted.
    pub replaces: Replaces,
    /// What the server must be able to do before it is sent; it waits until then.
    pub needs: Option<Capability>,
}

/// Whose messages a mutation may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// It changes none.
    None,
    /// Those that the same person wrote.
    Own,
}

/// Whether a person decides about a mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// What is refused becomes a dead letter; a person sends it again, changes it or takes it back.
    Person,
    /// Nothing of it could be lost: it can neither be taken back nor become a dead letter, and what is refused leaves.
    Nobody,
}

/// Which earlier mutations one takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaces {
    /// None.
    Nothing,
    /// The one of its kind in its lane.
    InLane,
    /// The ones of its kind that change the same message.
    OfTarget,
}

impl Policy {
    /// Of a kind that this version does not know: nothing is done with it but to keep it for a person.
    pub(super) const UNKNOWN: Self = Self {
        opens: false,
        changes: Target::None,
        expires: false,
        decision: Decision::Person,
        replaces: Replaces::Nothing,
        needs: None,
    };

    /// Whether a refusal leaves a dead letter.
    #[must_use]
    pub const fn becomes_dead_letter(&self) -> bool {
        matches!(self.decision, Decision::Person)
    }
}
