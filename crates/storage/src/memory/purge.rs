//! Removes a conversation from the device.

use super::state::{Row, State};
use crate::EntryState;
use fieldpost_domain::{ConversationId, MessageId, Refusal, RefusalCode};

/// A refusal that the device records by itself.
pub(super) const fn refused(code: RefusalCode) -> EntryState {
    EntryState::Failed(Refusal { code, detail: None })
}

impl State {
    /// Removes a conversation with its messages and markers. Mutations that the server never had become dead letters,
    /// and the messages of those stay. Returns whether the conversation was stored.
    pub(super) fn purge(&mut self, conversation: ConversationId, code: RefusalCode) -> bool {
        self.park_lane(conversation, code);
        let unsent: Vec<MessageId> = self.outbox.iter().filter_map(|entry| entry.intent.creates()).collect();
        self.messages.retain(|id, row| {
            row.conversation_id() != conversation || (matches!(row, Row::Local { .. }) && unsent.contains(id))
        });
        self.markers.retain(|(of, _), _| *of != conversation);
        self.reactions.retain(|_, row| row.conversation_id != conversation);
        self.settings.remove(&conversation);
        self.unreadable.retain(|kept| kept.conversation != Some(conversation));
        self.threads.remove(&conversation).is_some()
    }

    /// The person has lost access to a conversation. The server may have accepted a message after it made the page that
    /// did not have it, and this device can no longer find out.
    pub(super) fn doubt_losses(&mut self, lane: ConversationId) {
        let of_lane = self.outbox.iter_mut().filter(|entry| entry.intent.lane() == lane);
        for entry in of_lane.filter(|entry| entry.state == refused(RefusalCode::LostByServer)) {
            entry.state = refused(RefusalCode::AccessLost);
        }
    }

    /// Makes the mutations of a lane dead letters. Read marks, and messages that the server has, leave instead, because
    /// nothing of them could be lost. Returns how many became dead letters and how many left.
    pub(super) fn park_lane(&mut self, lane: ConversationId, code: RefusalCode) -> (u32, u32) {
        let (mut parked, mut left) = (0, 0);
        let messages = &self.messages;
        self.outbox.retain_mut(|entry| {
            if entry.intent.lane() != lane {
                return true;
            }
            let echoed = entry.intent.creates().is_some_and(|id| matches!(messages.get(&id), Some(Row::Server(_))));
            if echoed || !entry.intent.policy().becomes_dead_letter() {
                left += 1;
                return false;
            }
            if !entry.is_failed() {
                entry.state = refused(code.clone());
                parked += 1;
            }
            true
        });
        (parked, left)
    }
}
