//! The server, and what all devices share.

use super::Outages;
use crate::{
    network::Uplink,
    simulator::{narrow::Narrow, observer::Observer, policy::Policy, rules::Places},
};
use fieldpost_domain::{
    ConversationId, Intent, Message, MessageId, Mutation, MutationId, PersonId, PushOutcome, SettingsChange,
};
use fieldpost_remote::{PushAnswer, RemoteResult, reference::ReferenceServer};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
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
    /// What the server has accepted of each person: the settings, and the texts of messages.
    settings: Mutex<Vec<(PersonId, ConversationId, SettingsChange)>>,
    texts: Mutex<BTreeSet<(MessageId, String)>>,
    /// Mutations that the server has finally refused.
    refused: Mutex<BTreeSet<MutationId>>,
    /// The current or last org, kind and medic of each conversation.
    places: Mutex<Places>,
    /// The conversations of people whose settings follow no rule that the devices know.
    undecided: Mutex<BTreeSet<(PersonId, ConversationId)>>,
    /// The number of pushes that say nothing but what has arrived.
    deliveries: AtomicU64,
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
            settings: Mutex::default(),
            texts: Mutex::default(),
            refused: Mutex::default(),
            places: Mutex::default(),
            undecided: Mutex::default(),
            deliveries: AtomicU64::new(0),
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

    /// The conversations of people whose settings follow no rule that the devices know: another client has changed them, or
    /// a person has taken a change back.
    pub(crate) fn undecided(&self) -> MutexGuard<'_, BTreeSet<(PersonId, ConversationId)>> {
        self.undecided.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Records the settings and texts of a push that the server has accepted.
    pub(super) fn note_accepted(
        &self,
        by: Option<PersonId>,
        mutations: &[Mutation],
        answer: &RemoteResult<PushAnswer>,
    ) {
        let (Some(by), Ok(answer)) = (by, answer) else { return };
        for (mutation, result) in mutations.iter().zip(&answer.results) {
            if !matches!(result.outcome, PushOutcome::Acknowledged(_)) {
                continue;
            }
            let text = match &mutation.intent {
                Intent::SetConversation(set) => {
                    let id = self.server.canonical(set.conversation_id);
                    self.settings.lock().unwrap_or_else(PoisonError::into_inner).push((by, id, set.change));
                    continue;
                }
                Intent::SendMessage(message) => (message.id, message.content.as_str().to_owned()),
                Intent::EditMessage(edit) => (edit.message_id, edit.content.as_str().to_owned()),
                _ => continue,
            };
            self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
        }
    }

    /// Whether the server has once accepted this text of a message. A copy of a request may have brought back an older one.
    pub(crate) fn has_accepted_text(&self, message: MessageId, text: &str) -> bool {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).contains(&(message, text.to_owned()))
    }

    /// What the server has accepted of a person's settings for a conversation, in the order of arrival.
    pub(crate) fn accepted_settings(&self, by: PersonId, conversation: ConversationId) -> Vec<SettingsChange> {
        let all = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let hers = all.iter().filter(|(person, id, _)| *person == by && self.server.canonical(*id) == conversation);
        hers.map(|(.., change)| *change).collect()
    }

    /// The number of pushes that say nothing but what has arrived.
    pub(crate) fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::SeqCst)
    }

    pub(super) fn note_delivery(&self, mutations: &[Mutation]) {
        let delivers = mutations.iter().all(|mutation| matches!(mutation.intent, Intent::MarkDelivered(_)));
        self.deliveries.fetch_add(u64::from(delivers), Ordering::SeqCst);
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
