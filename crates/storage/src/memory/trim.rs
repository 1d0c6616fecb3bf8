//! Drops old messages.

use super::state::{Entry, State};
use crate::{Keep, SyncPosition, TRIMMED_AT_ONCE, Trimmed};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Message, MessageId, Seq};
use std::collections::BTreeSet;

impl State {
    pub(super) fn trim(&mut self, keep: Keep, from: Option<ConversationId>, limit: u32) -> Trimmed {
        if !matches!(self.position, SyncPosition::Following(_)) {
            // What a bootstrap finds missing may have been lost by the server, so it must be here.
            return Trimmed::default();
        }
        let later = self.threads.keys().copied().filter(|id| from.is_none_or(|from| *id >= from));
        let ids: Vec<ConversationId> = later.take(TRIMMED_AT_ONCE as usize + 1).collect();
        let mut dropped = 0;
        for (number, id) in ids.iter().enumerate() {
            let left = u64::from(limit).saturating_sub(dropped);
            if number >= TRIMMED_AT_ONCE as usize || left == 0 {
                return Trimmed { dropped, next: Some(*id) };
            }
            let leaving = self.expendable(*id, keep, left);
            dropped += leaving.len() as u64;
            self.drop_messages(*id, &leaving);
            if leaving.len() as u64 == left {
                return Trimmed { dropped, next: Some(*id) };
            }
        }
        Trimmed { dropped, next: None }
    }

    /// The oldest messages that may leave, at most so many.
    fn expendable(&self, conversation: ConversationId, keep: Keep, most: u64) -> Vec<(Seq, MessageId)> {
        let mut all: Vec<&Message> = self.server_messages(conversation).collect();
        all.sort_by_key(|message| message.seq);
        let end = self.trimmed_below(conversation, &all, keep);
        let waiting = self.waited_for();
        let old = all.into_iter().filter(|message| {
            message.seq < end
                && keep.since().is_none_or(|since| message.created_at < since)
                && !waiting.contains(&message.id)
        });
        old.take(usize::try_from(most).unwrap_or(usize::MAX)).map(|message| (message.seq, message.id)).collect()
    }

    /// Only messages below this seq may leave. What is to stay of a whole conversation, or from a seq on, belongs here.
    fn trimmed_below(&self, conversation: ConversationId, all: &[&Message], keep: Keep) -> Seq {
        if self.settings_of(conversation).pinned_at.is_some() && !planted(PlantedBug::PinnedIsTrimmed) {
            return Seq::ZERO;
        }
        let newest = all.last().map_or(Seq::ZERO, |message| message.seq);
        let kept = keep.last().map_or(newest, |last| {
            let first_kept = all.len().checked_sub(last.max(1) as usize);
            first_kept.and_then(|index| all.get(index)).map_or(Seq::ZERO, |message| message.seq)
        });
        let range = self.threads.get(&conversation).and_then(|thread| thread.range);
        // The recent range keeps its newest seq, so that it stays a range.
        let top = range.filter(|range| range.to >= range.from && range.to > Seq::ZERO).map_or(newest, |range| range.to);
        let unread = self.unread_above(conversation).next();
        kept.min(newest).min(top).min(unread)
    }

    /// The messages that something in the outbox sends or changes, or that a draft replies to.
    fn waited_for(&self) -> BTreeSet<MessageId> {
        let of_entry = |entry: &Entry| [entry.intent.creates(), entry.intent.target()];
        let answered = self.drafts.values().filter_map(|draft| draft.reply_to);
        let answered = answered.filter(|_| !planted(PlantedBug::AnsweredIsTrimmed));
        self.outbox.iter().flat_map(of_entry).flatten().chain(answered).collect()
    }

    fn drop_messages(&mut self, conversation: ConversationId, leaving: &[(Seq, MessageId)]) {
        for (_, id) in leaving {
            self.messages.remove(id);
        }
        let Some((last, _)) = leaving.last() else { return };
        if planted(PlantedBug::DraftIsTrimmed) {
            self.drafts.remove(&conversation);
        }
        let Some(thread) = self.threads.get_mut(&conversation) else { return };
        if let Some(range) = thread.range.as_mut().filter(|range| range.from <= *last)
            && !planted(PlantedBug::TrimmedIsKnown)
        {
            range.from = last.next();
        }
    }
}
