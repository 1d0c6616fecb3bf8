//! What is known about a decision when its process may have been killed before reporting the result.

/// Whether something was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Withdrawal {
    #[default]
    No,
    /// The process was about to cancel it; the result is unknown.
    Perhaps,
    /// The SDK confirmed it.
    Yes,
}

impl Withdrawal {
    pub(super) fn announce(&mut self) {
        *self = Self::Perhaps.max(*self);
    }

    /// The cancel was refused, so the item exists; an earlier cancel that was killed had no effect either.
    pub(super) fn give_up(&mut self) {
        if *self == Self::Perhaps {
            *self = Self::No;
        }
    }

    pub(super) fn promise(&mut self) {
        *self = Self::Yes;
    }
}

/// The texts that a message may have.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The last accepted text; none while only attempted texts are known.
    accepted: Option<String>,
    /// The texts attempted since.
    perhaps: Vec<String>,
    changed: bool,
}

impl Text {
    pub(super) fn accept(&mut self, text: String) {
        self.accepted = Some(text);
    }

    pub(super) fn announce(&mut self, text: String) {
        self.perhaps.push(text);
    }

    pub(super) fn decide(&mut self, done: bool) {
        let last = self.perhaps.pop();
        if done {
            self.accepted = last;
            self.perhaps.clear();
            self.changed = true;
        }
    }

    pub(super) const fn was_changed(&self) -> bool {
        self.changed
    }

    /// The text that was expected instead; none if this one is allowed.
    pub(super) fn instead_of(&self, text: &str) -> Option<&str> {
        self.accepted.as_deref().filter(|accepted| *accepted != text && self.perhaps.iter().all(|one| one != text))
    }
}
