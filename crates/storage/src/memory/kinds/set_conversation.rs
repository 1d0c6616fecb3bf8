//! The effect of changing settings. They show over what the server has, until it has answered.

use crate::memory::{
    outbox::queued,
    purge::refused,
    settings::is_unattempted,
    state::{Entry, State},
};
use crate::{ConversationSummary, StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{ConversationId, Intent, MutationId, RefusalCode, Seq, SetConversation, SettingsChange, Time};

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

    /// The person has read a conversation that was marked unread. Queued marks that have never reached the server are taken
    /// back.
    pub(in crate::memory) fn take_back_unread(&mut self, conversation_id: ConversationId, at: Time) {
        if self.settings_of(conversation_id).unread_from.is_none() {
            return;
        }
        let before = self.settings_but(conversation_id, |entry| is_unattempted(entry, conversation_id));
        let taken_back = before.unread_from.map(|_| None);
        // There are several where one was asked to come again, after another was queued behind it.
        let mut waiting = self.outbox.iter_mut().filter(|entry| is_unattempted(entry, conversation_id)).rev();
        if let Some(last) = waiting.next() {
            mark_unread(last, taken_back);
            waiting.for_each(|earlier| mark_unread(earlier, None));
            self.outbox.retain(|entry| !(is_unattempted(entry, conversation_id) && changes_nothing(entry)));
            return;
        }
        drop(waiting);
        let change = SettingsChange::mark_unread(None);
        let id = self.ids.new_id(at);
        self.record(id, Intent::SetConversation(SetConversation { conversation_id, change }), queued(), at);
    }
}

fn mark_unread(entry: &mut Entry, from: Option<Option<Seq>>) {
    if let Intent::SetConversation(SetConversation { change, .. }) = &mut entry.intent {
        change.unread_from = from;
    }
}

fn changes_nothing(entry: &Entry) -> bool {
    matches!(&entry.intent, Intent::SetConversation(set) if set.change.is_empty())
}
