//! The lines of a list, in order, and the part of them that is shown.
//!
//! A list without a filter holds a few more lines than it shows: when one leaves, the next takes its place without asking the
//! store. Below the last line that is held there may be others, which nobody reads. With a filter it holds all that match,
//! since how far down the next one is nobody knows.

use super::{difference::difference, list::ConversationQuery};
use crate::{ConversationId, ConversationSummary, Time};
use eyeball_im::{Vector, VectorDiff};
use std::{cmp::Reverse, collections::HashMap};

/// How many lines are held below those that are shown.
pub(super) const SPARE: usize = 50;

/// Where a line stands: newest activity first, ties by id.
type Place = (Reverse<Time>, ConversationId);

fn place(line: &ConversationSummary) -> Place {
    (Reverse(line.last_message_at.unwrap_or(line.created_at)), line.id)
}

pub(super) type Diffs = Vec<VectorDiff<ConversationSummary>>;

#[derive(Debug)]
pub(super) struct Lines {
    query: ConversationQuery,
    held: Vector<ConversationSummary>,
    places: HashMap<ConversationId, Place>,
    /// Below what is held there may be more in the store.
    more: bool,
    /// How many of them are shown.
    shown: usize,
}

impl Lines {
    /// The lines that were read, in their order; `more` if there may be others below.
    pub(super) fn new(query: ConversationQuery, lines: Vec<ConversationSummary>, more: bool) -> Self {
        let mut new = Self { query, held: Vector::new(), places: HashMap::new(), more, shown: 0 };
        new.hold(lines, more);
        new.shown = new.most().min(new.held.len());
        new
    }

    pub(super) const fn query(&self) -> &ConversationQuery {
        &self.query
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// What is shown.
    pub(super) fn shown(&self) -> Vector<ConversationSummary> {
        self.held.clone().slice(..self.shown)
    }

    /// Whether a line that is missing may be in the store.
    pub(super) fn is_short(&self) -> bool {
        self.more && self.held.len() < self.most()
    }

    /// Takes everything anew.
    pub(super) fn replace(&mut self, lines: Vec<ConversationSummary>, more: bool) -> Diffs {
        let before = self.shown();
        self.hold(lines, more);
        self.shown = self.most().min(self.held.len());
        difference(&before, self.shown().into_iter().collect(), |line| line.id)
    }

    /// What conversations look like now that were asked for by these ids; none of one that is gone.
    pub(super) fn put(&mut self, lines: Vec<(ConversationId, Option<ConversationSummary>)>) -> Diffs {
        let mut diffs = Vec::new();
        for (asked, line) in lines {
            if line.as_ref().is_none_or(|line| line.id != asked) {
                self.remove(asked, &mut diffs);
                self.fill(&mut diffs);
            }
            if let Some(line) = line {
                self.put_one(line, &mut diffs);
                self.fill(&mut diffs);
            }
        }
        self.let_go();
        diffs
    }

    fn most(&self) -> usize {
        self.query.most()
    }

    fn hold(&mut self, lines: Vec<ConversationSummary>, more: bool) {
        self.held = lines.into();
        self.places = self.held.iter().map(|line| (line.id, place(line))).collect();
        self.more = more;
    }

    fn put_one(&mut self, line: ConversationSummary, diffs: &mut Diffs) {
        let now = place(&line);
        if !self.query.matches(&line) || self.is_below(&now) {
            return self.remove(line.id, diffs);
        }
        if self.places.get(&line.id).is_some_and(|before| *before != now) {
            self.remove(line.id, diffs);
        }
        match self.find(&now) {
            Ok(index) if self.held[index] == line => {}
            Ok(index) => {
                self.held.set(index, line.clone());
                if index < self.shown {
                    diffs.push(VectorDiff::Set { index, value: line });
                }
            }
            Err(index) => self.insert(index, line, now, diffs),
        }
    }

    fn insert(&mut self, index: usize, line: ConversationSummary, place: Place, diffs: &mut Diffs) {
        self.places.insert(line.id, place);
        self.held.insert(index, line.clone());
        if index >= self.most() {
            return;
        }
        if self.shown == self.most() {
            self.shown -= 1;
            diffs.push(VectorDiff::PopBack);
        }
        let last = index == self.shown;
        self.shown += 1;
        diffs.push(if last { VectorDiff::PushBack { value: line } } else { VectorDiff::Insert { index, value: line } });
    }

    fn remove(&mut self, conversation: ConversationId, diffs: &mut Diffs) {
        let Some(Ok(index)) = self.places.remove(&conversation).map(|place| self.find(&place)) else { return };
        self.held.remove(index);
        if index < self.shown {
            self.shown -= 1;
            diffs.push(VectorDiff::Remove { index });
        }
    }

    /// Shows as many as there may be.
    fn fill(&mut self, diffs: &mut Diffs) {
        while let Some(line) = self.held.get(self.shown).filter(|_| self.shown < self.most()) {
            diffs.push(VectorDiff::PushBack { value: line.clone() });
            self.shown += 1;
        }
    }

    /// Without a filter no more are held than are needed.
    fn let_go(&mut self) {
        let enough = self.most().saturating_add(SPARE);
        if self.query.is_filtered() || self.held.len() <= enough.saturating_add(SPARE) {
            return;
        }
        for line in self.held.split_off(enough) {
            self.places.remove(&line.id);
        }
        self.more = true;
    }

    /// Whether a line that stands there is among those that nobody reads.
    fn is_below(&self, place_of_it: &Place) -> bool {
        self.more && self.held.last().is_none_or(|last| *place_of_it > place(last))
    }

    fn find(&self, wanted: &Place) -> Result<usize, usize> {
        self.held.binary_search_by(|line| place(line).cmp(wanted))
    }
}
