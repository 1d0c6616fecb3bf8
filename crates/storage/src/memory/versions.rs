//! Decides which rows are too old to apply, by stored versions, tombstones and revocations.

use super::state::{Access, State};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, MessageId, Version};

/// Whether a row of version `incoming` replaces one of version `stored`.
pub(super) fn is_newer(stored: Option<Version>, incoming: Version) -> bool {
    stored.is_none_or(|stored| incoming > stored)
}

impl State {
    /// Whether a tombstone or revocation excludes a conversation row of this version.
    pub(super) fn is_excluded(&self, conversation: ConversationId, version: Version) -> bool {
        self.is_revoked(conversation) || !is_newer(self.conversation_tombstones.get(&conversation).copied(), version)
    }

    pub(super) fn is_revoked(&self, conversation: ConversationId) -> bool {
        self.access.get(&conversation).is_some_and(|access| access.revoked)
    }

    /// Whether a missing conversation left for a known reason, so that its rows are ignored.
    pub(super) fn has_left(&self, conversation: ConversationId) -> bool {
        self.is_revoked(conversation) || self.conversation_tombstones.contains_key(&conversation)
    }

    pub(super) fn has_tombstone(&self, message: MessageId, version: Version) -> bool {
        !planted(PlantedBug::DeletedComesBack) && !is_newer(self.message_tombstones.get(&message).copied(), version)
    }

    /// Records a state of access. False if a newer one is known.
    pub(super) fn note_access(&mut self, conversation: ConversationId, version: Version, revoked: bool) -> bool {
        let newer = is_newer(self.access.get(&conversation).map(|access| access.version), version);
        if newer {
            self.access.insert(conversation, Access { version, revoked });
        }
        newer
    }

    /// The server lists the conversation, which overrides every earlier revocation. The version of the revocation is
    /// kept, so that a late repetition is still recognised.
    pub(super) fn lift_revocation(&mut self, conversation: ConversationId) {
        if let Some(access) = self.access.get_mut(&conversation) {
            access.revoked = false;
        }
    }

    /// After a change of epoch, stored versions mean nothing and every row counts as newer.
    pub(super) fn forget_versions(&mut self) {
        self.message_tombstones.clear();
        self.conversation_tombstones.clear();
        self.access.clear();
        self.people.values_mut().for_each(|person| person.version = Version::ZERO);
        self.threads.values_mut().for_each(|thread| thread.row.version = Version::ZERO);
        self.markers.values_mut().for_each(|marker| marker.version = Version::ZERO);
        self.reactions.values_mut().for_each(|reaction| reaction.version = Version::ZERO);
        self.settings.values_mut().for_each(|row| row.version = Version::ZERO);
        for row in self.messages.values_mut() {
            if let super::state::Row::Server(message) = row {
                message.version = Version::ZERO;
            }
        }
    }
}
