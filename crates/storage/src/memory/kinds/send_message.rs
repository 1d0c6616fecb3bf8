//! The effect of sending a message: its local echo.

use crate::memory::{
    outbox::queued,
    purge::refused,
    state::{Row, State},
};
use crate::{NotPossible, OutgoingMessage, StorageError, StorageErrorKind, StorageResult, ThreadMessage};
use fieldpost_domain::{ConversationKind, Intent, Mentions, MutationId, RefusalCode, Role};

impl State {
    pub(in crate::memory) fn send(
        &mut self,
        mutation: MutationId,
        message: OutgoingMessage,
    ) -> StorageResult<ThreadMessage> {
        let Some(sender) = self.account else {
            return Err(StorageError::new(StorageErrorKind::NoAccount, "send"));
        };
        let mut message = message.by(sender);
        if let Some(row) = self.messages.get(&message.id) {
            return Ok(self.thread_message(row));
        }
        message.conversation_id = self.resolve(message.conversation_id);
        let Some(thread) = self.threads.get(&message.conversation_id) else {
            return Err(StorageError::new(StorageErrorKind::NotFound, "send"));
        };
        let row = self.people.get(&(sender, thread.row.org_id));
        let medic = row.is_some_and(|person| person.role == Role::Medic && !person.removed);
        if thread.on_server && thread.row.kind == ConversationKind::Broadcast && medic {
            return Err(StorageError::new(StorageErrorKind::NotApplicable(NotPossible::ReadOnly), "send"));
        }
        self.check_reply(message.conversation_id, message.reply_to)?;
        self.check_mentions("send", message.conversation_id, &message.mentions, &Mentions::new())?;
        let parked = !thread.on_server && self.open_is_refused(message.conversation_id);
        let state = if parked { refused(RefusalCode::OpenRefused) } else { queued() };
        let recorded_at = message.composed_at;
        let order = self.record(mutation, Intent::SendMessage(message.clone()), state, recorded_at);
        let row = Row::Local { message, order };
        let view = self.thread_message(&row);
        self.messages.insert(view.id, row);
        Ok(view)
    }
}
