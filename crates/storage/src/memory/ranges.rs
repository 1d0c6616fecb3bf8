//! Which part of a thread is known whole.
//!
//! Of each conversation one run of seqs is known to be whole: the recent range. It grows upward with what pulls and
//! acknowledgements bring, and downward with history. What lies above it with a hole between is missing and is reported;
//! what lies below it is older history, fetched on demand.

use super::state::{State, Thread};
use crate::{Checkable, MissingRange};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Seq, SeqRange, Version};
use std::collections::BTreeSet;

pub(super) const FIRST: Seq = Seq::new(1);

impl State {
    /// The seqs of which it is known what became of them. Rows from before a change of epoch do not count.
    fn known(&self, conversation: ConversationId) -> BTreeSet<Seq> {
        let gone = self.threads.get(&conversation).into_iter().flat_map(|thread| thread.gone.iter().copied());
        let here = self.server_messages(conversation).filter(|message| message.version > Version::ZERO);
        here.map(|message| message.seq).chain(gone).collect()
    }

    /// Lets the range grow over what is here and touches it.
    pub(super) fn extend(&mut self, conversation: ConversationId) {
        let known = self.known(conversation);
        let Some(thread) = self.threads.get_mut(&conversation) else { return };
        let start = known.contains(&FIRST).then_some(SeqRange { from: FIRST, to: FIRST });
        let Some(mut range) = thread.range.or(start) else { return };
        while known.contains(&range.to.next()) {
            range.to = range.to.next();
        }
        while known.contains(&range.from.previous()) {
            range.from = range.from.previous();
        }
        thread.range = Some(range);
        thread.row.last_seq = thread.row.last_seq.max(range.to);
    }

    /// Takes in a range that the server has told whole.
    pub(super) fn cover(&mut self, conversation: ConversationId, mut told: SeqRange, complete: bool) {
        if complete {
            told.from = FIRST;
        }
        let Some(thread) = self.threads.get_mut(&conversation) else { return };
        let empty = told.to < told.from;
        thread.range = match thread.range {
            Some(old) if touches(old, told) => {
                Some(SeqRange { from: old.from.min(told.from), to: old.to.max(told.to) })
            }
            // Below with a hole between, or nothing: the recent range stays.
            Some(old) if empty || told.to < old.from => Some(old),
            None if empty && !complete => None,
            // The first, or above with a hole between.
            _ => Some(told),
        };
        self.extend(conversation);
    }

    /// Takes in a part of a thread of which a page has brought all that may be seen, if the recent range touches it, or if it is
    /// where a thread begins. Any other stays missing until history tells it: the recent range must not jump over a hole.
    pub(super) fn join(&mut self, conversation: ConversationId, told: SeqRange) {
        self.extend(conversation);
        let Some(thread) = self.threads.get(&conversation) else { return };
        let touches = thread.range.map_or(told.from == FIRST, |range| touches(range, told));
        if touches && told.from <= told.to {
            self.cover(conversation, told, false);
        }
    }

    pub(super) fn missing_ranges(&self, limit: u32) -> Vec<MissingRange> {
        let missing = self.listed().into_iter().filter_map(|(id, thread)| {
            let before = self.missing_in(id, thread)?;
            let newest = before.map_or(thread.row.last_seq, Seq::previous);
            Some(MissingRange { conversation_id: id, before, newest })
        });
        missing.take(limit as usize).collect()
    }

    pub(super) fn next_check(&self, after: Option<ConversationId>) -> Option<Checkable> {
        let later =
            self.threads.iter().filter(|(id, thread)| after.is_none_or(|after| **id > after) && thread.on_server);
        let mut ranges = later.filter_map(|(id, thread)| thread.range.map(|range| (*id, range)));
        let found = ranges.find(|(_, range)| range.to >= range.from && range.to > Seq::ZERO);
        found.map(|(conversation_id, range)| Checkable { conversation_id, range })
    }

    /// Below which seq something is missing (none inside: the newest); none if nothing is.
    fn missing_in(&self, id: ConversationId, thread: &Thread) -> Option<Option<Seq>> {
        if !thread.on_server || thread.row.last_seq == Seq::ZERO {
            return None;
        }
        let known = self.known(id);
        let newest = known.last().copied();
        let loaded = thread.range.filter(|range| range.to >= range.from);
        match (loaded, newest) {
            (None, None) => Some(None),
            // The server has told of newer ones, which nothing has brought.
            _ if newest.max(loaded.map(|range| range.to)) < Some(thread.row.last_seq)
                && !planted(PlantedBug::OlderRowsNotFetched) =>
            {
                Some(None)
            }
            (Some(range), Some(newest)) if newest > range.to => Some(Some(run_start(&known, newest))),
            (None, Some(newest)) => Some(Some(run_start(&known, newest))),
            (Some(_), _) => None,
        }
    }
}

/// Whether two ranges overlap or stand side by side.
fn touches(a: SeqRange, b: SeqRange) -> bool {
    b.from <= a.to.next() && b.to.next() >= a.from
}

/// The lowest seq of the run that ends with `top`.
pub(super) fn run_start(known: &BTreeSet<Seq>, top: Seq) -> Seq {
    let mut start = top;
    while known.contains(&start.previous()) {
        start = start.previous();
    }
    start
}
