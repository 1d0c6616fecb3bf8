//! Checks whom a message addresses: the message that it replies to, and the people that it mentions.

use super::state::{State, Thread};
use crate::{NotPossible, StorageError, StorageErrorKind, StorageResult, visibility::may_see};
use fieldpost_domain::{ConversationId, Mentions, MessageId};

impl State {
    /// A message that is known to be in another conversation cannot be answered in this one.
    pub(super) fn check_reply(&self, conversation: ConversationId, reply_to: Option<MessageId>) -> StorageResult<()> {
        let target = reply_to.and_then(|target| self.messages.get(&target));
        let elsewhere = target.is_some_and(|target| target.conversation_id() != conversation);
        if elsewhere { not_possible("send", NotPossible::RepliesElsewhere) } else { Ok(()) }
    }

    /// Nobody can be mentioned who is known not to see the conversation. Whom it mentioned `before` may stay.
    pub(super) fn check_mentions(
        &self,
        operation: &'static str,
        conversation: ConversationId,
        mentions: &Mentions,
        before: &Mentions,
    ) -> StorageResult<()> {
        let Some(place) = self.threads.get(&conversation).map(Thread::place) else { return Ok(()) };
        let mut known = mentions.difference(before).filter_map(|person| self.people.get(&(*person, place.org_id)));
        let hidden = known.any(|person| !may_see(person, &place));
        if hidden { not_possible(operation, NotPossible::MentionNotAllowed) } else { Ok(()) }
    }
}

fn not_possible(operation: &'static str, why: NotPossible) -> StorageResult<()> {
    Err(StorageError::new(StorageErrorKind::NotApplicable(why), operation))
}
