//! The first screen: what a new device shows before its bootstrap.
//!
//! A bootstrap page is applied as a whole before anything of it is shown, and a full page may be a MiB: more than two
//! minutes at 64 kbit/s. So an empty device first requests a first screen: some conversations, the newest activity
//! first, each with its last message. Then the bootstrap begins and brings these conversations again with all the
//! others.
//!
//! For the server, a first screen is the first page of a bootstrap that is then begun again. The store records it as
//! [`SyncPosition::FirstScreen`], so a device that stops right then begins the bootstrap again too. If it continued
//! after that page, the messages that the first screen left out would never come.
//!
//! If the first screen holds everything (few and short conversations), it counts as the bootstrap.

use super::{Effect, Pass, follow::Then};
use crate::Progress;
use fieldpost_domain::{BootstrapPage, Changes, Conversation, Seq};
use fieldpost_remote::BootstrapRequest;
use fieldpost_storage::{SyncPosition, SyncState};

/// How many conversations, each with its last message.
const CONVERSATIONS: u32 = 20;

/// Whether the requested page is a first screen.
#[derive(Debug, Default)]
pub(super) struct FirstScreen(bool);

impl FirstScreen {
    pub(super) const fn is_on(&self) -> bool {
        self.0
    }

    /// Takes a page. True if it is a first screen and the server has more than it holds.
    pub(super) fn ends_with(&mut self, page: &BootstrapPage) -> bool {
        std::mem::take(&mut self.0) && (page.next_after.is_some() || !is_everything(&page.changes))
    }
}

/// Whether every conversation came with its first message.
fn is_everything(changes: &Changes) -> bool {
    let begins = |conversation: &Conversation| {
        let first = |seq: Seq| {
            changes.messages.iter().any(|message| message.conversation_id == conversation.id && message.seq == seq)
        };
        conversation.last_seq == Seq::ZERO || first(Seq::new(1))
    };
    changes.unreadable.is_empty() && changes.conversations.iter().all(begins)
}

impl Pass {
    /// Every page says who the person is. So a device that does not know that and requests a first page has never had
    /// one.
    pub(super) const fn want_first_screen(&mut self, state: &SyncState) {
        let first = matches!(state.position, SyncPosition::Fresh | SyncPosition::Bootstrapping { after: None, .. });
        self.follow.first_screen = FirstScreen(first && state.me.is_none());
    }

    pub(super) fn first_screen_request(&self) -> BootstrapRequest {
        let limit = self.page_limit().map_or(CONVERSATIONS, |rows| rows.min(CONVERSATIONS));
        BootstrapRequest { after: None, limit: Some(limit), messages: Some(1), bytes: self.page_bytes() }
    }

    pub(super) fn on_first_screen(&mut self, page: BootstrapPage) -> Effect {
        self.measure_down(page.transfer, page.changes.len());
        self.know_server(Some(&page.server));
        self.memory.limits = page.limits;
        self.follow.progress = Some(Progress { done: 0, total: Some(page.total_conversations) });
        self.follow.then = Then::BeginBootstrap;
        Effect::ApplyFirstScreen { page: Box::new(page), next: Some(self.page_request(None)) }
    }
}
