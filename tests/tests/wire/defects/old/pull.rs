//! How the old app pulled (defects 1 to 4).

use super::{Minutes, OldMessage, OldServer};
use std::collections::{BTreeMap, BTreeSet};

/// A phone with the old app.
#[derive(Debug, Default)]
pub(crate) struct OldPhone {
    /// How far its clock is ahead of the server's.
    ahead: Minutes,
    pub(crate) conversations: BTreeSet<usize>,
    messages: BTreeMap<usize, OldMessage>,
    last_pulled_at: Option<Minutes>,
}

impl OldPhone {
    pub(crate) fn with_clock_ahead(ahead: Minutes) -> Self {
        Self { ahead, ..Self::default() }
    }

    /// Pulls, then sets the cursor to what its own clock shows, whatever it has received.
    pub(crate) fn pull(&mut self, server: &mut OldServer) {
        match self.last_pulled_at {
            None => self.first_pull(server),
            Some(since) => {
                self.conversations.extend(server.conversations_after(since));
                self.keep(server.messages_after(since));
            }
        }
        self.last_pulled_at = Some(server.now + self.ahead);
    }

    /// One request for the conversations, and one for each of them. One that fails is skipped.
    fn first_pull(&mut self, server: &mut OldServer) {
        server.requests += 1;
        for conversation in 0..server.conversations.len() {
            self.conversations.insert(conversation);
            if let Some(messages) = server.newest_of(conversation) {
                self.keep(messages);
            }
        }
    }

    fn keep(&mut self, messages: Vec<OldMessage>) {
        self.messages.extend(messages.into_iter().map(|message| (message.id, message)));
    }

    /// The texts that it shows.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.messages.values().map(|message| message.text.clone()).collect()
    }

    /// The status that it shows for a message; none if it does not show the message.
    pub(crate) fn status(&self, id: usize) -> Option<&'static str> {
        self.messages.get(&id).map(|message| message.status)
    }
}
