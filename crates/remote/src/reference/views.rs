//! The contents of the server, for assertions and for the devserver.

use super::{ReferenceServer, cursor::Position, feed::Place, page::Page, rows, snapshot::Snapshot, viewer::Viewer};
use crate::client_capabilities;
use fieldpost_domain::{
    AccessToken, Changes, Conversation, ConversationDigest, ConversationId, Emoji, Message, MessageId, Person,
    PersonId, ReadMarker, ServerInfo, ServerLimits, Settings, Time, Tombstone,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

impl ReferenceServer {
    /// The messages of a conversation (by any of its ids), in order, including soft-deleted ones.
    #[must_use]
    pub fn messages_of(&self, conversation: ConversationId) -> Vec<Message> {
        let state = self.lock();
        state.tables.thread(state.tables.resolve(conversation)).cloned().collect()
    }

    /// The people who have reacted to a message, by emoji.
    #[must_use]
    pub fn reactions_to(&self, message: MessageId) -> BTreeMap<Emoji, BTreeSet<PersonId>> {
        let state = self.lock();
        let mut people: BTreeMap<Emoji, BTreeSet<PersonId>> = BTreeMap::new();
        for row in state.tables.reactions_to(message).filter(|row| row.by.count() > 0) {
            people.entry(row.emoji.clone()).or_default().extend(row.by.person());
        }
        people
    }

    /// One message.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<Message> {
        self.lock().tables.messages.get(&id).cloned()
    }

    /// The ids of all conversations.
    #[must_use]
    pub fn conversation_ids(&self) -> Vec<ConversationId> {
        self.lock().tables.conversations.keys().copied().collect()
    }

    /// One conversation (by any of its ids), as seen by a person who has read nothing in it.
    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Option<Conversation> {
        let state = self.lock();
        let row = state.tables.conversations.get(&state.tables.resolve(id))?;
        let nobody = Viewer { person_id: PersonId::NOBODY, members: Vec::new() };
        Some(rows::conversation(&state.tables, &nobody, row))
    }

    /// A person's membership, the first one if there are several; none without a membership.
    #[must_use]
    pub fn member(&self, person: PersonId) -> Option<Person> {
        self.lock().tables.memberships(person).next().map(rows::person)
    }

    /// A person's memberships, one for each org.
    #[must_use]
    pub fn memberships(&self, person: PersonId) -> Vec<Person> {
        self.lock().tables.memberships(person).map(rows::person).collect()
    }

    /// The canonical id of a conversation; the id itself if it is no alias.
    #[must_use]
    pub fn canonical(&self, conversation: ConversationId) -> ConversationId {
        self.lock().tables.resolve(conversation)
    }

    /// The conversations that a person sees, with the fields derived for her.
    #[must_use]
    pub fn conversations_of(&self, person: PersonId) -> Vec<Conversation> {
        let state = self.lock();
        let viewer = Viewer::of(&state.tables, person);
        viewer.conversations(&state.tables).map(|row| rows::conversation(&state.tables, &viewer, row)).collect()
    }

    /// Everything that a person may see: the contents of a device that has caught up.
    #[must_use]
    pub fn visible_to(&self, person: PersonId) -> Changes {
        let state = self.lock();
        let viewer = Viewer::of(&state.tables, person);
        let mut page = Page::new(&state.tables, &viewer, &client_capabilities());
        for (_, key) in state.feed.between(Place::start_of(0), &Snapshot::default(), &state.feed.snapshot()) {
            if viewer.sees_row(&state.tables, &key) {
                page.add(&key);
            }
        }
        page.finish()
    }

    /// The digest of the conversations that a person sees.
    #[must_use]
    pub fn digest_of(&self, person: PersonId) -> ConversationDigest {
        let state = self.lock();
        state.digest(&Viewer::of(&state.tables, person), &client_capabilities())
    }

    /// Everybody's markers of a conversation.
    #[must_use]
    pub fn markers_of(&self, conversation: ConversationId) -> Vec<ReadMarker> {
        let state = self.lock();
        state.tables.markers.values().filter(|marker| marker.conversation_id == conversation).cloned().collect()
    }

    /// A person's read marker.
    #[must_use]
    pub fn marker_of(&self, conversation: ConversationId, person: PersonId) -> Option<ReadMarker> {
        self.lock().tables.markers.get(&(conversation, person)).cloned()
    }

    /// What a person has set for a conversation.
    #[must_use]
    pub fn settings_of(&self, conversation: ConversationId, person: PersonId) -> Settings {
        self.lock().tables.settings.get(&(conversation, person)).map(|row| row.settings).unwrap_or_default()
    }

    /// All tombstones.
    #[must_use]
    pub fn tombstones(&self) -> Vec<Tombstone> {
        self.lock().tables.tombstones.values().map(|row| row.tombstone.clone()).collect()
    }

    /// How many transactions have changed something.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.lock().feed.commits()
    }

    /// Whether a text can be a cursor of this server, of any epoch.
    #[must_use]
    pub fn can_read_cursor(&self, cursor: &str) -> bool {
        Position::read(cursor).is_some()
    }

    /// The person whose account has this address.
    #[must_use]
    pub fn person_with(&self, email: &str) -> Option<PersonId> {
        self.lock().sessions.person_with(email)
    }

    /// The address of a person's account.
    #[must_use]
    pub fn email_of(&self, person: PersonId) -> Option<String> {
        self.lock().sessions.email_of(person)
    }

    /// The owner of this access token, if it has not expired.
    #[must_use]
    pub fn caller(&self, token: &AccessToken) -> Option<PersonId> {
        let state = self.lock();
        state.sessions.person_of(token, state.now())
    }

    /// Whether this server issued the access token and it has expired.
    #[must_use]
    pub fn has_expired(&self, token: &AccessToken) -> bool {
        let state = self.lock();
        state.sessions.knows(token) && state.sessions.person_of(token, state.now()).is_none()
    }

    /// How long this access token is still valid; not at all if the server did not issue it.
    #[must_use]
    pub fn time_left(&self, token: &AccessToken) -> Duration {
        let state = self.lock();
        state.sessions.time_left(token, state.now())
    }

    /// Whether the session of an access token is still active. The messaging calls do not check this: a JWT is valid
    /// until it expires.
    #[must_use]
    pub fn session_goes_on(&self, token: &AccessToken) -> bool {
        self.lock().sessions.goes_on(token)
    }

    /// The server's version and capabilities.
    #[must_use]
    pub fn info(&self) -> ServerInfo {
        self.lock().options.info.clone()
    }

    /// Whether the project's policies show a message to a person who sees its conversation.
    #[must_use]
    pub fn shows(&self, message: &Message, reader: PersonId) -> bool {
        let project = self.lock().tables.project.clone();
        project.0.shows(message, reader)
    }

    /// The limits for requests and pages.
    #[must_use]
    pub fn limits(&self) -> ServerLimits {
        self.lock().options.limits
    }

    /// The lifetime of an access token.
    #[must_use]
    pub fn token_lifetime(&self) -> Duration {
        self.lock().options.token_lifetime
    }

    /// The oldest protocol that the server accepts.
    #[must_use]
    pub fn min_protocol(&self) -> u32 {
        self.lock().min_protocol
    }

    /// The server's clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.lock().now()
    }
}
