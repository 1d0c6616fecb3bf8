//! The server, and what all devices share.

use super::Outages;
use crate::{
    network::Uplink,
    simulator::{narrow::Narrow, observer::Observer, policy::Policy, rules::Places},
};
use fieldpost_domain::{ConversationId, Intent, Message, MessageId, Mutation, MutationId, PersonId, PushOutcome};
use fieldpost_remote::{PushAnswer, RemoteResult, reference::ReferenceServer};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

/// The server and the state that all links share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) server: ReferenceServer,
    pub(crate) policy: Option<Policy>,
    pub(crate) narrow: Narrow,
    pub(crate) observer: Arc<Observer>,
    pub(crate) outages: Outages,
    /// The server's own connection.
    pub(crate) uplink: Arc<Uplink>,
    /// A push that touches one of these fails as a whole.
    poisoned: Mutex<BTreeSet<ConversationId>>,
    /// Messages that the server has stored at some time.
    reached: Mutex<BTreeSet<MessageId>>,
    /// Mutations that the server has finally refused.
    refused: Mutex<BTreeSet<MutationId>>,
    /// The current or last org, kind and medic of each conversation.
    places: Mutex<Places>,
    /// The number of transactions that have changed who sees what.
    pub(crate) sights: AtomicU64,
}

impl Hub {
    pub(crate) fn new(
        server: ReferenceServer,
        policy: Option<Policy>,
        narrow: Narrow,
        observer: Arc<Observer>,
    ) -> Self {
        Self {
            server,
            policy,
            narrow,
            observer,
            outages: Outages::default(),
            uplink: Arc::default(),
            poisoned: Mutex::default(),
            reached: Mutex::default(),
            refused: Mutex::default(),
            places: Mutex::default(),
            sights: AtomicU64::new(0),
        }
    }

    /// A server that hides nothing and carries everything.
    pub(crate) fn plain(server: ReferenceServer, observer: Arc<Observer>) -> Self {
        Self::new(server, None, Narrow::default(), observer)
    }

    /// The messages of a conversation that a reader of it may see.
    pub(crate) fn messages_for(&self, reader: PersonId, conversation: ConversationId) -> Vec<Message> {
        let mut messages = self.server.messages_of(conversation);
        messages.retain(|message| self.policy.is_none_or(|policy| policy.lets_see(message, reader)));
        messages
    }

    /// The poisoned conversations.
    pub(crate) fn poisoned(&self) -> MutexGuard<'_, BTreeSet<ConversationId>> {
        self.poisoned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages that the server has stored at some time.
    pub(crate) fn reached(&self) -> MutexGuard<'_, BTreeSet<MessageId>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current or last org, kind and medic of each conversation.
    pub(crate) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn poisons(&self, mutations: &[Mutation]) -> bool {
        let poisoned = self.poisoned();
        mutations.iter().any(|mutation| poisoned.contains(&self.server.canonical(mutation.intent.lane())))
    }

    /// The mutations that the server has finally refused.
    pub(crate) fn refused(&self) -> MutexGuard<'_, BTreeSet<MutationId>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_refused(&self, mutations: &[Mutation], answer: &RemoteResult<PushAnswer>) {
        let Ok(answer) = answer else { return };
        for (mutation, result) in mutations.iter().zip(&answer.results) {
            if matches!(result.outcome, PushOutcome::Rejected(_)) {
                self.refused().insert(mutation.id);
            }
        }
    }

    pub(super) fn note_reached(&self, mutations: &[Mutation]) {
        let mut reached = self.reached();
        for mutation in mutations {
            if let Intent::SendMessage(message) = &mutation.intent
                && self.server.message(message.id).is_some()
            {
                reached.insert(message.id);
            }
        }
    }
}
