//! What a new device shows while its first load is on its way.
//!
//! A page of a first load is applied whole before any of it is shown, and a full one may be a MiB: more than two minutes at
//! 64 kbit/s. So a device to which nothing has ever come asks for a glimpse first: the conversations of a first screen,
//! newest activity first, each with its last message. Then the first load begins, and brings these again with all the
//! others.
//!
//! For the server and for the store a glimpse is the first page of a bootstrap that is then begun anew, which both know how
//! to deal with. Only where that bootstrap would go on is not kept: it would leave the conversations of the glimpse with
//! what little came of them. A mark takes its place, so that a device that stops right then begins anew, too.
//!
//! A glimpse that turns out to be everything (few conversations, short ones) is the first load.

use super::{Effect, Pass, follow::Then};
use crate::Progress;
use fieldpost_domain::{BootstrapPage, Changes, Continuation, Conversation, Seq};
use fieldpost_remote::BootstrapRequest;
use fieldpost_storage::{SyncPosition, SyncState};

/// How many conversations, each with its last message.
const CONVERSATIONS: u32 = 20;

/// No server sends this: it comes from here.
const MARK: &str = "glimpse";

/// Whether a bootstrap that would go on here was a glimpse.
pub(super) fn is_glimpse(after: Option<&Continuation>) -> bool {
    after.is_some_and(|after| after.as_str() == MARK)
}

/// Whether the page on its way is a glimpse.
#[derive(Debug, Default)]
pub(super) struct Glimpse(bool);

impl Glimpse {
    pub(super) const fn is_on(&self) -> bool {
        self.0
    }

    /// A page came. True if it is a glimpse and there is more to come than what it holds.
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
    pub(super) const fn want_glimpse(&mut self, state: &SyncState) {
        let first = matches!(state.position, SyncPosition::Fresh | SyncPosition::Bootstrapping { after: None, .. });
        self.follow.glimpse = Glimpse(first && state.me.is_none());
    }

    pub(super) const fn glimpse_request() -> BootstrapRequest {
        BootstrapRequest { after: None, limit: Some(CONVERSATIONS), messages: Some(1) }
    }

    pub(super) fn on_glimpse(&mut self, page: BootstrapPage) -> Effect {
        self.carried.limits = page.limits;
        self.follow.progress = Some(Progress { done: 0, total: Some(page.total_conversations) });
        self.follow.then = Then::BeginWhole;
        let page = BootstrapPage { next_after: Some(Continuation::new(MARK)), digest: None, ..page };
        Effect::ApplyBootstrap { after: None, page: Box::new(page), next: Some(self.page_request(None)) }
    }
}
