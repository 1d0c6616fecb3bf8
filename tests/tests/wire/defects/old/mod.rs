//! The old app's algorithms, in memory: as much of each as its defect needs, over a few columns of the old tables.

mod clinical;
mod names;
mod policies;
mod pull;
mod push;

pub(super) use clinical::{OldRecord, OldUpdate};
pub(super) use names::{OldMedic, OldThreads, conversation_names, preview};
pub(super) use policies::{OldCaller, insert, select};
pub(super) use pull::OldPhone;
pub(super) use push::{OldAttempt, OldOutbox};

/// Minutes since the scenario began.
pub(super) type Minutes = i64;

/// A row of the table `messages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OldMessage {
    pub(super) id: usize,
    pub(super) conversation: usize,
    pub(super) text: String,
    pub(super) status: &'static str,
    pub(super) deleted: bool,
    pub(super) created_at: Minutes,
    /// In the metadata; no index knows it.
    pub(super) key: Option<usize>,
}

/// The old server: two tables, a clock, and a counter of requests.
#[derive(Debug, Default)]
pub(super) struct OldServer {
    pub(super) now: Minutes,
    /// When each conversation was created; the index is its id.
    pub(super) conversations: Vec<Minutes>,
    pub(super) messages: Vec<OldMessage>,
    pub(super) requests: usize,
    /// The conversation whose messages cannot be fetched for now.
    pub(super) failing: Option<usize>,
}

impl OldServer {
    /// Somebody opens a conversation.
    pub(super) fn open(&mut self) -> usize {
        self.conversations.push(self.now);
        self.conversations.len() - 1
    }

    /// Somebody writes a message. Returns its id.
    pub(super) fn write(&mut self, conversation: usize, text: &str) -> usize {
        let (id, created_at) = (self.messages.len(), self.now);
        let text = text.to_owned();
        self.messages.push(OldMessage {
            id,
            conversation,
            text,
            status: "sent",
            deleted: false,
            created_at,
            key: None,
        });
        id
    }

    /// `select … where created_at > since order by created_at limit 200`.
    pub(super) fn conversations_after(&mut self, since: Minutes) -> Vec<usize> {
        self.requests += 1;
        let newer = self.conversations.iter().enumerate().filter(|(_, created_at)| **created_at > since);
        newer.map(|(id, _)| id).take(200).collect()
    }

    /// `select … where created_at > since order by created_at limit 500`. The policy hides deleted rows.
    pub(super) fn messages_after(&mut self, since: Minutes) -> Vec<OldMessage> {
        self.requests += 1;
        let newer = self.messages.iter().filter(|message| message.created_at > since && !message.deleted);
        newer.take(500).cloned().collect()
    }

    /// The last 100 messages of one conversation; none if the request fails.
    pub(super) fn newest_of(&mut self, conversation: usize) -> Option<Vec<OldMessage>> {
        self.requests += 1;
        if self.failing == Some(conversation) {
            return None;
        }
        let visible = self.messages.iter().filter(|message| message.conversation == conversation && !message.deleted);
        Some(visible.rev().take(100).cloned().collect())
    }
}
