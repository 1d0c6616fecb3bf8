//! What an operator, a dashboard or another client can do on the server without the engine. For tests.

use super::{
    ReferenceServer,
    feed::Feed,
    snapshot::Snapshot,
    tables::Tables,
    transaction::{MessageDraft, NewMember, Transaction},
};
use fieldpost_domain::{
    ConversationId, Emoji, MedicId, Mentions, Message, MessageId, MessageKind, MessageStatus, Metadata, MutationId,
    OrgId, PersonId, PushTag, RetryCode, Role, Seq, SettingsChange,
};
use std::time::Duration;

/// The profile of a new account.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// The e-mail address for signing in.
    pub email: &'a str,
    /// The password for signing in.
    pub password: &'a str,
}

/// A medic with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Medic {
    /// The person.
    pub person_id: PersonId,
    /// Her row in the roster.
    pub medic_id: MedicId,
}

/// The rows of a server at one moment; see [`ReferenceServer::backup`].
#[derive(Debug, Clone)]
pub struct Backup {
    tables: Tables,
    feed: Feed,
    compacted: Snapshot,
}

/// People and orgs.
impl ReferenceServer {
    /// Adds an org.
    pub fn add_org(&self, name: &str) -> OrgId {
        self.write(|transaction| transaction.add_org(name))
    }

    /// Adds an admin with an account.
    pub fn add_admin(&self, org: OrgId, profile: Profile<'_>) -> PersonId {
        self.add_person(org, Role::OrgAdmin, profile)
    }

    /// Adds a medic with an account.
    pub fn add_medic(&self, org: OrgId, profile: Profile<'_>) -> Medic {
        let person_id = self.write(|transaction| PersonId::from_parts(transaction.now(), transaction.random()));
        self.lock().sessions.add_account(person_id, profile.email, profile.password);
        let medic_id = self.write(|transaction| {
            let medic = transaction.add_medic(org, Some(person_id), profile.first_name, profile.last_name);
            transaction.join(member(person_id, org, Role::Medic, profile));
            medic
        });
        Medic { person_id, medic_id }
    }

    /// Adds a medic without an account to the roster.
    pub fn add_medic_without_account(&self, org: OrgId, first_name: &str, last_name: &str) -> MedicId {
        self.write(|transaction| transaction.add_medic(org, None, first_name, last_name))
    }

    /// Adds a medic with a given id, without an account. False if she is on a roster already.
    pub fn enlist_medic(&self, id: MedicId, org: OrgId, first_name: &str, last_name: &str) -> bool {
        self.write(|transaction| transaction.enlist_medic(id, org, None, first_name, last_name))
    }

    /// Adds an account without a membership.
    pub fn add_outsider(&self, email: &str, password: &str) -> PersonId {
        let id = self.write(|transaction| PersonId::from_parts(transaction.now(), transaction.random()));
        self.lock().sessions.add_account(id, email, password);
        id
    }

    /// Makes a person (again) a member of an org. With a project's own tables she can be a member of several.
    pub fn add_member(&self, person: PersonId, org: OrgId, role: Role, first_name: &str, last_name: &str) {
        let (first_name, last_name) = (first_name.to_owned(), last_name.to_owned());
        self.write(|transaction| transaction.join(NewMember { id: person, org_id: org, role, first_name, last_name }));
    }

    /// Ends a person's membership. False if there was none.
    pub fn remove_member(&self, person: PersonId) -> bool {
        self.write(|transaction| transaction.leave(person))
    }

    /// Changes a person's role in her org. False if she is in none.
    pub fn change_role(&self, person: PersonId, role: Role) -> bool {
        self.write(|transaction| transaction.change_role(person, role))
    }

    /// Renames a person. False if she is in no org.
    pub fn rename_person(&self, person: PersonId, first_name: &str, last_name: &str) -> bool {
        self.write(|transaction| transaction.rename_person(person, first_name, last_name))
    }

    /// Renames a row of the roster; its medic may have no account. False if there is none.
    pub fn rename_medic(&self, medic: MedicId, first_name: &str, last_name: &str) -> bool {
        self.write(|transaction| transaction.rename_medic(medic, first_name, last_name))
    }

    /// Gives a medic another row in the roster of an org.
    pub fn enlist_again(&self, person: PersonId, org: OrgId, first_name: &str, last_name: &str) -> MedicId {
        self.write(|transaction| transaction.enlist_again(person, org, (first_name, last_name)))
    }

    fn add_person(&self, org: OrgId, role: Role, profile: Profile<'_>) -> PersonId {
        let id = self.add_outsider(profile.email, profile.password);
        self.write(|transaction| transaction.join(member(id, org, role, profile)));
        id
    }
}

fn member(id: PersonId, org_id: OrgId, role: Role, profile: Profile<'_>) -> NewMember {
    let (first_name, last_name) = (profile.first_name.to_owned(), profile.last_name.to_owned());
    NewMember { id, org_id, role, first_name, last_name }
}

/// Conversations and messages.
impl ReferenceServer {
    /// Opens the direct conversation of a medic, or finds the existing one.
    pub fn open_direct(&self, org: OrgId, medic: MedicId, created_by: PersonId) -> ConversationId {
        self.write(|transaction| {
            let existing = transaction.tables().direct_of(org, medic).map(|row| row.id);
            existing.unwrap_or_else(|| {
                let id = ConversationId::from_parts(transaction.now(), transaction.random());
                transaction.open_conversation(id, org, Some(medic), None, created_by);
                id
            })
        })
    }

    /// Opens the broadcast of an org, or finds the existing one.
    pub fn open_broadcast(&self, org: OrgId, subject: Option<&str>, created_by: PersonId) -> ConversationId {
        self.write(|transaction| {
            let existing = transaction.tables().broadcast_of(org).map(|row| row.id);
            existing.unwrap_or_else(|| {
                let id = ConversationId::from_parts(transaction.now(), transaction.random());
                transaction.open_conversation(id, org, None, subject.map(str::to_owned), created_by);
                id
            })
        })
    }

    /// Inserts a message, like a client that writes to the tables directly. None if there is no such conversation.
    pub fn insert_message(&self, conversation: ConversationId, sender: PersonId, content: &str) -> Option<Message> {
        let id = self.write(|transaction| MessageId::from_parts(transaction.now(), transaction.random()));
        self.insert_message_with(id, conversation, sender, content, None)
    }

    /// [`Self::insert_message`], but as if a device had pushed it: its hints carry the tag of a push.
    pub fn insert_pushed_message(
        &self,
        conversation: ConversationId,
        sender: PersonId,
        content: &str,
    ) -> Option<Message> {
        let id = self.write(|transaction| MessageId::from_parts(transaction.now(), transaction.random()));
        self.write(|transaction| {
            transaction.is_push(Some(PushTag::of(MutationId::from_uuid(id.as_uuid()))));
            transaction.insert_message(MessageDraft {
                id,
                conversation_id: conversation,
                sender_id: sender,
                kind: MessageKind::Text,
                content: Some(content.to_owned()),
                metadata: None,
                mentions: Mentions::new(),
                reply_to: None,
                composed_at: None,
            })
        })
    }

    /// [`Self::insert_message`] with an id and metadata that the client chooses.
    pub fn insert_message_with(
        &self,
        id: MessageId,
        conversation_id: ConversationId,
        sender_id: PersonId,
        content: &str,
        metadata: Option<Metadata>,
    ) -> Option<Message> {
        let content = Some(content.to_owned());
        let (kind, mentions, reply_to, composed_at) = (MessageKind::Text, Mentions::new(), None, None);
        let draft =
            MessageDraft { id, conversation_id, sender_id, kind, content, metadata, mentions, reply_to, composed_at };
        self.write(|transaction| {
            if transaction.tables().messages.contains_key(&id) {
                return None;
            }
            transaction.insert_message(draft)
        })
    }

    /// Inserts many messages in one transaction.
    pub fn insert_messages(&self, conversation: ConversationId, sender: PersonId, contents: &[String]) -> Vec<Message> {
        self.write(|transaction| {
            let insert = |content: &String| {
                let draft = MessageDraft {
                    id: MessageId::from_parts(transaction.now(), transaction.random()),
                    conversation_id: conversation,
                    sender_id: sender,
                    kind: MessageKind::Text,
                    content: Some(content.clone()),
                    metadata: None,
                    mentions: Mentions::new(),
                    reply_to: None,
                    composed_at: None,
                };
                transaction.insert_message(draft)
            };
            contents.iter().filter_map(insert).collect()
        })
    }

    /// Changes the text of a message. False if it does not exist or is deleted.
    pub fn edit_message(&self, id: MessageId, content: &str) -> bool {
        self.write(|transaction| transaction.edit_message(id, Some(content.to_owned()), None))
    }

    /// Sets the status column of a message; it never goes back.
    pub fn set_status(&self, id: MessageId, status: MessageStatus) -> bool {
        self.write(|transaction| transaction.set_status(id, status))
    }

    /// Sets or takes back a person's reaction, like a client that writes to the table directly. False if it was so
    /// already.
    pub fn react(&self, message: MessageId, person: PersonId, emoji: &Emoji, removed: bool) -> bool {
        self.write(|transaction| transaction.react(message, person, emoji, removed))
    }

    /// Soft-deletes a message.
    pub fn soft_delete(&self, id: MessageId) -> bool {
        self.write(|transaction| transaction.soft_delete(id))
    }

    /// Hard-deletes a message.
    pub fn hard_delete(&self, id: MessageId) -> bool {
        self.write(|transaction| transaction.hard_delete(id))
    }

    /// Deletes a conversation with everything in it.
    pub fn delete_conversation(&self, id: ConversationId) -> bool {
        self.write(|transaction| transaction.delete_conversation(id))
    }

    /// Renames a broadcast.
    pub fn rename_conversation(&self, id: ConversationId, subject: Option<&str>) -> bool {
        self.write(|transaction| transaction.rename(id, subject.map(str::to_owned)))
    }

    /// Reassigns a direct conversation to another medic, or to none.
    pub fn reassign_medic(&self, id: ConversationId, medic: Option<MedicId>) -> bool {
        self.write(|transaction| transaction.reassign(id, medic))
    }

    /// Changes a person's settings for a conversation, like a client that writes to the tables directly.
    pub fn set_conversation(&self, conversation: ConversationId, person: PersonId, change: &SettingsChange) {
        self.write(|transaction| transaction.set_conversation(conversation, person, change));
    }

    /// Moves a person's marker; both positions only grow.
    pub fn mark(&self, conversation: ConversationId, person: PersonId, delivered: Seq, read: Seq) {
        self.write(|transaction| transaction.move_marker(conversation, person, delivered, read));
    }
}

/// The server itself.
impl ReferenceServer {
    /// Expires a person's access tokens now; her refresh tokens stay valid.
    pub fn expire_tokens(&self, person: PersonId) {
        let mut state = self.lock();
        let now = state.now();
        state.sessions.expire_access(person, now);
    }

    /// Ends a person's sessions: the server no longer accepts her refresh tokens.
    pub fn end_sessions(&self, person: PersonId) {
        self.lock().sessions.end_all(person);
    }

    /// Starts a new epoch, as a restore or a promotion does: every cursor expires.
    pub fn change_epoch(&self) {
        let mut state = self.lock();
        state.epoch = state.random.next();
    }

    /// Takes a backup of the current rows.
    #[must_use]
    pub fn backup(&self) -> Backup {
        let state = self.lock();
        Backup { tables: state.tables.clone(), feed: state.feed.clone(), compacted: state.compacted.clone() }
    }

    /// Restarts the server: open transactions are rolled back.
    pub fn restart(&self) {
        self.lock().roll_back_all();
    }

    /// Restores a backup. Everything written since is lost, and a new epoch starts.
    pub fn restore(&self, backup: &Backup) {
        let mut state = self.lock();
        state.roll_back_all();
        state.tables = backup.tables.clone();
        state.feed = backup.feed.clone();
        state.feed.roll_back_all();
        state.compacted = backup.compacted.clone();
        state.epoch = state.random.next();
    }

    /// Removes all tombstones, as a server does with old ones: older cursors expire.
    pub fn compact(&self) {
        let mut state = self.lock();
        state.compacted = state.feed.snapshot();
        state.tables.tombstones.clear();
        #[cfg(feature = "records")]
        state.tables.records.tombstones.clear();
    }

    /// Answers the next mutation, of this conversation or of any, with `retry`. Each call adds one such answer.
    pub fn retry_next(&self, conversation: Option<ConversationId>, code: RetryCode) {
        self.lock().injections.add(conversation, code);
    }

    /// Moves the server's clock forward.
    pub fn advance_clock(&self, by: Duration) {
        self.lock().clock_offset += by;
    }

    /// Stops serving protocols below this one.
    pub fn require_protocol(&self, min_protocol: u32) {
        self.lock().min_protocol = min_protocol;
    }

    fn write<T>(&self, change: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        self.lock().write(change)
    }
}
