//! How the old app pushed (defects 5 to 8).

use super::{Minutes, OldMessage, OldServer};

const A_DAY: Minutes = 24 * 60;

/// One attempt to send one message, after its first request: `select id from messages where metadata->>key = …`.
#[derive(Debug)]
pub(crate) struct OldAttempt {
    message: OldMessage,
    is_there: bool,
}

impl OldAttempt {
    /// Asks whether the server has the key.
    pub(crate) fn select(server: &mut OldServer, message: &OldMessage) -> Self {
        server.requests += 1;
        let is_there = server.messages.iter().any(|row| row.key.is_some() && row.key == message.key);
        Self { message: message.clone(), is_there }
    }

    /// The other three: insert the message, update the conversation's preview, upsert the sender's read status.
    pub(crate) fn insert(self, server: &mut OldServer) {
        if !self.is_there {
            server.requests += 3;
            server.messages.push(self.message);
        }
    }
}

/// A message that waits on the phone.
#[derive(Debug, Clone)]
pub(crate) struct OldQueued {
    pub(crate) message: OldMessage,
    pub(crate) attempts: usize,
}

/// The messages that the phone wrote.
#[derive(Debug, Default)]
pub(crate) struct OldOutbox {
    pub(crate) written: Vec<OldQueued>,
    /// The conversation in which the server lets this person write nothing.
    pub(crate) refused: Option<usize>,
}

impl OldOutbox {
    pub(crate) fn write(&mut self, conversation: usize, text: &str, now: Minutes) -> usize {
        let number = self.written.len();
        let (id, text, key) = (1_000 + number, text.to_owned(), Some(number));
        let message = OldMessage { id, conversation, text, status: "queued", deleted: false, created_at: now, key };
        self.written.push(OldQueued { message, attempts: 0 });
        number
    }

    /// What a push begins with. Nothing keeps a second push from beginning before the first has marked these.
    pub(crate) fn queued(&self) -> Vec<OldMessage> {
        let queued = self.written.iter().filter(|one| one.message.status == "queued");
        queued.map(|one| one.message.clone()).collect()
    }

    /// A whole push, one message after the other.
    pub(crate) fn push(&mut self, server: &mut OldServer) {
        for one in self.written.iter_mut().filter(|one| one.message.status == "queued") {
            if server.now - one.message.created_at > A_DAY {
                one.message.status = "failed";
                continue;
            }
            one.attempts += 1;
            if self.refused == Some(one.message.conversation) {
                // Whatever the server said, it stays queued and is tried at the next push.
                server.requests += 2;
                continue;
            }
            OldAttempt::select(server, &one.message).insert(server);
            one.message.status = "sent";
        }
    }
}
