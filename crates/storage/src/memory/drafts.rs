//! Drafts. They depend on nothing else, so nothing else removes them.

use super::state::State;
use crate::{StorageError, StorageErrorKind, StorageResult, StoredDraft, ThreadMessage};
use fieldpost_domain::{ConversationId, MessageId, MutationId, Time};
use std::cmp::Reverse;

impl State {
    pub(super) fn all_drafts(&self) -> Vec<StoredDraft> {
        let mut all: Vec<_> = self.drafts.values().cloned().collect();
        all.sort_by_key(|draft| (Reverse(draft.updated_at), draft.conversation_id));
        all
    }

    pub(super) fn set_draft(&mut self, draft: StoredDraft) -> StorageResult<()> {
        let conversation_id = self.resolve(draft.conversation_id);
        if !self.threads.contains_key(&conversation_id) && !self.drafts.contains_key(&conversation_id) {
            return Err(StorageError::new(StorageErrorKind::NotFound, "set_draft"));
        }
        if draft.is_empty() {
            self.drafts.remove(&conversation_id);
        } else {
            self.drafts.insert(conversation_id, StoredDraft { conversation_id, ..draft });
        }
        Ok(())
    }

    pub(super) fn send_draft(
        &mut self,
        mutation: MutationId,
        message: MessageId,
        conversation: ConversationId,
        at: Time,
    ) -> StorageResult<ThreadMessage> {
        let conversation_id = self.resolve(conversation);
        let draft = self.drafts.get(&conversation_id).cloned();
        let draft = draft.ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "send_draft"))?;
        let outgoing = draft.outgoing(message, at).map_err(|kind| StorageError::new(kind, "send_draft"))?;
        let sent = self.send(mutation, outgoing)?;
        self.drafts.remove(&conversation_id);
        Ok(sent)
    }

    /// The conversation has another id now.
    pub(super) fn move_draft(&mut self, from: ConversationId, to: ConversationId) {
        let Some(moving) = self.drafts.remove(&from) else { return };
        let joined = match self.drafts.remove(&to) {
            Some(there) => there.joined_with(moving),
            None => moving,
        };
        self.drafts.insert(to, StoredDraft { conversation_id: to, ..joined });
    }
}
