//! Who is writing in which conversation. None of this is stored.
//!
//! A person who writes is said to be writing at most once in [`Typing::PAUSE`], however often her keys are pressed. What was heard
//! of another one ends by itself: she has stopped, or her message is there.

use crate::machine::Moment;
use fieldpost_domain::{ConversationId, PersonId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// By conversation, who writes there.
pub type Writing = BTreeMap<ConversationId, BTreeSet<PersonId>>;

#[derive(Debug, Clone, Default)]
pub(super) struct Typing {
    /// Where somebody looks.
    watched: BTreeSet<ConversationId>,
    own: BTreeMap<ConversationId, Own>,
    /// Until when others are shown.
    others: BTreeMap<(ConversationId, PersonId), Moment>,
}

/// What this person writes in a conversation.
#[derive(Debug, Clone, Copy)]
struct Own {
    last_key: Moment,
    last_said: Option<Moment>,
}

impl Typing {
    /// The time between two messages to the others.
    const PAUSE: Duration = Duration::from_secs(3);
    /// How long another one is shown. Longer than the pause, because a message may be late or lost.
    const SHOWN: Duration = Duration::from_secs(7);
    /// How long the topic stays joined after the last key.
    const JOINED: Duration = Duration::from_secs(60);
    /// How many conversations are joined at once. Realtime lets a connection join 100 topics, and hints need some.
    const PLACES: usize = 50;
    /// How many are shown in one conversation. Everybody there can say that others are writing, and make up who.
    const CROWD: usize = 20;

    pub(super) fn watch(&mut self, conversations: BTreeSet<ConversationId>) {
        self.others.retain(|(id, _), _| conversations.contains(id));
        self.watched = conversations;
    }

    /// The person has pressed a key.
    pub(super) fn pressed(&mut self, now: Moment, conversation: ConversationId) {
        let own = self.own.entry(conversation).or_insert(Own { last_key: now, last_said: None });
        own.last_key = now;
    }

    /// Where the others are to be told now, of those places where that is possible.
    pub(super) fn due(&self, now: Moment, possible: impl Fn(ConversationId) -> bool) -> Option<ConversationId> {
        let due = |own: &Own| {
            let lately = now.saturating_sub(own.last_key) < Self::PAUSE;
            let new = own.last_said.is_none_or(|said| own.last_key > said && now.saturating_sub(said) >= Self::PAUSE);
            lately && new
        };
        self.own.iter().find(|(id, own)| due(own) && possible(**id)).map(|(id, _)| *id)
    }

    pub(super) fn said(&mut self, now: Moment, conversation: ConversationId) {
        if let Some(own) = self.own.get_mut(&conversation) {
            own.last_said = Some(now);
        }
    }

    pub(super) fn heard(&mut self, now: Moment, conversation: ConversationId, person: PersonId) {
        let known = self.others.contains_key(&(conversation, person));
        let here = self.others.keys().filter(|(id, _)| *id == conversation).count();
        if self.watched.contains(&conversation) && (known || here < Self::CROWD) {
            self.others.insert((conversation, person), now + Self::SHOWN);
        }
    }

    /// Nobody says anything any more.
    pub(super) fn silence(&mut self) {
        self.others.clear();
    }

    /// What is over is forgotten.
    pub(super) fn tidy(&mut self, now: Moment) {
        self.others.retain(|_, until| *until > now);
        self.own.retain(|_, own| now.saturating_sub(own.last_key) < Self::JOINED);
    }

    /// When something is over, or is to be said.
    pub(super) fn next(&self) -> Option<Moment> {
        let own = self.own.values().flat_map(|own| {
            let again = own.last_said.filter(|said| own.last_key > *said).map(|said| said + Self::PAUSE);
            [Some(own.last_key + Self::JOINED), again]
        });
        self.others.values().copied().map(Some).chain(own).flatten().min()
    }

    /// The conversations whose topics are needed: first those where the person writes.
    pub(super) fn places(&self) -> BTreeSet<ConversationId> {
        let others = self.watched.iter().filter(|id| !self.own.contains_key(id));
        self.own.keys().chain(others).copied().take(Self::PLACES).collect()
    }

    pub(super) fn writing(&self) -> Writing {
        let mut writing = Writing::new();
        for (conversation, person) in self.others.keys() {
            writing.entry(*conversation).or_default().insert(*person);
        }
        writing
    }
}
