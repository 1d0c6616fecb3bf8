//! Gives a conversation that was opened offline its canonical id.

use super::state::{Row, State, Thread};
use fieldpost_domain::{ConversationId, ReadMarker, RefusalCode};

impl State {
    /// Changes every `from` to `to` and keeps `from` as an alias. If both conversations are stored, the row of `to`
    /// stays, because it is the server's.
    pub(super) fn rekey(&mut self, from: ConversationId, to: ConversationId) {
        self.aliases.values_mut().filter(|target| **target == from).for_each(|target| *target = to);
        self.aliases.insert(from, to);
        if let Some(thread) = self.threads.remove(&from) {
            let row = fieldpost_domain::Conversation { id: to, ..thread.row };
            self.threads.entry(to).or_insert(Thread { row, ..thread });
        }
        for row in self.messages.values_mut().filter(|row| row.conversation_id() == from) {
            match row {
                Row::Local { message, .. } => message.conversation_id = to,
                Row::Server(message) => message.conversation_id = to,
            }
        }
        for entry in self.outbox.iter_mut().filter(|entry| entry.intent.lane() == from) {
            entry.intent.address(to, entry.intent.target());
        }
        for kept in self.unreadable.iter_mut().filter(|kept| kept.conversation == Some(from)) {
            kept.conversation = Some(to);
        }
        for row in self.reactions.values_mut().filter(|row| row.conversation_id == from) {
            row.conversation_id = to;
        }
        self.move_markers(from, to);
        self.move_draft(from, to);
        if self.is_revoked(to) {
            self.purge(to, RefusalCode::AccessLost);
        }
    }

    fn move_markers(&mut self, from: ConversationId, to: ConversationId) {
        let moving: Vec<ReadMarker> =
            self.markers.values().filter(|marker| marker.conversation_id == from).cloned().collect();
        self.markers.retain(|(of, _), _| *of != from);
        for marker in moving {
            self.put_marker(ReadMarker { conversation_id: to, ..marker });
        }
    }
}
