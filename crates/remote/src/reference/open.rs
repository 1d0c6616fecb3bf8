//! Transactions that stay open: the reason why a real server is hard to follow.
//!
//! A transaction gets its number and its time when it begins, but its rows become visible when it commits. Another
//! transaction that begins later may commit earlier. Then the order of numbers and times differs from the order of
//! commits. A transaction that is rolled back leaves nothing, not even a gap in `seq`.
//!
//! An open transaction keeps its writes in a list and applies them when it commits, with its own number and time. This
//! cannot be observed: nobody may see the rows before the commit, and the transaction has locked the conversations that
//! it writes to, so a push to one of them is answered with `retry`. Only [`ReferenceServer`]'s own methods ignore
//! locks; they count as committed before.

use super::{
    ReferenceServer,
    push::{self, Submission},
    state::State,
    transaction::{MessageDraft, NewMember, Transaction},
};
use crate::{PushAnswer, PushRequest, RemoteError, RemoteErrorKind, RemoteResult};
use fieldpost_domain::{
    AccessToken, ConversationId, Cursor, Emoji, MedicId, Mentions, MessageId, MessageKind, OrgId, PersonId, Reaction,
    Role, Seq, SettingsChange, Time,
};
use std::{collections::BTreeMap, fmt};

/// Another transaction has locked the conversation or the record. A real transaction would wait, or be chosen as the victim of a
/// deadlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another transaction has locked the conversation or the record")]
pub struct Locked;

/// A write that a transaction applies when it commits.
type Write = Box<dyn FnOnce(&mut Transaction<'_>) + Send>;

/// All open transactions and their locks.
#[derive(Default)]
pub(super) struct OpenTransactions {
    last: u64,
    pub(super) by_id: BTreeMap<u64, Pending>,
    locks: BTreeMap<Lock, u64>,
}

/// What a transaction locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lock {
    Conversation(ConversationId),
    #[cfg(feature = "records")]
    Record(super::records::RecordKey),
}

pub(super) struct Pending {
    pub(super) stamp: u64,
    pub(super) now: Time,
    writes: Vec<Write>,
}

impl OpenTransactions {
    /// Whether a transaction other than `own` has locked a conversation.
    pub(super) fn is_locked(&self, conversation: ConversationId, own: Option<u64>) -> bool {
        self.holds(Lock::Conversation(conversation), own)
    }

    /// Whether a transaction other than `own` holds a lock.
    pub(super) fn holds(&self, lock: Lock, own: Option<u64>) -> bool {
        self.locks.get(&lock).is_some_and(|holder| Some(*holder) != own)
    }

    /// Takes a lock for a transaction that is open.
    pub(super) fn take(&mut self, lock: Lock, id: u64) -> Result<(), Locked> {
        if self.holds(lock, Some(id)) {
            return Err(Locked);
        }
        if self.by_id.contains_key(&id) {
            self.locks.insert(lock, id);
        }
        Ok(())
    }

    /// The state after all transactions have ended. Remaining handles hold numbers that are no longer valid.
    pub(super) fn none_left(&self) -> Self {
        Self { last: self.last, ..Self::default() }
    }

    pub(super) fn end(&mut self, id: u64) -> Option<Pending> {
        self.locks.retain(|_, holder| *holder != id);
        self.by_id.remove(&id)
    }
}

impl fmt::Debug for OpenTransactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTransactions").field("locks", &self.locks).finish_non_exhaustive()
    }
}

/// A transaction of another client. Dropping it rolls it back.
#[derive(Debug)]
pub struct OpenTransaction {
    pub(super) server: ReferenceServer,
    pub(super) id: u64,
}

impl ReferenceServer {
    /// Begins a transaction.
    #[must_use]
    pub fn begin(&self) -> OpenTransaction {
        let mut state = self.lock();
        let (stamp, now) = (state.feed.begin(), state.now());
        state.open.last += 1;
        let id = state.open.last;
        state.open.by_id.insert(id, Pending { stamp, now, writes: Vec::new() });
        OpenTransaction { server: self.clone(), id }
    }
}

/// Begin, commit and roll back.
impl OpenTransaction {
    /// Locks a conversation, by any of its ids, until the transaction ends.
    ///
    /// # Errors
    /// [`Locked`] when another transaction holds the lock.
    pub fn lock(&self, conversation: ConversationId) -> Result<(), Locked> {
        let mut state = self.server.lock();
        let conversation = state.tables.resolve(conversation);
        state.open.take(Lock::Conversation(conversation), self.id)
    }

    /// Commits. False if the server has restarted meanwhile, or if a write breaks a rule of the tables: then nothing
    /// was applied.
    #[must_use]
    pub fn commit(self) -> bool {
        let mut state = self.server.lock();
        let Some(pending) = state.open.end(self.id) else { return false };
        let (before, stamp) = (state.tables.clone(), pending.stamp);
        let mut transaction = state.transaction(stamp, pending.now);
        for write in pending.writes {
            write(&mut transaction);
        }
        let committed = !transaction.has_failed();
        if committed {
            transaction.commit();
        } else {
            state.tables = before;
            state.feed.roll_back(stamp);
        }
        committed
    }

    /// Rolls back.
    pub fn roll_back(self) {}

    /// Applies a batch as the last step of this transaction, and commits. Mutations of conversations that another
    /// transaction has locked are answered with `retry`.
    ///
    /// # Errors
    /// As [`crate::MessagingApi::push`]; [`RemoteErrorKind::Interrupted`] when the server has restarted meanwhile.
    pub fn push(self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer> {
        let PushRequest { mutations, cursor } = request;
        let mut guard = self.server.lock();
        let state: &mut State = &mut guard;
        let caller = state.caller(token, "push")?;
        let Some(pending) = state.open.by_id.remove(&self.id) else {
            return Err(RemoteError::new(RemoteErrorKind::Interrupted, "push"));
        };
        let batch: Vec<Submission> = mutations.iter().map(Submission::from).collect();
        let results = push::push_as(state, caller, batch.clone(), (pending.stamp, pending.now), Some(self.id));
        state.open.end(self.id);
        let cursor = cursor.as_ref().map(Cursor::as_str);
        let quiet = cursor.and_then(|cursor| push::quiet(state, caller, cursor, &batch, &results));
        Ok(PushAnswer { quiet, ..PushAnswer::of(mutations, results, state.options.limits) })
    }

    pub(super) fn add(&self, write: impl FnOnce(&mut Transaction<'_>) + Send + 'static) {
        let mut state = self.server.lock();
        if let Some(pending) = state.open.by_id.get_mut(&self.id) {
            pending.writes.push(Box::new(write));
        }
    }

    fn conversation_of(&self, message: MessageId) -> Option<ConversationId> {
        self.server.message(message).map(|message| message.conversation_id)
    }
}

/// Messages and conversations. Each method locks the conversation that it writes to.
impl OpenTransaction {
    /// Inserts a message, like a client that writes to the tables directly.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn insert_message(
        &self,
        conversation_id: ConversationId,
        sender_id: PersonId,
        content: &str,
    ) -> Result<MessageId, Locked> {
        self.lock(conversation_id)?;
        let mut state = self.server.lock();
        let id = MessageId::from_parts(state.now(), state.random.ten());
        drop(state);
        let (kind, content) = (MessageKind::Text, Some(content.to_owned()));
        let (metadata, mentions, reply_to, composed_at) = (None, Mentions::new(), None, None);
        let draft =
            MessageDraft { id, conversation_id, sender_id, kind, content, metadata, mentions, reply_to, composed_at };
        self.add(move |transaction| {
            transaction.insert_message(draft);
        });
        Ok(id)
    }

    /// Changes the text of a message.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn edit_message(&self, id: MessageId, content: &str) -> Result<(), Locked> {
        let content = content.to_owned();
        self.on_message(id, move |transaction| {
            transaction.edit_message(id, Some(content), None);
        })
    }

    /// Soft-deletes a message.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn soft_delete(&self, id: MessageId) -> Result<(), Locked> {
        self.on_message(id, move |transaction| {
            transaction.soft_delete(id);
        })
    }

    /// Gives a message a person's reaction, or takes it back if it is given.
    pub fn react(&self, id: MessageId, person: PersonId, emoji: Emoji) -> Result<(), Locked> {
        self.on_message(id, move |transaction| {
            let own = |row: &Reaction| row.emoji == emoji && row.by.person() == Some(person);
            let removed = transaction.tables().reactions_to(id).any(|row| own(row) && row.by.count() > 0);
            transaction.react(id, person, &emoji, removed);
        })
    }

    /// Hard-deletes a message.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn hard_delete(&self, id: MessageId) -> Result<(), Locked> {
        self.on_message(id, move |transaction| {
            transaction.hard_delete(id);
        })
    }

    /// Deletes a conversation with everything in it.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn delete_conversation(&self, id: ConversationId) -> Result<(), Locked> {
        self.on_conversation(id, move |transaction| {
            transaction.delete_conversation(id);
        })
    }

    /// Renames a broadcast.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn rename_conversation(&self, id: ConversationId, subject: &str) -> Result<(), Locked> {
        let subject = Some(subject.to_owned());
        self.on_conversation(id, move |transaction| {
            transaction.rename(id, subject);
        })
    }

    /// Reassigns a direct conversation to another medic, or to none.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn reassign_medic(&self, id: ConversationId, medic: Option<MedicId>) -> Result<(), Locked> {
        self.on_conversation(id, move |transaction| {
            transaction.reassign(id, medic);
        })
    }

    /// Moves a person's marker.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn mark(&self, conversation: ConversationId, person: PersonId, read: Seq) -> Result<(), Locked> {
        self.on_conversation(conversation, move |transaction| {
            if transaction.tables().conversations.contains_key(&conversation) {
                transaction.move_marker(conversation, person, read, read);
            }
        })
    }

    /// Changes a person's settings for a conversation, like a client that writes to the tables directly.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn set_conversation(
        &self,
        conversation: ConversationId,
        person: PersonId,
        change: SettingsChange,
    ) -> Result<(), Locked> {
        self.on_conversation(conversation, move |transaction| {
            if transaction.tables().conversations.contains_key(&conversation) {
                transaction.set_conversation(conversation, person, &change);
            }
        })
    }

    fn on_message(
        &self,
        id: MessageId,
        write: impl FnOnce(&mut Transaction<'_>) + Send + 'static,
    ) -> Result<(), Locked> {
        if let Some(conversation) = self.conversation_of(id) {
            self.lock(conversation)?;
        }
        self.add(write);
        Ok(())
    }

    fn on_conversation(
        &self,
        id: ConversationId,
        write: impl FnOnce(&mut Transaction<'_>) + Send + 'static,
    ) -> Result<(), Locked> {
        self.lock(id)?;
        self.add(write);
        Ok(())
    }
}

/// People. A push takes no locks on them.
impl OpenTransaction {
    /// Makes a person (again) a member of an org. `profiles` has one row per person: if she has joined another org
    /// meanwhile, the whole transaction fails.
    pub fn add_member(&self, person: PersonId, org: OrgId, role: Role, first_name: &str, last_name: &str) {
        let (first_name, last_name) = (first_name.to_owned(), last_name.to_owned());
        let member = NewMember { id: person, org_id: org, role, first_name, last_name };
        self.add(move |transaction| {
            let elsewhere = transaction.tables().memberships(person).any(|row| row.org_id != org);
            if elsewhere {
                transaction.fail();
            } else {
                transaction.join(member);
            }
        });
    }

    /// Ends a person's membership.
    pub fn remove_member(&self, person: PersonId) {
        self.add(move |transaction| {
            transaction.leave(person);
        });
    }

    /// Changes a person's role in her org.
    pub fn change_role(&self, person: PersonId, role: Role) {
        self.add(move |transaction| {
            transaction.change_role(person, role);
        });
    }

    /// Renames a person.
    pub fn rename_person(&self, person: PersonId, first_name: &str, last_name: &str) {
        let (first_name, last_name) = (first_name.to_owned(), last_name.to_owned());
        self.add(move |transaction| {
            transaction.rename_person(person, &first_name, &last_name);
        });
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        let mut state = self.server.lock();
        if let Some(pending) = state.open.end(self.id) {
            state.feed.roll_back(pending.stamp);
        }
    }
}
