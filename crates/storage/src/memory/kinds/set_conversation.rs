//! The effect of changing settings. They show over what the server has, until it has answered.

use crate::memory::{
    outbox::queued,
    purge::refused,
    state::{Entry, State},
};
use crate::{ConversationSummary, StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{ConversationId, Intent, MutationId, RefusalCode, SetConversation, SettingsChange, Time};

impl State {
    pub(in crate::memory) fn set_conversation(
        &mut self,
        mutation: MutationId,
        conversation: ConversationId,
        change: SettingsChange,
        at: Time,
    ) -> StorageResult<ConversationSummary> {
        let not_possible = |kind| StorageError::new(kind, "set_conversation");
        self.account.ok_or_else(|| not_possible(StorageErrorKind::NoAccount))?;
        let conversation_id = self.resolve(conversation);
        let thread = self.threads.get(&conversation_id).ok_or_else(|| not_possible(StorageErrorKind::NotFound))?;
        let parked = !thread.on_server && self.open_is_refused(conversation_id);
        let mut changed = self.settings_of(conversation_id);
        change.apply(&mut changed);
        if changed != self.settings_of(conversation_id) {
            match self.unattempted(conversation_id).filter(|_| !parked) {
                Some(queued) => *queued = queued.then(change),
                None => {
                    let state = if parked { refused(RefusalCode::OpenRefused) } else { queued() };
                    let intent = Intent::SetConversation(SetConversation { conversation_id, change });
                    self.record(mutation, intent, state, at);
                }
            }
        }
        let thread = self.threads.get(&conversation_id).ok_or_else(|| not_possible(StorageErrorKind::NotFound))?;
        Ok(self.summary(thread))
    }

    /// The queued change of a conversation that was never attempted.
    fn unattempted(&mut self, conversation: ConversationId) -> Option<&mut SettingsChange> {
        let waits = |entry: &&mut Entry| is_unattempted(entry, conversation);
        match &mut self.outbox.iter_mut().rev().find(waits)?.intent {
            Intent::SetConversation(SetConversation { change, .. }) => Some(change),
            _ => None,
        }
    }

    /// The person has read a conversation that was marked unread. A queued mark that was never attempted is taken back.
    pub(in crate::memory) fn take_back_unread(&mut self, conversation_id: ConversationId, at: Time) {
        if self.settings_of(conversation_id).unread_from.is_none() {
            return;
        }
        let before = self.settings_but(conversation_id, |entry| is_unattempted(entry, conversation_id));
        let taken_back = before.unread_from.map(|_| None);
        if let Some(queued) = self.unattempted(conversation_id) {
            queued.unread_from = taken_back;
            let empty = queued.is_empty();
            self.outbox.retain(|entry| !(empty && is_unattempted(entry, conversation_id)));
            return;
        }
        let change = SettingsChange::mark_unread(None);
        let id = self.ids.new_id(at);
        self.record(id, Intent::SetConversation(SetConversation { conversation_id, change }), queued(), at);
    }
}

fn is_unattempted(entry: &Entry, conversation: ConversationId) -> bool {
    let sets = matches!(&entry.intent, Intent::SetConversation(set) if set.conversation_id == conversation);
    sets && entry.in_flight == 0 && !entry.is_failed()
}
