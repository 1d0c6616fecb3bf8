//! The first load, and every later one.
//!
//! A bootstrap confirms: conversations by their rows, people by theirs, and of each conversation the recent messages, which
//! all come in the page that brings the conversation. So messages are swept page by page, and conversations and people that
//! nothing confirmed leave with the last page.
//!
//! The cursor that a bootstrap leads to lies beyond the one before: what was committed between the two is in its pages, or
//! below what they tell, where no pull will bring it. So a confirmed range takes the place of the recent range, and the rows
//! below it leave.
//!
//! After a change of epoch all stored versions are set to zero when the bootstrap begins, and once more with its first page: of
//! what came in between nobody knows the history. Whatever still has version zero when its conversation is confirmed is of
//! the old epoch. An acknowledgement that came after the first page is of the new one, and stays.

use super::purge::refused;
use super::state::{Bootstrap, Entry, Row, State};
use crate::{
    ApplyReport, BootstrapReason, StorageError, StorageErrorKind, StorageResult, SyncPosition, unreadable,
    visibility::fate_of_unlisted,
};
use fieldpost_domain::planted::{PlantedBug, planted};
use fieldpost_domain::{
    BootstrapPage, Changes, Continuation, ConversationId, Intent, Message, MessageContent, MessageId, MessageKind,
    NewMessage, Person, PersonId, RefusalCode, Seq, SeqRange, ServerEpoch, Version,
};
use std::collections::BTreeSet;

/// What comes after a page.
enum Next {
    /// The bootstrap, from its beginning.
    Anew,
    Page(Continuation),
    Pull,
}

impl State {
    pub(super) fn begin_bootstrap(&mut self, reason: BootstrapReason) {
        // A change of epoch that was not dealt with to the end is not forgotten by starting over.
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
        self.apply_listed("apply_first_screen", None, BootstrapPage { digest: None, ..page }, Next::Anew)
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
            self.meet(page.epoch.clone());
        }
        let mut report = ApplyReport::default();
        let told = told_ranges(&page.changes);
        let came: BTreeSet<MessageId> = page.changes.messages.iter().map(|message| message.id).collect();
        let unread = unreadable::messages_of(&page.changes);
        let (conversations, people) =
            (unreadable::conversations_of(&page.changes), unreadable::people_of(&page.changes));
        told.iter().for_each(|(id, _)| self.lift_revocation(*id));
        self.lower_to_the_same(&page.changes);
        let read = self.read_as_told(&page.changes, true);
        self.apply(page.changes, &mut report);
        self.me = page.me.as_ref().map(|me| me.id);
        if let Some(me) = page.me.clone() {
            self.put_person(me);
        }
        let confirmed = self.confirm_unreadable(conversations, people);
        for (id, range) in &told {
            self.sweep_messages(*id, *range, &came, unread.is_none());
        }
        self.discount(&read);
        for (id, range) in &told {
            self.begin_range(*id, *range, unread.as_ref());
        }
        for id in confirmed {
            self.tell_anew(id, &came, unread.as_ref());
        }
        self.position = match next {
            Next::Anew => SyncPosition::FirstScreen,
            Next::Page(after) => {
                let (done, total) = (done + told.len() as u64, Some(page.total_conversations));
                SyncPosition::Bootstrapping { after: Some(after), done, total }
            }
            Next::Pull => {
                self.sweep_unconfirmed(page.me.as_ref(), &mut report);
                SyncPosition::Following(page.cursor)
            }
        };
        self.server = Some(page.server);
        report.marked_again = self.requeue_read_marks(read, page.server_time);
        report.digest_matches = page.digest.map(|digest| self.has(&digest));
        Ok(report)
    }

    /// The first page names the history that it is of. If it is not the one that the rows here are of, the bootstrap under way
    /// follows a change of epoch, whatever it began for. What was acknowledged or told since that began is of nobody knows which
    /// history: the server may have been restored again.
    fn meet(&mut self, named: Option<ServerEpoch>) {
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

    /// What the page lists by rows that cannot be read stays here, a conversation with its row as it was. After a change of epoch that would be a state of another
    /// history, which a conversation does not keep.
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

    /// Of a conversation whose row cannot be read nobody knows up to where its messages were told, and no pull will bring what
    /// has changed in it: what did not come with the page comes back as history.
    fn tell_anew(
        &mut self,
        conversation: ConversationId,
        came: &BTreeSet<MessageId>,
        unread: Option<&BTreeSet<MessageId>>,
    ) {
        let here = self.server_messages(conversation).filter(|message| came.contains(&message.id));
        let seqs: BTreeSet<Seq> = here.map(|message| message.seq).collect();
        let (lowest, highest) = (seqs.first().copied(), seqs.last().copied());
        let from = lowest.unwrap_or(BEYOND);
        self.sweep_messages(conversation, SeqRange { from, to: BEYOND }, came, unread.is_none());
        self.forget_below(conversation, from, unread);
        if let Some(to) = highest {
            self.cover(conversation, SeqRange { from, to }, false);
        }
    }

    /// The page told this range of a conversation whole (an empty one, just above the last seq, if no message came). While
    /// messages came that cannot be read, nothing that is absent was deleted.
    fn sweep_messages(
        &mut self,
        conversation: ConversationId,
        told: SeqRange,
        came: &BTreeSet<MessageId>,
        readable: bool,
    ) {
        if self.is_new_epoch() {
            self.lose(conversation, told.from, Some(RefusalCode::LostByServer));
        }
        if readable {
            self.drop_absent(conversation, told, came);
        }
    }

    /// The range that was told takes the place of what was known. `unread` are messages that came and cannot be read.
    fn begin_range(&mut self, conversation: ConversationId, told: SeqRange, unread: Option<&BTreeSet<MessageId>>) {
        // After a change of epoch an earlier state is one of another history.
        self.forget_below(conversation, told.from, unread.filter(|_| !self.is_new_epoch()));
        self.cover(conversation, told, told.to == Seq::ZERO);
    }

    fn is_new_epoch(&self) -> bool {
        self.bootstrap.as_ref().is_some_and(|bootstrap| bootstrap.reason == BootstrapReason::Epoch)
    }

    /// Nobody vouches for what lies below a confirmed range. Numbers of messages that were deleted for good stay known, and
    /// a message whose send awaits its answer is a local echo again: the answer will tell.
    fn forget_below(&mut self, conversation: ConversationId, from: Seq, but: Option<&BTreeSet<MessageId>>) {
        let confirmed = |id: &MessageId| but.is_some_and(|but| but.contains(id));
        let below = self.server_messages(conversation).filter(|message| message.seq < from && !confirmed(&message.id));
        for id in below.map(|message| message.id).collect::<Vec<_>>() {
            self.messages.remove(&id);
            self.echo_again(id);
        }
        if let Some(thread) = self.threads.get_mut(&conversation) {
            thread.range = None;
        }
    }

    /// The local echo of a message whose send is in the outbox; false if it is not.
    fn echo_again(&mut self, id: MessageId) -> bool {
        let Some(Entry { intent: Intent::SendMessage(waiting), order, .. }) = self.entry_of(id) else { return false };
        let row = Row::Local { message: waiting.clone(), order: *order };
        self.messages.insert(id, row);
        true
    }

    /// Messages from `from` up that the server had, in another epoch. Those of the signed-in person become dead letters that
    /// say what became of them, if there is anything to say; one whose send is still in the outbox goes on waiting there.
    fn lose(&mut self, conversation: ConversationId, from: Seq, fate: Option<RefusalCode>) {
        let old = self.server_messages(conversation).filter(|message| message.version == Version::ZERO);
        let mut lost: Vec<Message> = old.filter(|message| message.seq >= from).cloned().collect();
        lost.sort_by_key(|message| message.seq);
        let own = self.own();
        for message in lost {
            self.messages.remove(&message.id);
            if Some(message.sender_id) != own {
                continue;
            }
            if !self.echo_again(message.id)
                && let Some((fate, again)) = fate.clone().zip(as_composed(message))
            {
                self.push_lost(again, fate);
            }
        }
    }

    fn push_lost(&mut self, message: NewMessage, fate: RefusalCode) {
        let (id, at) = (self.ids.new_id(message.composed_at), message.composed_at);
        let order = self.record(id, Intent::SendMessage(message.clone()), refused(fate), at);
        self.messages.insert(message.id, Row::Local { message, order });
    }

    /// With the last page: what the bootstrap did not confirm leaves.
    fn sweep_unconfirmed(&mut self, me: Option<&Person>, report: &mut ApplyReport) {
        let Some(bootstrap) = self.bootstrap.take() else { return };
        let unconfirmed = |(id, _): &(&ConversationId, &super::state::Thread)| !bootstrap.conversations.contains(id);
        let on_server = self.threads.iter().filter(|(_, thread)| thread.on_server);
        let leaving: Vec<_> = on_server.filter(unconfirmed).map(|(id, thread)| (*id, thread.place())).collect();
        for (conversation, place) in leaving {
            if bootstrap.reason == BootstrapReason::Epoch {
                // What she is in the org of the conversation, which need not be the one that the server names first.
                let there = me.map(|me| (me.id, place.org_id)).filter(|key| bootstrap.people.contains(key));
                let me = there.and_then(|key| self.people.get(&key)).cloned();
                let lost = planted(PlantedBug::HiddenIsLost).then_some(RefusalCode::LostByServer);
                self.lose(conversation, Seq::ZERO, lost.or_else(|| fate_of_unlisted(me.as_ref(), &place)));
            }
            self.purge(conversation, RefusalCode::AccessLost);
            report.purged.push(conversation);
        }
        let senders: BTreeSet<_> = self.messages.values().map(Row::sender_id).collect();
        let came = |id| bootstrap.people.iter().any(|(came, _)| *came == id);
        self.people.retain(|key, _| bootstrap.people.contains(key) || (senders.contains(&key.0) && !came(key.0)));
        for (_, person) in self.people.iter_mut().filter(|(key, _)| !bootstrap.people.contains(key)) {
            person.removed = true;
            // Any later word of the server about them is news.
            person.version = Version::ZERO;
        }
    }
}

/// Above every seq that a server gives.
const BEYOND: Seq = Seq::new((1 << 53) - 1);

/// Of each conversation of the page the range that it tells whole: from the lowest seq that came up to its last.
fn told_ranges(changes: &Changes) -> Vec<(ConversationId, SeqRange)> {
    let lowest = |id: ConversationId| {
        changes.messages.iter().filter(|message| message.conversation_id == id).map(|message| message.seq).min()
    };
    // A page that says what it covers goes down to there, whatever a policy hides of it.
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

/// What its author once composed, if it can be sent again.
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
