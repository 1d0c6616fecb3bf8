//! What a new device shows while its first load is on its way.
//!
//! A page of a first load is applied whole before any of it is shown, and a full one may be a MiB: more than two minutes at
//! 64 kbit/s. So a device to which nothing has ever come asks for a first screen: some conversations,
//! newest activity first, each with its last message. Then the first load begins, and brings these again with all the
//! others.
//!
//! For the server a first screen is the first page of a bootstrap that is then begun anew. The store knows it for what it is
//! ([`SyncPosition::FirstScreen`]): a device that stops right then begins anew, too. To go on where that page led would leave
//! its conversations with what little came of them.
//!
//! A first screen that turns out to be everything (few conversations, short ones) is the first load.

use super::{Effect, Pass, follow::Then};
use crate::Progress;
use fieldpost_domain::{BootstrapPage, Changes, Conversation, Seq};
use fieldpost_remote::BootstrapRequest;
use fieldpost_storage::{SyncPosition, SyncState};

/// How many conversations, each with its last message.
const CONVERSATIONS: u32 = 20;

/// Whether the page on its way is a first screen.
#[derive(Debug, Default)]
pub(super) struct FirstScreen(bool);

impl FirstScreen {
    pub(super) const fn is_on(&self) -> bool {
        self.0
    }

    /// A page came. True if it is a first screen and there is more to come than what it holds.
    pub(super) fn ends_with(&mut self, page: &BootstrapPage) -> bool {
        std::mem::take(&mut self.0) && (page.next_after.is_some() || !is_everything(&page.changes))
    }
}

/// Each conversation came from its first message on.
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
    /// Every page says who the person is: a device that does not know, and asks for a first one, has never had any.
    pub(super) const fn want_first_screen(&mut self, state: &SyncState) {
        let first = matches!(state.position, SyncPosition::Fresh | SyncPosition::Bootstrapping { after: None, .. });
        self.follow.first_screen = FirstScreen(first && state.me.is_none());
    }

    pub(super) const fn first_screen_request() -> BootstrapRequest {
        BootstrapRequest { after: None, limit: Some(CONVERSATIONS), messages: Some(1) }
    }

    pub(super) fn on_first_screen(&mut self, page: BootstrapPage) -> Effect {
        self.memory.limits = page.limits;
        self.follow.progress = Some(Progress { done: 0, total: Some(page.total_conversations) });
        self.follow.then = Then::BeginWhole;
        Effect::ApplyFirstScreen { page: Box::new(page), next: self.page_request(None) }
    }
}
