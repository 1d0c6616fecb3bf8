//! Which part of a thread a timeline holds.

use fieldpost_domain::Seq;
use fieldpost_storage::{End, Older, Section, ThreadSection};

/// What is beyond an end of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Nothing: the thread begins or ends here.
    End,
    /// More messages are stored on this device, or were let go of: paginating shows them at once.
    Here,
    /// The server may have more: paginating fetches them.
    OnServer,
}

/// Both ends of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Beyond the oldest message.
    pub older: Edge,
    /// Beyond the newest message. [`Edge::End`]: new messages show by themselves.
    pub newer: Edge,
}

impl Ends {
    pub(crate) fn of(section: &ThreadSection) -> Self {
        let older = match section.older {
            Older::Nothing => Edge::End,
            Older::Here(_) => Edge::Here,
            Older::OnServer(_) => Edge::OnServer,
        };
        Self { older, newer: if section.is_newest() { Edge::End } else { Edge::Here } }
    }
}

/// The part of a thread that a timeline holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From this seq on.
    pub from: Seq,
    /// Up to this seq; none if the timeline follows the end of the thread.
    pub to: Option<Seq>,
    /// The end that was moved last: it stays when there are too many messages, and the other one lets go.
    pub keep: End,
}

impl Span {
    /// The section to read for it.
    #[must_use]
    pub const fn section(self, most: u32) -> Section {
        Section { from: self.from, to: self.to, keep: self.keep, limit: most }
    }

    /// What is left of it once its section was read: the far end may have let go, and what is below may have left the
    /// device.
    #[must_use]
    pub fn settle(self, section: &ThreadSection) -> Self {
        let cut_above = self.keep == End::Oldest && !section.is_newest();
        let to = if cut_above { Some(section.shown.to) } else { self.to };
        Self { from: section.shown.from, to, keep: self.keep }
    }

    /// Whether its seqs mean nothing any more: the server was restored, and the thread is shorter now.
    #[must_use]
    pub fn is_beyond(self, section: &ThreadSection) -> bool {
        self.from > section.last_seq.next() || self.to.is_some_and(|to| to > section.last_seq)
    }
}
