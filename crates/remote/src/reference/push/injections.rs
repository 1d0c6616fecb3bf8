//! `retry` results on demand, for tests; they stand for a deadlock or a full disk.

use fieldpost_domain::{ConversationId, RetryCode};
use std::collections::VecDeque;

/// The retries still to give, oldest first.
#[derive(Debug, Default)]
pub(in crate::reference) struct Injections(VecDeque<(Option<ConversationId>, RetryCode)>);

impl Injections {
    pub(in crate::reference) fn add(&mut self, conversation: Option<ConversationId>, code: RetryCode) {
        self.0.push_back((conversation, code));
    }

    /// Takes the first one that applies to a mutation of this conversation.
    pub(super) fn take(&mut self, conversation: ConversationId) -> Option<RetryCode> {
        let applies = |wanted: &Option<ConversationId>| wanted.is_none_or(|wanted| wanted == conversation);
        let index = self.0.iter().position(|(wanted, _)| applies(wanted))?;
        self.0.remove(index).map(|(_, code)| code)
    }
}
