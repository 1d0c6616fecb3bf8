//! What is known of a decision whose process may have been killed before it could say how it went.

/// Whether something was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Withdrawal {
    #[default]
    No,
    /// Somebody was about to; nobody knows.
    Perhaps,
    /// It was promised.
    Yes,
}

impl Withdrawal {
    pub(super) fn announce(&mut self) {
        *self = Self::Perhaps.max(*self);
    }

    /// It was refused, so it is there; an earlier attempt that was killed has come to nothing too.
    pub(super) fn give_up(&mut self) {
        if *self == Self::Perhaps {
            *self = Self::No;
        }
    }

    pub(super) fn promise(&mut self) {
        *self = Self::Yes;
    }
}

/// What a message may say.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The text that was last accepted; none while all that is known is what somebody was about to write.
    accepted: Option<String>,
    /// What somebody was about to write since.
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

    /// What it must not say; none if it may.
    pub(super) fn instead_of(&self, text: &str) -> Option<&str> {
        self.accepted.as_deref().filter(|accepted| *accepted != text && self.perhaps.iter().all(|one| one != text))
    }
}
