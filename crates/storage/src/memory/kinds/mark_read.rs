//! The effect of a read mark: it moves the person's marker.

use crate::memory::{outbox::queued, state::State};
use crate::{StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, Intent, MarkRead, MutationId, Seq, Time};

impl State {
    pub(in crate::memory) fn mark_read(
        &mut self,
        mutation: MutationId,
        conversation: ConversationId,
        up_to: Seq,
        at: Time,
    ) -> StorageResult<Seq> {
        let conversation_id = self.resolve(conversation);
        let Some(thread) = self.threads.get(&conversation_id) else {
            return Err(StorageError::new(StorageErrorKind::NotFound, "mark_read"));
        };
        let target = thread.range.map_or(Seq::ZERO, |range| range.to).min(up_to);
        let before = self.read_seq(conversation_id);
        self.mark_own(conversation_id, target);
        let read_seq = self.read_seq(conversation_id);
        if read_seq > before {
            self.record(mutation, Intent::MarkRead(MarkRead { conversation_id, read_seq }), queued(), at);
        }
        if !planted(PlantedBug::ReadingLeavesUnread) {
            self.take_back_unread(conversation_id, at);
        }
        Ok(read_seq)
    }
}
