//! People's decisions about unsent messages: resend, edit, cancel.

use super::{
    Process, World,
    device::{Accepted, Amended},
    ops::EMOJIS,
};
use crate::simulator::{Breach, Invariant, dice::pick, step::Decision};
use fieldpost_domain::{
    DeleteMessage, EditMessage, Emoji, Intent, MessageContent, MessageId, Mutation, MutationId, MutationKind, PersonId,
    React,
};
use fieldpost_storage::{EntryState, OutboxEntry, StorageErrorKind, StorageResult, Window};
use std::collections::BTreeSet;

impl World {
    pub(super) async fn decide(&mut self, device: usize, number: u64, decision: Decision) {
        match decision {
            Decision::Amend => return self.amend(device, number).await,
            Decision::Delete => return self.delete(device, number).await,
            Decision::React => return self.react(device, number).await,
            Decision::Retry | Decision::Edit | Decision::Cancel => {}
        }
        let Some(process) = self.process(device, 0).await else { return };
        let entries = process.store.entries(u32::MAX).await;
        let Some(entries) = self.stored(device, entries) else { return };
        let ids: Vec<MutationId> = entries.iter().map(|entry| entry.mutation_id).collect();
        let Some(entry) = pick(&ids, number).and_then(|id| entries.into_iter().find(|one| one.mutation_id == id))
        else {
            return;
        };
        let words = format!("{} (edited)", entry.content.clone().unwrap_or_default());
        let at = process.env.now();
        let done = match (decision, MessageContent::new(&words)) {
            (Decision::Edit, Ok(content)) => process
                .run(process.outbox.edit(entry.mutation_id, content, at))
                .await
                .map(|done| done.map(|one| vec![one])),
            (Decision::Cancel, _) => process.run(process.outbox.cancel(entry.mutation_id)).await,
            _ => process.run(process.outbox.retry(entry.mutation_id, at)).await.map(|done| done.map(|one| vec![one])),
        };
        self.observer().say(|| format!("{} {decision:?} {:?}: {}", process.name, entry.kind, said(done.as_ref())));
        if entry.kind == MutationKind::SetConversation || entry.kind.policy().opens {
            self.hub.undecided().insert((self.devices[device].owner.id, entry.conversation_id));
        }
        if let (Some(target), Decision::Retry | Decision::Cancel) = (entry.target_id, decision) {
            self.written(self.devices[device].owner.id, target, |written| written.unsure = true);
        }
        match done {
            Some(Err(error)) if !is_refusal(error.kind()) => self.store_failed(device, &error),
            Some(Err(_)) => {}
            // The outbox shows whether it was done before the app was killed.
            _ => self.settle_decision(device, &entry, decision, &words).await,
        }
    }

    async fn settle_decision(&mut self, device: usize, before: &OutboxEntry, decision: Decision, words: &str) {
        let Ok(store) = self.devices[device].look().await else { return };
        let entries = store.entries(u32::MAX).await;
        let Some(entries) = self.stored(device, entries) else { return };
        let owner = self.devices[device].owner.id;
        match decision {
            Decision::Cancel => {
                let here: BTreeSet<_> = entries.iter().map(|entry| entry.mutation_id).collect();
                if !here.contains(&before.mutation_id) {
                    self.take_back(owner, before);
                    if before.kind == MutationKind::DeleteMessage {
                        before.target_id.map(|target| self.deleted.remove(&target));
                    }
                }
            }
            Decision::Edit => {
                let said = entries.iter().find(|entry| entry.mutation_id == before.mutation_id);
                if said.is_some_and(|entry| entry.content.as_deref() == Some(words)) {
                    self.say_differently(owner, before.message_id, words);
                    if let Some(target) = before.message_id.or(before.target_id) {
                        self.note_amended(device, target, words, true);
                    }
                }
                self.reorder(device, &entries);
            }
            Decision::Retry | Decision::Amend | Decision::Delete | Decision::React => self.reorder(device, &entries),
        }
    }

    /// Gives a message of their own another text, wherever it is by now.
    async fn amend(&mut self, device: usize, number: u64) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        let Ok(window) = process.store.messages(conversation.id, Window::newest(50)).await else { return };
        let own: Vec<_> = window.messages.iter().filter(|message| message.mine && !message.deleted).collect();
        let Some(message) = pick(&own, number) else { return };
        self.devices[device].notes += 1;
        let words = format!("note {} of device {device}, amended", self.devices[device].notes);
        let Ok(content) = MessageContent::new(&words) else { return };
        let (message_id, mentions) = (message.id, message.mentions.clone());
        let edit = EditMessage { conversation_id: conversation.id, message_id, content, mentions };
        let mutation = Mutation { id: process.env.mutation_id(), intent: Intent::EditMessage(edit) };
        let done = process.run(process.outbox.change(mutation, process.env.now())).await;
        self.observer().say(|| format!("{} amends {message_id}: {:?}", process.name, done.as_ref().map(Result::is_ok)));
        if let Some(Err(error)) = &done
            && !is_refusal(error.kind())
        {
            self.store_failed(device, error);
        }
        // An app that was killed before it got the answer may have done it all the same.
        if done.as_ref().is_none_or(Result::is_ok) {
            self.note_amended(device, message_id, &words, done.is_some());
        }
        let Ok(store) = self.devices[device].look().await else { return };
        if let Ok(entries) = store.entries(u32::MAX).await {
            self.reorder(device, &entries);
        }
    }

    /// Deletes a message of their own, wherever it is by now.
    async fn delete(&mut self, device: usize, number: u64) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        let Ok(window) = process.store.messages(conversation.id, Window::newest(50)).await else { return };
        let own: Vec<_> = window.messages.iter().filter(|message| message.mine && !message.deleted).collect();
        let Some(message) = pick(&own, number) else { return };
        let message_id = message.id;
        let was_lost = self.was_lost(&process, message_id).await;
        let (conversation_id, at) = (conversation.id, process.env.now());
        let deletion = DeleteMessage { conversation_id, message_id, deleted_at: at };
        let mutation = Mutation { id: process.env.mutation_id(), intent: Intent::DeleteMessage(deletion) };
        let done = process.run(process.outbox.change(mutation, at)).await;
        self.observer()
            .say(|| format!("{} deletes {message_id}: {:?}", process.name, done.as_ref().map(Result::is_ok)));
        if let Some(Err(error)) = &done
            && !is_refusal(error.kind())
        {
            self.store_failed(device, error);
        }
        // An app that was killed before it got the answer may have done it all the same.
        let Ok(store) = self.devices[device].look().await else { return };
        let (Ok(now), Ok(entries)) = (store.message(message_id).await, store.entries(u32::MAX).await) else { return };
        match now {
            // Another device of hers may have sent the message again, of which this one does not know yet.
            None if was_lost && self.hub.server.message(message_id).is_some() => {}
            // A page may have taken the message away instead: then the server knows what became of it.
            None if message.seq.is_none() && done.as_ref().is_none_or(Result::is_ok) => self.never_sent(message_id),
            Some(now) if now.deleted && now.content.is_none() => {
                self.deleted.insert(message_id);
            }
            Some(now) if done.as_ref().is_some_and(Result::is_ok) => {
                let what = format!("{message_id} is shown to device {device} after it was deleted");
                self.observer().report(
                    Breach::new(Invariant::Privacy, what).with_views("nothing", now.content.unwrap_or_default()),
                );
            }
            _ => {}
        }
        self.reorder(device, &entries);
    }

    /// Whether the message is a dead letter because the server lost it.
    async fn was_lost(&self, process: &Process, message: MessageId) -> bool {
        let is_dead = |entry: OutboxEntry| matches!(entry.state, EntryState::Failed(_));
        let entry = process.store.entry_of(message).await;
        self.rolled_back.contains(&message) && entry.is_ok_and(|entry| entry.is_some_and(is_dead))
    }

    /// Taps on a reaction of any message that is shown.
    async fn react(&mut self, device: usize, number: u64) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        let Ok(window) = process.store.messages(conversation.id, Window::newest(50)).await else { return };
        let shown: Vec<_> = window.messages.iter().filter(|message| !message.deleted).collect();
        let (Some(message), Some(emoji)) = (pick(&shown, number), pick(&EMOJIS, number / 7)) else { return };
        let emoji = Emoji::told(emoji);
        let removed = message.reactions.iter().any(|one| one.mine && one.emoji == emoji);
        let (message_id, conversation_id, given) = (message.id, conversation.id, emoji.clone());
        let reaction = React { conversation_id, message_id, emoji, removed };
        let mutation = Mutation { id: process.env.mutation_id(), intent: Intent::React(reaction) };
        let done = process.run(process.outbox.change(mutation, process.env.now())).await;
        self.observer().say(|| {
            format!("{} reacts to {message_id}: {removed} {:?}", process.name, done.as_ref().map(Result::is_ok))
        });
        match done {
            Some(Err(error)) if !is_refusal(error.kind()) => self.store_failed(device, &error),
            Some(Ok(now)) if now.reactions.iter().any(|one| one.mine && one.emoji == given) == removed => {
                let what = format!("a reaction to {message_id} does not show on device {device} at once");
                self.observer().report(Breach::new(Invariant::Convergence, what));
            }
            _ => {}
        }
        let Ok(store) = self.devices[device].look().await else { return };
        if let Ok(entries) = store.entries(u32::MAX).await {
            self.reorder(device, &entries);
        }
    }

    fn never_sent(&mut self, message: MessageId) {
        if self.hub.server.message(message).is_some() {
            let what = format!("{message} was taken back and is on the server");
            self.observer().report(Breach::new(Invariant::NoDuplicate, what));
        }
        for written in self.devices.iter_mut().flat_map(|device| &mut device.written) {
            written.taken_back |= written.id == message;
        }
    }

    /// Cancelling an open also cancels everything queued in its conversation.
    fn take_back(&mut self, owner: PersonId, entry: &OutboxEntry) {
        let opens = entry.kind.policy().opens;
        let mut sent = None;
        for device in self.devices.iter_mut().filter(|device| device.owner.id == owner) {
            for written in &mut device.written {
                let gone =
                    Some(written.id) == entry.message_id || (opens && written.conversation == entry.conversation_id);
                written.taken_back |= gone;
                if gone && !opens && self.hub.server.message(written.id).is_some() {
                    sent = Some(written.id);
                }
            }
        }
        // A dead letter may concern a message that the server has: for example one whose edit it refused.
        if let Some(id) = sent
            && !matches!(entry.state, EntryState::Failed(_))
        {
            self.observer()
                .report(Breach::new(Invariant::NoDuplicate, format!("{id} was taken back and is on the server")));
        }
    }

    fn note_amended(&mut self, device: usize, message: MessageId, words: &str, certain: bool) {
        let owner = self.devices[device].owner.id;
        self.written(owner, message, |written| {
            written.amended.push(Amended { device, words: words.to_owned(), certain });
        });
    }

    fn say_differently(&mut self, owner: PersonId, message: Option<MessageId>, words: &str) {
        let Some(message) = message else { return };
        self.written(owner, message, |written| {
            written.before.push(std::mem::replace(&mut written.content, words.to_owned()));
        });
    }

    /// What a person has written, on whichever device.
    fn written(&mut self, owner: PersonId, message: MessageId, change: impl FnMut(&mut Accepted)) {
        let hers = self.devices.iter_mut().filter(|device| device.owner.id == owner);
        hers.flat_map(|device| &mut device.written).filter(|written| written.id == message).for_each(change);
    }

    /// A resent message goes to the end of the order, which is checked from then on. If another device resends it than
    /// the one that wrote it, the other device's order counts.
    fn reorder(&mut self, device: usize, entries: &[OutboxEntry]) {
        // One that the server has stays at its place, even if the device does not know that yet.
        let is_there = |id: &MessageId| self.hub.server.message(*id).is_some();
        let ids = entries.iter().filter_map(|entry| entry.message_id);
        let waiting: Vec<MessageId> = ids.filter(|id| !is_there(id)).collect();
        let place = |written: &Accepted| waiting.iter().position(|id| *id == written.id).map_or(0, |at| at + 1);
        self.devices[device].written.sort_by_key(place);
        let sent = entries.iter().filter(|entry| !matches!(entry.state, EntryState::Failed(_)));
        let sent: BTreeSet<MessageId> = sent.filter_map(|entry| entry.message_id).collect();
        let others = self.devices.iter_mut().enumerate().filter(|(number, _)| *number != device);
        for written in others.flat_map(|(_, other)| &mut other.written) {
            written.sent_elsewhere |= sent.contains(&written.id);
        }
    }
}

/// An error for the person, as opposed to a failing store.
const fn is_refusal(kind: StorageErrorKind) -> bool {
    matches!(kind, StorageErrorKind::NotFound | StorageErrorKind::NotApplicable(_) | StorageErrorKind::OutcomeUnknown)
}

fn said(done: Option<&StorageResult<Vec<OutboxEntry>>>) -> String {
    match done {
        None => "killed".to_owned(),
        Some(Ok(_)) => "done".to_owned(),
        Some(Err(error)) => format!("{:?}", error.kind()),
    }
}
