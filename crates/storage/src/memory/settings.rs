//! The person's settings for conversations.

use super::state::{Entry, State};
use super::versions::is_newer;
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{ConversationId, ConversationSettings, Intent, SetConversation, Settings, Time};

impl State {
    /// What shows: what the server has, and what is queued.
    pub(super) fn settings_of(&self, conversation: ConversationId) -> Settings {
        self.settings_but(conversation, |_| false)
    }

    /// The same without some entries of the outbox.
    pub(super) fn settings_but(&self, conversation: ConversationId, without: impl Fn(&Entry) -> bool) -> Settings {
        let mut shown = self.settings.get(&conversation).map(|row| row.settings).unwrap_or_default();
        if planted(PlantedBug::QueuedSettingHidden) && self.settings.contains_key(&conversation) {
            return shown;
        }
        let waiting = self.outbox.iter().filter(|entry| !entry.is_failed() && !without(entry));
        for entry in waiting {
            match &entry.intent {
                Intent::SetConversation(SetConversation { conversation_id, change })
                    if *conversation_id == conversation =>
                {
                    change.apply(&mut shown);
                }
                _ => {}
            }
        }
        shown
    }

    /// Whether a message of somebody else came after the conversation was archived.
    pub(super) fn is_revived(&self, conversation: ConversationId) -> bool {
        let own = self.owner();
        let archived = self.settings_of(conversation).archived.filter(|_| !planted(PlantedBug::ArchivedForGood));
        archived.is_some_and(|archived| {
            let mut newer = self.server_messages(conversation).filter(|message| message.seq > archived.seq);
            newer.any(|message| Some(message.sender_id) != own)
        })
    }

    /// Applies a row of the server. False if it changes nothing.
    pub(super) fn put_settings(&mut self, incoming: ConversationSettings) -> bool {
        let conversation_id = self.resolve(incoming.conversation_id);
        if !self.threads.contains_key(&conversation_id) && self.has_left(conversation_id) {
            return false;
        }
        let stored = self.settings.get(&conversation_id);
        let same_version =
            stored.is_some_and(|row| row.version == incoming.version && row.settings != incoming.settings);
        let newer = is_newer(stored.map(|row| row.version), incoming.version) || same_version;
        if newer {
            if planted(PlantedBug::PendingSettingLost) {
                self.outbox.retain(|entry| !is_unattempted(entry, conversation_id));
            }
            self.settings.insert(conversation_id, ConversationSettings { conversation_id, ..incoming });
        }
        newer
    }

    pub(super) fn unread_for_badge(&self, now: Time) -> u64 {
        let calls = |id: &&ConversationId| {
            let settings = self.settings_of(**id);
            (!settings.is_muted(now) || planted(PlantedBug::BadgeCountsMuted))
                && !settings.is_archived(self.is_revived(**id), now)
        };
        self.threads.keys().filter(calls).map(|id| self.unread(*id)).sum()
    }

    pub(super) fn next_unmute(&self, now: Time) -> Option<Time> {
        let until = self.threads.keys().filter_map(|id| self.settings_of(*id).muted_until);
        until.filter(|until| *until > now).min()
    }
}

/// Whether an entry changes settings of a conversation and was never attempted.
pub(super) fn is_unattempted(entry: &Entry, conversation: ConversationId) -> bool {
    let sets = matches!(&entry.intent, Intent::SetConversation(set) if set.conversation_id == conversation);
    sets && entry.in_flight == 0 && !entry.is_failed()
}
