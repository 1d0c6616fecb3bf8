//! Parts of a thread that go over gaps.
//!
//! A [`crate::Window`] ends above a gap. A section goes on below it and says where it is, so that a screen can show both
//! sides of it.

use crate::{Older, ThreadMessage};
use fieldpost_domain::{ConversationId, Seq, SeqRange};

/// Which part of a thread to read: everything between two seqs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Only messages from this seq on.
    pub from: Seq,
    /// Only messages up to this seq. None for the end of the thread, with the messages that have no seq.
    pub to: Option<Seq>,
    /// Which end stays if there are more messages than `limit`.
    pub keep: End,
    /// The maximal number of messages with a seq.
    pub limit: u32,
}

/// An end of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where it begins.
    Oldest,
    /// Where it grows.
    Newest,
}

impl Section {
    /// The newest `limit` messages.
    #[must_use]
    pub const fn newest(limit: u32) -> Self {
        Self { from: Seq::ZERO, to: None, keep: End::Newest, limit }
    }

    /// The `limit` messages just below a seq.
    #[must_use]
    pub const fn below(seq: Seq, limit: u32) -> Self {
        Self { from: Seq::ZERO, to: Some(seq.previous()), keep: End::Newest, limit }
    }

    /// The `limit` messages from a seq on.
    #[must_use]
    pub const fn from(seq: Seq, limit: u32) -> Self {
        Self { from: seq, to: None, keep: End::Oldest, limit }
    }
}

/// What [`Section`] asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadSection {
    /// The conversation's canonical id.
    pub conversation_id: ConversationId,
    /// In thread order: by seq, then those without a seq in the order of sending. The latter only if the section reaches
    /// the end of the thread.
    pub messages: Vec<ThreadMessage>,
    /// The seqs that the section covers. It never begins in a gap: it begins above it.
    pub shown: SeqRange,
    /// Ranges within `shown` of which nothing is known here, the lowest first. The server may have messages there:
    /// fetch history below the seq after a gap.
    pub gaps: Vec<SeqRange>,
    /// What is below the section.
    pub older: Older,
    /// The highest seq of the thread that this device knows of.
    pub last_seq: Seq,
    /// How far the signed-in person has read.
    pub read_seq: Seq,
}

impl ThreadSection {
    /// Whether the section reaches the end of the thread.
    #[must_use]
    pub fn is_newest(&self) -> bool {
        self.shown.to >= self.last_seq
    }
}

/// What a store knows of a thread, of which [`Known::section`] makes a section.
#[derive(Debug, Clone)]
pub struct Known {
    /// The conversation's canonical id.
    pub conversation_id: ConversationId,
    /// The messages with a seq that were asked for, in thread order, and one more if there are more.
    pub placed: Vec<ThreadMessage>,
    /// The messages without a seq.
    pub unplaced: Vec<ThreadMessage>,
    /// Seqs of deleted messages, at least those that were asked for.
    pub deleted: Vec<Seq>,
    /// The recent range, in which everything is known.
    pub range: Option<SeqRange>,
    /// Whether the seq below the section is known. Only needed if the section does not begin with the thread.
    pub is_known_below: bool,
    /// The highest seq.
    pub last_seq: Seq,
    /// How far the signed-in person has read.
    pub read_seq: Seq,
}

impl Known {
    /// The section that was asked for.
    #[must_use]
    pub fn section(mut self, asked: Section) -> ThreadSection {
        let limit = asked.limit as usize;
        let more = self.placed.len() > limit;
        let cut_below = more && asked.keep == End::Newest;
        let cut_above = more && asked.keep == End::Oldest;
        let left_out = if cut_below { self.placed.len() - limit } else { 0 };
        let next_below = self.placed.drain(..left_out).next_back().and_then(|message| message.seq);
        self.placed.truncate(limit);
        let shown = self.shown(asked, cut_below, cut_above);
        let mut gaps = self.gaps(shown);
        let begins_with = gaps.first().copied().filter(|gap| gap.from == shown.from);
        let shown = SeqRange { from: begins_with.map_or(shown.from, |gap| gap.to.next()), to: shown.to };
        if begins_with.is_some() {
            gaps.remove(0);
        }
        let older = match begins_with {
            Some(_) => Older::OnServer(shown.from),
            None if shown.from <= FIRST => Older::Nothing,
            None if self.is_known(shown.from.previous(), next_below) => Older::Here(shown.from),
            None if !cut_below && self.is_known_below => Older::Here(shown.from),
            None => Older::OnServer(shown.from),
        };
        let unplaced = if asked.to.is_none() && !cut_above { self.unplaced } else { Vec::new() };
        ThreadSection {
            conversation_id: self.conversation_id,
            messages: self.placed.into_iter().chain(unplaced).collect(),
            shown,
            gaps,
            older,
            last_seq: self.last_seq,
            read_seq: self.read_seq,
        }
    }

    fn is_known(&self, seq: Seq, next_below: Option<Seq>) -> bool {
        let in_range = self.range.is_some_and(|range| range.from <= seq && seq <= range.to);
        next_below == Some(seq) || in_range || self.deleted.contains(&seq)
    }

    fn shown(&self, asked: Section, cut_below: bool, cut_above: bool) -> SeqRange {
        let first = self.placed.first().and_then(|message| message.seq);
        let last = self.placed.last().and_then(|message| message.seq);
        let to = asked.to.unwrap_or(self.last_seq).min(self.last_seq);
        let from = asked.from.max(FIRST);
        SeqRange {
            // Without any message of a section that was cut, the limit is zero: then it is empty.
            from: if cut_below { first.unwrap_or(to.next()) } else { from },
            to: if cut_above { last.unwrap_or(from.previous()) } else { to },
        }
    }

    /// The parts of `shown` that are neither in the recent range, nor a message, nor a deleted one.
    fn gaps(&self, shown: SeqRange) -> Vec<SeqRange> {
        let here = self.placed.iter().filter_map(|message| message.seq).chain(self.deleted.iter().copied());
        let mut known: Vec<SeqRange> = here.map(|seq| SeqRange { from: seq, to: seq }).chain(self.range).collect();
        known.sort_by_key(|range| range.from);
        let mut gaps = Vec::new();
        let mut next = shown.from;
        for range in known {
            if range.from > shown.to {
                break;
            }
            if range.from > next {
                gaps.push(SeqRange { from: next, to: range.from.previous() });
            }
            next = next.max(range.to.next());
        }
        if next <= shown.to {
            gaps.push(SeqRange { from: next, to: shown.to });
        }
        gaps
    }
}

const FIRST: Seq = Seq::new(1);
