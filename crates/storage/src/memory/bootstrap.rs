//! Applies bootstraps.
//!
//! A bootstrap confirms conversations and people by their rows, and the recent messages of each conversation, which
//! come in the same page as the conversation. So unconfirmed messages are removed page by page, and unconfirmed
//! conversations and people with the last page.
//!
//! A bootstrap moves the cursor ahead. Changes that were committed in between are in its pages, or concern messages
//! below the ranges of its pages, where no pull will bring them. So a confirmed range replaces the recent range, and
//! the rows below it are removed.
//!
//! A change of epoch sets all stored versions to zero when the bootstrap begins, and again with its first page, because
//! rows that came in between may belong to either epoch. A row that still has version zero when its conversation is
//! confirmed belongs to the old epoch. A row that was acknowledged after the first page belongs to the new one and
//! stays.

use super::outbox::queued;
use super::purge::refused;
use super::reactions;
use super::state::{Bootstrap, Entry, Row, State};
use crate::{
    ApplyReport, BootstrapReason, StorageError, StorageErrorKind, StorageResult, SyncPosition, unreadable,
    visibility::fate_of_unlisted,
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    BootstrapPage, Capability, Changes, Continuation, ConversationId, DeleteMessage, Intent, Message, MessageContent,
    MessageId, MessageKind, NewMessage, Person, PersonId, RefusalCode, Seq, SeqRange, ServerEpoch, Time, Version,
};
use std::collections::BTreeSet;

/// What follows a page.
enum Next {
    /// The bootstrap begins again.
    Restart,
    Page(Continuation),
    Pull,
}

impl State {
    pub(super) fn begin_bootstrap(&mut self, reason: BootstrapReason) {
        // If a change of epoch was not finished, starting over does not end it.
        let unfinished = self.bootstrap.as_ref().is_some_and(|under_way| under_way.reason == BootstrapReason::Epoch);
        let reason = if unfinished { BootstrapReason::Epoch } else { reason };
        if reason == BootstrapReason::Epoch {
            self.forget_versions();
            self.server_epoch = None;
        }
        self.bootstrap = Some(Bootstrap { reason, conversations: BTreeSet::new(), people: BTreeSet::new() });
        self.position = SyncPosition::Bootstrapping { after: None, done: 0, total: None };
        self.run_open = false;
        self.generation += 1;
    }

    pub(super) fn apply_bootstrap(
        &mut self,
        after: Option<&Continuation>,
        mut page: BootstrapPage,
    ) -> StorageResult<ApplyReport> {
        let next = page.next_after.take().map_or(Next::Pull, Next::Page);
        self.apply_listed("apply_bootstrap", after, page, next)
    }

    pub(super) fn apply_first_screen(&mut self, page: BootstrapPage) -> StorageResult<ApplyReport> {
        self.apply_listed("apply_first_screen", None, BootstrapPage { digest: None, ..page }, Next::Restart)
    }

    fn apply_listed(
        &mut self,
        operation: &'static str,
        after: Option<&Continuation>,
        page: BootstrapPage,
        next: Next,
    ) -> StorageResult<ApplyReport> {
        let done = match &self.position {
            SyncPosition::Bootstrapping { after: expected, done, .. } if expected.as_ref() == after => *done,
            _ => return Err(StorageError::new(StorageErrorKind::Superseded, operation)),
        };
        self.generation += u64::from(after.is_none());
        if after.is_none() {
            self.compare_epoch(page.epoch.clone());
        }
        let mut report = ApplyReport::default();
        let covered = covered_ranges(&page.changes);
        let received: BTreeSet<MessageId> = page.changes.messages.iter().map(|message| message.id).collect();
        let unreadable_ids = unreadable::messages_of(&page.changes);
        let (conversations, people) =
            (unreadable::conversations_of(&page.changes), unreadable::people_of(&page.changes));
        covered.iter().for_each(|(id, _)| self.lift_revocation(*id));
        let told = reactions::keys(&page.changes.reactions);
        self.lower_markers_of_replaced(&page.changes);
        let read = self.read_as_told(&page.changes, true);
        let forgotten = self.forgotten_deletions(&page.changes);
        let named = self.named(&page.changes);
        self.forget_arrivals(&page.changes);
        self.apply(page.changes, &mut report);
        self.me = page.me.as_ref().map(|me| me.id);
        if let Some(me) = page.me.clone() {
            self.put_person(me);
        }
        let confirmed = self.confirm_unreadable(conversations, people);
        for (id, range) in &covered {
            self.sweep_messages(*id, *range, &received, unreadable_ids.is_none());
        }
        if page.server.capabilities.contains(&Capability::Reactions) {
            self.sweep_reactions(&covered.iter().map(|(id, _)| *id).collect(), &told);
        }
        self.subtract_reads(&read);
        for (id, range) in &covered {
            self.replace_range(*id, *range, unreadable_ids.as_ref());
        }
        for id in confirmed {
            self.refetch_unlisted(id, &received, unreadable_ids.as_ref());
        }
        let first_screen = matches!(next, Next::Restart);
        self.position = match next {
            Next::Restart => SyncPosition::FirstScreen,
            Next::Page(after) => {
                let (done, total) = (done + covered.len() as u64, Some(page.total_conversations));
                SyncPosition::Bootstrapping { after: Some(after), done, total }
            }
            Next::Pull => {
                self.sweep_unconfirmed(page.me.as_ref(), &mut report);
                SyncPosition::Following(page.cursor)
            }
        };
        self.server = Some(page.server);
        forgotten.into_iter().for_each(|deletion| self.delete_again(deletion, page.server_time));
        report.marked_again = self.requeue_read_marks(read, page.server_time);
        if !first_screen {
            report.delivered = self.note_arrived(&named, page.server_time);
        }
        report.digest_matches = page.digest.map(|digest| self.matches_digest(&digest));
        Ok(report)
    }

    /// Compares the epoch that the first page names with the epoch of the stored rows. If they differ, this is a change
    /// of epoch, whatever the bootstrap began for. Rows that came since it began may belong to either epoch, because
    /// the server may have been restored again meanwhile.
    fn compare_epoch(&mut self, named: Option<ServerEpoch>) {
        let another = self.server_epoch.is_some() && named.is_some() && self.server_epoch != named;
        if let Some(bootstrap) = self.bootstrap.as_mut().filter(|_| another) {
            bootstrap.reason = BootstrapReason::Epoch;
        }
        if self.is_new_epoch() {
            self.forget_versions();
            if let Some(bootstrap) = &mut self.bootstrap {
                bootstrap.conversations.clear();
            }
        }
        self.server_epoch = named.or(self.server_epoch.take());
    }

    /// Confirms the conversations and people of unreadable rows, which keep their stored rows. After a change of epoch
    /// a conversation is not confirmed, because its stored row belongs to the old epoch.
    fn confirm_unreadable(
        &mut self,
        conversations: BTreeSet<ConversationId>,
        people: BTreeSet<PersonId>,
    ) -> Vec<ConversationId> {
        let new_epoch = self.is_new_epoch();
        let conversations: Vec<_> =
            conversations.into_iter().filter(|_| !new_epoch).map(|id| self.resolve(id)).collect();
        if let Some(bootstrap) = &mut self.bootstrap {
            bootstrap.conversations.extend(conversations.iter().copied());
            bootstrap.people.extend(self.people.keys().filter(|(id, _)| people.contains(id)));
        }
        conversations
    }

    /// Handles the messages of a conversation with an unreadable row. Its `last_seq` is unknown, and no pull will bring
    /// what has changed. So messages that are not in the page come again as history.
    fn refetch_unlisted(
        &mut self,
        conversation: ConversationId,
        received: &BTreeSet<MessageId>,
        unreadable_ids: Option<&BTreeSet<MessageId>>,
    ) {
        let here = self.server_messages(conversation).filter(|message| received.contains(&message.id));
        let seqs: BTreeSet<Seq> = here.map(|message| message.seq).collect();
        let (lowest, highest) = (seqs.first().copied(), seqs.last().copied());
        let from = lowest.unwrap_or(ABOVE_ALL);
        self.sweep_messages(conversation, SeqRange { from, to: ABOVE_ALL }, received, unreadable_ids.is_none());
        self.remove_below(conversation, from, unreadable_ids);
        if let Some(to) = highest {
            self.cover(conversation, SeqRange { from, to }, false);
        }
    }

    /// Removes stored messages in a range that the page covers but that are not in the page. If the page has unreadable
    /// messages, nothing is removed as deleted. The range is empty, just above the last seq, if no message received.
    fn sweep_messages(
        &mut self,
        conversation: ConversationId,
        covered: SeqRange,
        received: &BTreeSet<MessageId>,
        readable: bool,
    ) {
        if self.is_new_epoch() {
            self.remove_lost(conversation, covered.from, Some(RefusalCode::LostByServer));
        }
        if readable {
            self.remove_absent(conversation, covered, received);
        }
    }

    /// Replaces the recent range by the one that the page covers. `unread` are the ids of unreadable messages in the
    /// page.
    fn replace_range(
        &mut self,
        conversation: ConversationId,
        covered: SeqRange,
        unreadable_ids: Option<&BTreeSet<MessageId>>,
    ) {
        // After a change of epoch a stored row belongs to the old epoch.
        self.remove_below(conversation, covered.from, unreadable_ids.filter(|_| !self.is_new_epoch()));
        self.cover(conversation, covered, covered.to == Seq::ZERO);
    }

    fn is_new_epoch(&self) -> bool {
        self.bootstrap.as_ref().is_some_and(|bootstrap| bootstrap.reason == BootstrapReason::Epoch)
    }

    /// The own messages that were deleted and that the restored server has with their content.
    fn forgotten_deletions(&self, changes: &Changes) -> Vec<DeleteMessage> {
        if !self.is_new_epoch() {
            return Vec::new();
        }
        let own = self.owner();
        let there = changes.messages.iter().filter(|row| row.deleted_at.is_none() && Some(row.sender_id) == own);
        let forgotten = there.filter_map(|row| match self.messages.get(&row.id) {
            Some(Row::Server(Message { deleted_at: Some(deleted_at), conversation_id, .. })) => {
                Some(DeleteMessage { conversation_id: *conversation_id, message_id: row.id, deleted_at: *deleted_at })
            }
            _ => None,
        });
        forgotten.collect()
    }

    fn delete_again(&mut self, deletion: DeleteMessage, at: Time) {
        if self.being_deleted().contains(&deletion.message_id) || !self.messages.contains_key(&deletion.message_id) {
            return;
        }
        let id = self.ids.new_id(at);
        self.record(id, Intent::DeleteMessage(deletion), queued(), at);
    }

    /// Removes messages below a confirmed range, which nothing confirms. Seqs with a tombstone stay known. A message
    /// whose send is in the outbox becomes a local echo again, until its result comes.
    fn remove_below(&mut self, conversation: ConversationId, from: Seq, except: Option<&BTreeSet<MessageId>>) {
        let confirmed = |id: &MessageId| except.is_some_and(|except| except.contains(id));
        let below = self.server_messages(conversation).filter(|message| message.seq < from && !confirmed(&message.id));
        for id in below.map(|message| message.id).collect::<Vec<_>>() {
            self.messages.remove(&id);
            self.restore_echo(id);
        }
        if let Some(thread) = self.threads.get_mut(&conversation) {
            thread.range = None;
        }
    }

    /// Restores the local echo of a message whose send is in the outbox. False if there is no such send.
    fn restore_echo(&mut self, id: MessageId) -> bool {
        let Some(Entry { intent: Intent::SendMessage(waiting), order, .. }) = self.entry_of(id) else { return false };
        let row = Row::Local { message: waiting.clone(), order: *order };
        self.messages.insert(id, row);
        true
    }

    /// Removes messages of the old epoch from `from` on. The own ones become dead letters with this code, if there is
    /// one and if they can be sent again. If the send of a message is still in the outbox, it stays there.
    fn remove_lost(&mut self, conversation: ConversationId, from: Seq, code: Option<RefusalCode>) {
        let old = self.server_messages(conversation).filter(|message| message.version == Version::ZERO);
        let mut lost: Vec<Message> = old.filter(|message| message.seq >= from).cloned().collect();
        lost.sort_by_key(|message| message.seq);
        let (own, deleting) = (self.owner(), self.being_deleted());
        for message in lost {
            self.messages.remove(&message.id);
            // Of what its author was deleting nothing is missed.
            if Some(message.sender_id) != own || deleting.contains(&message.id) {
                continue;
            }
            if !self.restore_echo(message.id)
                && let Some((code, composed)) = code.clone().zip(as_composed(message))
            {
                self.push_lost(composed, code);
            }
        }
    }

    fn push_lost(&mut self, message: NewMessage, code: RefusalCode) {
        let (id, at) = (self.ids.new_id(message.composed_at), message.composed_at);
        let order = self.record(id, Intent::SendMessage(message.clone()), refused(code), at);
        self.messages.insert(message.id, Row::Local { message, order });
    }

    /// After the last page, removes what the bootstrap did not confirm.
    fn sweep_unconfirmed(&mut self, me: Option<&Person>, report: &mut ApplyReport) {
        let Some(bootstrap) = self.bootstrap.take() else { return };
        let unconfirmed = |(id, _): &(&ConversationId, &super::state::Thread)| !bootstrap.conversations.contains(id);
        let on_server = self.threads.iter().filter(|(_, thread)| thread.on_server);
        let leaving: Vec<_> = on_server.filter(unconfirmed).map(|(id, thread)| (*id, thread.place())).collect();
        for (conversation, place) in leaving {
            if bootstrap.reason == BootstrapReason::Epoch {
                // The person's row in the org of this conversation. The server may have named the row of another org
                // first.
                let there = me.map(|me| (me.id, place.org_id)).filter(|key| bootstrap.people.contains(key));
                let me = there.and_then(|key| self.people.get(&key)).cloned();
                let lost = planted(PlantedBug::HiddenIsLost).then_some(RefusalCode::LostByServer);
                let fate = lost.or_else(|| fate_of_unlisted(me.as_ref(), &place));
                if fate != Some(RefusalCode::LostByServer) {
                    self.doubt_losses(conversation);
                }
                self.remove_lost(conversation, Seq::ZERO, fate);
            } else {
                self.doubt_losses(conversation);
            }
            self.purge(conversation, RefusalCode::AccessLost);
            report.purged.push(conversation);
        }
        // In a new epoch, what the server did not tell is not there any more.
        let new_epoch = bootstrap.reason == BootstrapReason::Epoch;
        self.settings.retain(|_, row| !new_epoch || row.version > Version::ZERO);
        let senders: BTreeSet<_> = self.messages.values().map(Row::sender_id).collect();
        let confirmed = |id| bootstrap.people.iter().any(|(confirmed, _)| *confirmed == id);
        self.people.retain(|key, _| bootstrap.people.contains(key) || (senders.contains(&key.0) && !confirmed(key.0)));
        for (_, person) in self.people.iter_mut().filter(|(key, _)| !bootstrap.people.contains(key)) {
            person.removed = true;
            // Any later row of the server replaces this one.
            person.version = Version::ZERO;
        }
    }
}

/// Above every seq of the server.
const ABOVE_ALL: Seq = Seq::new((1 << 53) - 1);

/// The range of each conversation that the page covers: from its lowest seq in the page to its last seq.
fn covered_ranges(changes: &Changes) -> Vec<(ConversationId, SeqRange)> {
    let lowest = |id: ConversationId| {
        changes.messages.iter().filter(|message| message.conversation_id == id).map(|message| message.seq).min()
    };
    // A page may state that it covers more than its messages show, because a policy hides the others.
    let covered = |conversation: &fieldpost_domain::Conversation| {
        let up_to_the_end = changes
            .covered
            .iter()
            .filter(|covered| covered.conversation_id == conversation.id && covered.range.to >= conversation.last_seq);
        up_to_the_end.map(|covered| covered.range.from).min()
    };
    let range = |conversation: &fieldpost_domain::Conversation| {
        let from = lowest(conversation.id).into_iter().chain(covered(conversation)).min();
        SeqRange { from: from.unwrap_or(conversation.last_seq.next()), to: conversation.last_seq }
    };
    changes.conversations.iter().map(|conversation| (conversation.id, range(conversation))).collect()
}

/// The message as its author composed it, if it can be sent again.
fn as_composed(message: Message) -> Option<NewMessage> {
    if message.deleted_at.is_some() || message.kind == MessageKind::System {
        return None;
    }
    Some(NewMessage {
        id: message.id,
        conversation_id: message.conversation_id,
        sender_id: message.sender_id,
        kind: message.kind,
        content: MessageContent::new(message.content.as_deref()?).ok()?,
        metadata: message.metadata,
        reply_to: message.reply_to,
        mentions: message.mentions,
        composed_at: message.composed_at.unwrap_or(message.created_at),
    })
}
