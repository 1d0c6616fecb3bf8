//! People's actions on their devices.

use super::{Accepted, Process, World};
use crate::simulator::{Breach, Invariant, dice::pick, verdict};
use fieldpost_domain::{ConversationId, MedicId, MessageContent, MessageId, MessageKind, PersonId, Seq};
use fieldpost_storage::{ConversationSummary, NewDirect, Older, OutgoingMessage, StorageResult, ThreadWindow, Window};
use std::{collections::BTreeSet, sync::Arc};

/// What the person is told about a message must be true: accepted and stored, or refused and not stored.
fn told_the_truth<T>(
    process: &Process,
    id: MessageId,
    sent: Option<&StorageResult<T>>,
    there: bool,
) -> Result<(), Breach> {
    let what = match sent {
        Some(Ok(_)) if !there => format!("{id} was accepted and is not stored"),
        Some(Ok(_)) if process.is_paused() => format!("{id} was accepted by a store that was let go of"),
        Some(Err(error)) if there => format!("{id} was refused ({error}) and is stored"),
        _ => return Ok(()),
    };
    Err(Breach::new(Invariant::NoLoss, what))
}

impl World {
    /// The app of a device, and a conversation on it.
    pub(super) async fn app(&mut self, device: usize, number: u64) -> Option<(Arc<Process>, ConversationSummary)> {
        let process = self.process(device, 0).await?;
        // If the store was released, the person still sees what is on the screen.
        let store = self.stored(device, self.devices[device].look().await)?;
        let mut all = self.stored(device, store.conversations(u32::MAX).await)?;
        all.sort_by_key(|conversation| conversation.id);
        let ids: Vec<_> = all.iter().map(|conversation| conversation.id).collect();
        let id = pick(&ids, number)?;
        all.into_iter().find(|conversation| conversation.id == id).map(|conversation| (process, conversation))
    }

    pub(super) async fn process(&mut self, device: usize, number: u8) -> Option<Arc<Process>> {
        let died = self.devices[device].has_died(number);
        let process = self.devices[device].process(number).await;
        if died {
            let verdict = verdict::survives(&self.hub, &self.devices[device]).await;
            self.observer().judge(verdict);
        }
        self.stored(device, process)
    }

    pub(super) fn stored<T>(&self, device: usize, result: StorageResult<T>) -> Option<T> {
        result.inspect_err(|error| self.store_failed(device, error)).ok()
    }

    pub(super) async fn write(&mut self, device: usize, number: u64) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        let Some(store) = self.stored(device, self.devices[device].look().await) else { return };
        let Ok(Some(_)) = store.account().await else { return };
        let words = format!("note {} of device {device}", self.devices[device].notes);
        let content = self.hub.narrow.text(words, number);
        self.devices[device].notes += 1;
        let Ok(text) = MessageContent::new(&content) else { return };
        let message = OutgoingMessage {
            id: process.env.message_id(),
            conversation_id: conversation.id,
            kind: MessageKind::Text,
            content: text,
            metadata: None,
            reply_to: None,
            mentions: fieldpost_domain::Mentions::new(),
            composed_at: process.env.now(),
        };
        let id = message.id;
        let sent = process.run(process.outbox.send(process.env.mutation_id(), message)).await;
        let there = self.is_there(device, id).await;
        self.observer().say(|| format!("{} writes {id} in {}", process.name, conversation.id));
        self.observer().judge(told_the_truth(&process, id, sent.as_ref(), there));
        if matches!(sent, Some(Ok(_))) {
            self.tell_of_write(&process, Some(id), number).await;
        }
        // Killed after the commit, before it returned: the person sees the message in the thread.
        if there {
            self.devices[device].written.push(Accepted {
                id,
                conversation: conversation.id,
                content,
                amended: Vec::new(),
                unsure: false,
                before: Vec::new(),
                taken_back: false,
                sent_elsewhere: false,
            });
        }
    }

    /// The app tells the engine of a write; unless another part of it has written, which does not know the engine.
    pub(super) async fn tell_of_write(&self, process: &Process, written: Option<MessageId>, number: u64) {
        if (number >> 32).is_multiple_of(4) {
            return;
        }
        let syncing = process.engine.status().borrow().syncing;
        if let (true, Some(message), Ok(counts)) = (syncing, written, process.store.counts().await)
            && (counts.pending, counts.failed) == (1, 0)
        {
            self.observer().count("writes beside passes");
            process.beside.wrote(message);
        }
        drop(process.run(process.engine.note_local_write()).await);
    }

    async fn is_there(&self, device: usize, id: MessageId) -> bool {
        match self.devices[device].look().await {
            Ok(store) => matches!(store.message(id).await, Ok(Some(_))),
            Err(_) => false,
        }
    }

    pub(super) async fn read(&mut self, device: usize, number: u64, share: u8) {
        let Some((process, conversation)) = self.app(device, number).await else { return };
        let Ok(window) = process.store.messages(conversation.id, Window::newest(50)).await else { return };
        let shown = window.last_seq().unwrap_or(Seq::ZERO).get() * u64::from(share) / 100;
        let mark =
            process.outbox.mark_read(process.env.mutation_id(), conversation.id, Seq::new(shown), process.env.now());
        if let Some(Ok(read)) = process.run(mark).await {
            self.observer().say(|| format!("{} has read {} up to {read}", process.name, conversation.id));
            if self.is_of_this_history(conversation.id, &window, self.devices[device].owner.id, read) {
                self.devices[device].read().insert(conversation.id, read);
            }
        }
    }

    /// Whether the displayed messages equal the server's. After a change of history, nothing needs to stay read.
    fn is_of_this_history(&self, id: ConversationId, window: &ThreadWindow, reader: PersonId, read: Seq) -> bool {
        let Some(from) = window.messages.iter().find_map(|message| message.seq) else { return true };
        let displayed: BTreeSet<_> = window.messages.iter().map(|message| message.id).collect();
        let there = self.hub.messages_for(reader, id);
        let mut there = there.iter().filter(|message| from <= message.seq && message.seq <= read);
        let last = self.hub.server.conversation(id).map(|row| row.last_seq);
        last.is_some_and(|last| last >= read) && there.all(|message| displayed.contains(&message.id))
    }

    pub(super) async fn open(&mut self, device: usize, number: u64) {
        let Some(process) = self.process(device, 0).await else { return };
        let Ok(state) = process.store.sync_state().await else { return };
        let Some(me) = state.me else { return };
        let medics: Vec<MedicId> = match me.medic_id {
            Some(own) => vec![own],
            None => {
                let people = process.store.people().await.unwrap_or_default();
                let mut medics: Vec<_> = people.iter().filter_map(|person| person.medic_id).collect();
                medics.sort();
                medics
            }
        };
        let Some(medic_id) = pick(&medics, number) else { return };
        let id = process.env.conversation_id();
        let new = NewDirect { id, medic_id, at: process.env.now() };
        let opened = process.run(process.outbox.open_direct(process.env.mutation_id(), new)).await;
        if let Some(Ok(opened)) = opened {
            self.observer().say(|| format!("{} opens {}", process.name, opened.id));
            self.tell_of_write(&process, None, number).await;
        }
    }

    /// Scrolls up while other things go on.
    pub(super) async fn look_back(&mut self, device: usize, number: u8, choice: u64) {
        let Some((_, conversation)) = self.app(device, choice).await else { return };
        let Some(process) = self.process(device, number).await else { return };
        let Ok(window) = process.store.messages(conversation.id, Window::newest(50)).await else { return };
        // A person who has seen everything may still pull the thread down.
        let before = match window.older {
            Older::OnServer(before) => before,
            _ => conversation.last_seq.next(),
        };
        let observer = Arc::clone(&self.hub.observer);
        let id: ConversationId = conversation.id;
        tokio::spawn(async move {
            let _by_hand = process.by_hand();
            let loaded = process.run(process.engine.load_older(id, before)).await;
            observer.say(|| match loaded {
                Some(Ok(report)) => format!("{} has looked back: {} rows", process.name, report.applied),
                Some(Err(_)) => format!("{} could not look back", process.name),
                None => format!("{} died looking back", process.name),
            });
        });
    }

    pub(super) async fn kill(&mut self, device: usize, number: u8, polls: u16) {
        let Some(process) = self.process(device, number).await else { return };
        self.observer().count("kills");
        process.kill_after(polls);
    }

    pub(super) async fn sign_out(&mut self, device: usize) {
        let Some(process) = self.process(device, 0).await else { return };
        self.observer().count("sign-outs");
        drop(process.run(process.engine.sign_out()).await);
    }
}
