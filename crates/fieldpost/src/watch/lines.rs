//! The ordered lines of a watched list, and the shown part of them.
//!
//! A list without a filter holds a few more lines than it shows: when a line leaves, the next one takes its place
//! without a read of the store. The store may have more lines below the last one held; they are not read. A list with a
//! filter holds every line that matches, because the next match may be anywhere in the store.

use super::{difference, list::ConversationQuery};
use crate::{ConversationId, ConversationSummary, Time};
use eyeball_im::{Vector, VectorDiff};
use std::{cmp::Reverse, collections::HashMap};

/// How many lines are held below the shown ones.
pub(super) const SPARE: usize = 50;

/// The sort key of a line: pinned ones first, then newest activity, ties by id.
type Place = (Reverse<Option<Time>>, Reverse<Time>, ConversationId);

fn place(line: &ConversationSummary) -> Place {
    line.place()
}

pub(super) type Diffs = Vec<VectorDiff<ConversationSummary>>;

#[derive(Debug)]
pub(super) struct Lines {
    query: ConversationQuery,
    held: Vector<ConversationSummary>,
    places: HashMap<ConversationId, Place>,
    /// Whether the store may have more lines below those held.
    more: bool,
    /// How many of the held lines are shown.
    shown: usize,
    /// When they may look different without a commit.
    pub(super) due: Option<Time>,
}

impl Lines {
    /// From sorted lines; `more` if the store may have others below them.
    pub(super) fn new(query: ConversationQuery, lines: Vec<ConversationSummary>, more: bool) -> Self {
        let mut new = Self { query, held: Vector::new(), places: HashMap::new(), more, shown: 0, due: None };
        new.hold(lines, more);
        new.shown = new.most().min(new.held.len());
        new
    }

    pub(super) fn due_at(self, due: Option<Time>) -> Self {
        Self { due, ..self }
    }

    /// The moment by which mutes end.
    pub(super) fn set_now(&mut self, now: Time) {
        self.query = self.query.clone().at(now);
    }

    pub(super) const fn query(&self) -> &ConversationQuery {
        &self.query
    }

    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// The shown lines.
    pub(super) fn shown(&self) -> Vector<ConversationSummary> {
        self.held.clone().slice(..self.shown)
    }

    /// Whether fewer lines are held than may be shown, although the store may have more.
    pub(super) fn is_short(&self) -> bool {
        self.more && self.held.len() < self.most()
    }

    /// Replaces all lines.
    pub(super) fn replace(&mut self, lines: Vec<ConversationSummary>, more: bool) -> Diffs {
        let before = self.shown();
        self.hold(lines, more);
        self.shown = self.most().min(self.held.len());
        difference(&before, self.shown().into_iter().collect(), |line| line.id)
    }

    /// Applies lines that were read again, by the requested id; `None` if the conversation is gone.
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

    /// Shows further held lines, up to the limit.
    fn fill(&mut self, diffs: &mut Diffs) {
        while let Some(line) = self.held.get(self.shown).filter(|_| self.shown < self.most()) {
            diffs.push(VectorDiff::PushBack { value: line.clone() });
            self.shown += 1;
        }
    }

    /// Without a filter, drops the held lines beyond the spare ones.
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

    /// Whether a line with this sort key is below those held, and so is not read.
    fn is_below(&self, place_of_it: &Place) -> bool {
        self.more && self.held.last().is_none_or(|last| *place_of_it > place(last))
    }

    fn find(&self, wanted: &Place) -> Result<usize, usize> {
        self.held.binary_search_by(|line| place(line).cmp(wanted))
    }
}
