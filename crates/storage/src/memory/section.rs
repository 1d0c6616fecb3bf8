//! Builds sections of threads.

use super::state::State;
use crate::{End, Known, Section, StorageError, StorageErrorKind, StorageResult, ThreadMessage, ThreadSection};
use fieldpost_domain::{ConversationId, Message, Seq};
use std::collections::BTreeMap;

impl State {
    pub(super) fn section(&self, conversation: ConversationId, asked: Section) -> StorageResult<ThreadSection> {
        let id = self.resolve(conversation);
        let thread = self.threads.get(&id).ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "section"))?;
        let by_seq: BTreeMap<Seq, &Message> = self.server_messages(id).map(|message| (message.seq, message)).collect();
        let range = thread.range.filter(|range| range.to >= range.from && range.to > Seq::ZERO);
        let newest = by_seq.keys().last().max(thread.deleted_seqs.last()).copied();
        let last_seq = newest.max(range.map(|range| range.to)).unwrap_or(Seq::ZERO).max(thread.row.last_seq);
        let below = asked.from.previous();
        let is_known_below = by_seq.contains_key(&below)
            || thread.deleted_seqs.contains(&below)
            || range.is_some_and(|range| range.from <= below && below <= range.to);
        let known = Known {
            conversation_id: id,
            placed: self.placed(&by_seq, asked),
            unplaced: self.queued_messages(id).into_iter().filter_map(|message| self.view_of(message.id)).collect(),
            deleted: thread.deleted_seqs.iter().copied().collect(),
            range,
            is_known_below,
            last_seq,
            read_seq: self.read_seq(id),
        };
        Ok(known.section(asked))
    }

    /// The messages that were asked for, and one more if there are more.
    fn placed(&self, by_seq: &BTreeMap<Seq, &Message>, asked: Section) -> Vec<ThreadMessage> {
        let to = asked.to.unwrap_or(Seq::new(u64::MAX));
        let within = by_seq.values().filter(|message| asked.from <= message.seq && message.seq <= to);
        let most = (asked.limit as usize).saturating_add(1);
        let shown = |message: &&Message| self.view_of(message.id);
        match asked.keep {
            End::Oldest => within.take(most).filter_map(shown).collect(),
            End::Newest => {
                let mut newest: Vec<_> = within.rev().take(most).filter_map(shown).collect();
                newest.reverse();
                newest
            }
        }
    }
}
