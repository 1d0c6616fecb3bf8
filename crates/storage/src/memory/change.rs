//! Changes a message and shows the change while it is queued.
//!
//! The message row stays as the server sent it. Every read applies the queued changes to it, so a change is no longer
//! shown once it leaves the outbox.

use super::outbox::{is_replaced, queued};
use super::state::{Entry, Row, State};
use crate::{NotPossible, OutboxEntry, StorageError, StorageErrorKind, StorageResult, ThreadMessage};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    Changeable, Intent, Message, MessageId, Mutation, MutationId, NewMessage, REACTIONS_MAX, Target, Time,
};
use std::collections::{BTreeSet, HashSet};

impl State {
    pub(super) fn change(&mut self, mutation: Mutation, at: Time) -> StorageResult<ThreadMessage> {
        let Mutation { id, mut intent } = mutation;
        let row = intent.target().and_then(|target| self.messages.get(&target));
        let row = row.ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "change"))?;
        self.check_changeable(row, &intent)?;
        let (lane, target) = (row.conversation_id(), row.id());
        intent.address(lane, Some(target));
        let (before, after) = (self.shown(row), self.shown_with(row, &intent));
        self.check_mentions("change", lane, &after.mentions, &before.mentions)?;
        let changes = before != after || intent.policy().leaves_as_is();
        if intent.withdraws()
            && let Some(withdrawn) = self.withdraw_unsent(target)?
        {
            return Ok(withdrawn);
        }
        if !self.fold(target, &intent, at)? && changes {
            self.queue_change(id, intent, at)?;
        }
        let row = self.messages.get(&target).ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, "change"))?;
        Ok(self.thread_message(row))
    }

    /// Queues a change in place of those that it replaces. Nothing is queued if it only takes these back.
    fn queue_change(&mut self, id: MutationId, intent: Intent, at: Time) -> StorageResult<()> {
        self.outbox.retain(|entry| !is_replaced(entry, &intent));
        let gone = || StorageError::new(StorageErrorKind::NotFound, "change");
        let row = intent.target().and_then(|target| self.messages.get(&target)).ok_or_else(gone)?;
        if intent.policy().leaves_as_is() || self.shown(row) != self.shown_with(row, &intent) {
            self.record(id, intent, queued(), at);
        }
        Ok(())
    }

    fn check_changeable(&self, row: &Row, intent: &Intent) -> StorageResult<()> {
        let not_possible = |why| Err(StorageError::new(StorageErrorKind::NotApplicable(why), "change"));
        let account = self.account.ok_or_else(|| StorageError::new(StorageErrorKind::NoAccount, "change"))?;
        let own = row.sender_id() == account;
        let may = match intent.policy().changes {
            Target::Anybodys => true,
            Target::Others if own => return not_possible(NotPossible::Own),
            Target::Others => true,
            Target::OwnOrAsAdmin => own || self.is_admin_of(row.conversation_id()),
            _ => own,
        };
        if !may {
            return not_possible(NotPossible::AnotherPersons);
        }
        if intent.withdraws() {
            // Also when it is deleted or its content is not here.
            return Ok(());
        }
        let shown = self.shown_with(row, intent);
        if shown.deleted_at.is_some() {
            return not_possible(NotPossible::Deleted);
        }
        if shown.reactions.len() > REACTIONS_MAX {
            return not_possible(NotPossible::TooManyReactions);
        }
        match row {
            Row::Server(message) if message.omitted.is_some() && intent.rewrites() => {
                not_possible(NotPossible::Incomplete)
            }
            _ => Ok(()),
        }
    }

    /// Takes the message back, if its send was never attempted. Returns it as it was last seen: deleted.
    fn withdraw_unsent(&mut self, target: MessageId) -> StorageResult<Option<ThreadMessage>> {
        let Some(row @ Row::Local { .. }) = self.messages.get(&target) else { return Ok(None) };
        let withdrawn = ThreadMessage { failure: None, ..self.thread_message(row).without_content() };
        let sends = |entry: &&Entry| entry.intent.creates() == Some(target) && entry.in_flight == 0;
        let Some(send) = self.outbox.iter().find(sends).map(|entry| entry.id) else { return Ok(None) };
        self.cancel(send).map(|_| Some(withdrawn))
    }

    /// Adds the change to the send of the message, if that was never attempted. True if it was added.
    fn fold(&mut self, target: MessageId, intent: &Intent, at: Time) -> StorageResult<bool> {
        if !matches!(self.messages.get(&target), Some(Row::Local { .. })) {
            return Ok(false);
        }
        let sends = |entry: &&mut Entry| {
            let unsent = entry.in_flight == 0 || planted(PlantedBug::EditFoldedIntoSent);
            entry.intent.creates() == Some(target) && unsent
        };
        let Some(entry) = self.outbox.iter_mut().find(sends) else { return Ok(false) };
        let Intent::SendMessage(unsent) = &mut entry.intent else { return Ok(false) };
        if !intent.fold_into(unsent) {
            return Ok(false);
        }
        let (sent, mutation) = (unsent.clone(), entry.id);
        if let Some(Row::Local { message, .. }) = self.messages.get_mut(&target) {
            *message = sent;
        }
        self.retry(mutation, at).map(|_| true)
    }

    /// The outbox entries that change a message.
    pub(super) fn changes_of(&self, message: MessageId) -> Vec<OutboxEntry> {
        let changes = self.outbox.iter().filter(|entry| entry.intent.target() == Some(message));
        changes.map(|entry| self.view(entry)).collect()
    }

    pub(super) fn pending_changes(&self, message: MessageId) -> impl Iterator<Item = &Intent> {
        let waiting = self.outbox.iter().filter(move |entry| entry.intent.target() == Some(message));
        waiting.filter(|entry| !entry.is_failed() || planted(PlantedBug::RefusedEditStays)).map(|entry| &entry.intent)
    }

    /// The messages that somebody has deleted here and that the server still has.
    pub(super) fn being_deleted(&self) -> HashSet<MessageId> {
        let waiting = self.outbox.iter().filter(|entry| !entry.is_failed() && entry.intent.withdraws());
        waiting.filter_map(|entry| entry.intent.target()).collect()
    }

    /// The server does not have the message that somebody has deleted here, or does not show it: it stays deleted until
    /// the server says something else.
    pub(super) fn keep_deleted(&mut self, deletion: &Intent) {
        let Some(Row::Server(message)) = deletion.target().and_then(|target| self.messages.get_mut(&target)) else {
            return;
        };
        let mut shown = Changeable {
            content: message.content.take(),
            mentions: std::mem::take(&mut message.mentions),
            deleted_at: message.deleted_at,
            reactions: Default::default(),
        };
        deletion.change(&mut shown);
        (message.metadata, message.deleted_at) = (None, shown.deleted_at);
    }

    /// Whether a change of what the message says is pending.
    pub(super) fn is_changing(&self, message: MessageId) -> bool {
        self.pending_changes(message).any(Intent::rewrites)
    }

    /// The message with its pending changes applied.
    pub(super) fn shown(&self, row: &Row) -> Changeable {
        let mut shown = Changeable { reactions: self.own_reactions(row.id()), ..row.changeable() };
        self.pending_changes(row.id()).for_each(|change| change.change(&mut shown));
        shown
    }

    fn shown_with(&self, row: &Row, change: &Intent) -> Changeable {
        let mut shown = self.shown(row);
        change.change(&mut shown);
        shown
    }

    /// The server has the message under another id: its changes now target that id.
    pub(super) fn retarget(&mut self, from: MessageId, to: MessageId) {
        for entry in self.outbox.iter_mut().filter(|entry| entry.intent.target() == Some(from)) {
            entry.intent.address(entry.intent.lane(), Some(to));
        }
    }
}

impl Row {
    fn changeable(&self) -> Changeable {
        match self {
            Self::Local { message: NewMessage { content, mentions, .. }, .. } => {
                let (content, mentions) = (Some(content.as_str().to_owned()), mentions.clone());
                Changeable { content, mentions, deleted_at: None, reactions: BTreeSet::new() }
            }
            Self::Server(Message { content, mentions, deleted_at, .. }) => {
                let (content, mentions) = (content.clone(), mentions.clone());
                Changeable { content, mentions, deleted_at: *deleted_at, reactions: BTreeSet::new() }
            }
        }
    }
}
