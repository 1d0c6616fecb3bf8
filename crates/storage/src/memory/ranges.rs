//! Which part of a thread is stored completely.
//!
//! Each conversation has one complete run of seqs: the recent range. It grows upward with pulls and acknowledgements,
//! and downward with history. Messages above it, beyond a hole, are reported as missing. Messages below it are older
//! history, which is fetched on demand.

use super::state::{State, Thread};
use crate::{Checkable, MissingRange};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Seq, SeqRange, Version};
use std::collections::BTreeSet;

pub(super) const FIRST: Seq = Seq::new(1);

impl State {
    /// The known seqs: stored or deleted messages. Rows from before a change of epoch do not count.
    fn known_seqs(&self, conversation: ConversationId) -> BTreeSet<Seq> {
        let gone = self.threads.get(&conversation).into_iter().flat_map(|thread| thread.deleted_seqs.iter().copied());
        let here = self.server_messages(conversation).filter(|message| message.version > Version::ZERO);
        here.map(|message| message.seq).chain(gone).collect()
    }

    /// Extends the range over known seqs that touch it.
    pub(super) fn extend(&mut self, conversation: ConversationId) {
        let known = self.known_seqs(conversation);
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

    /// Adds a range that the server has covered.
    pub(super) fn cover(&mut self, conversation: ConversationId, mut covered: SeqRange, complete: bool) {
        if complete {
            covered.from = FIRST;
        }
        let Some(thread) = self.threads.get_mut(&conversation) else { return };
        let empty = covered.to < covered.from;
        thread.range = match thread.range {
            Some(old) if touches(old, covered) => {
                Some(SeqRange { from: old.from.min(covered.from), to: old.to.max(covered.to) })
            }
            // Below the recent range with a hole between, or empty: the recent range stays.
            Some(old) if empty || covered.to < old.from => Some(old),
            None if empty && !complete => None,
            // The first range, or above the recent one with a hole between.
            _ => Some(covered),
        };
        self.extend(conversation);
    }

    /// Adds a covered part of a thread, if it touches the recent range or begins the thread. Any other part stays
    /// missing until history brings it, because the recent range must not contain a hole.
    pub(super) fn cover_adjoining(&mut self, conversation: ConversationId, covered: SeqRange) {
        self.extend(conversation);
        let Some(thread) = self.threads.get(&conversation) else { return };
        let touches = thread.range.map_or(covered.from == FIRST, |range| touches(range, covered));
        if touches && covered.from <= covered.to {
            self.cover(conversation, covered, false);
        }
    }

    pub(super) fn missing_ranges(&self, limit: u32) -> Vec<MissingRange> {
        let missing = self.by_activity().into_iter().filter_map(|(id, thread)| {
            let before = self.missing_below(id, thread)?;
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

    /// The seq below which something is missing. `Some(None)` means that the newest messages are missing; none means
    /// that nothing is missing.
    fn missing_below(&self, id: ConversationId, thread: &Thread) -> Option<Option<Seq>> {
        if !thread.on_server || thread.row.last_seq == Seq::ZERO {
            return None;
        }
        let known = self.known_seqs(id);
        let newest = known.last().copied();
        let loaded = thread.range.filter(|range| range.to >= range.from);
        match (loaded, newest) {
            (None, None) => Some(None),
            // The server has named newer messages, which have not come yet.
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

/// Whether two ranges overlap or adjoin.
fn touches(a: SeqRange, b: SeqRange) -> bool {
    b.from <= a.to.next() && b.to.next() >= a.from
}

/// The lowest seq of the run of known seqs that ends with `top`.
pub(super) fn run_start(known: &BTreeSet<Seq>, top: Seq) -> Seq {
    let mut start = top;
    while known.contains(&start.previous()) {
        start = start.previous();
    }
    start
}
