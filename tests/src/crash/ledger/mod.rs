//! What was accepted, edited, cancelled and opened, and whether the server matches: once, in its place, and in order.

mod decided;
mod judge;
mod records;

use super::{Finding, Harm, said::Said};
use decided::{Text, Withdrawal};
use fieldpost::{ConversationId, MedicId, MessageId, records::RecordId};
use records::Records;
use std::collections::{HashMap, HashSet};

/// A message that `send` has accepted.
#[derive(Debug, Clone)]
struct Accepted {
    process: String,
    /// The process's counter; it is part of the text.
    number: u64,
    id: MessageId,
    /// The id that the process used; the server may have replaced it since.
    conversation: ConversationId,
}

impl Accepted {
    fn text(&self) -> String {
        format!("{}#{}", self.process, self.number)
    }
}

/// A conversation, by one of its ids.
#[derive(Debug, Default)]
struct Place {
    medic: Option<MedicId>,
    withdrawal: Withdrawal,
}

/// The reports of all processes so far, each process's in order.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accepted: Vec<Accepted>,
    texts: HashMap<MessageId, Text>,
    withdrawn: HashMap<MessageId, Withdrawal>,
    places: HashMap<ConversationId, Place>,
    /// The medics with conversations, in the order of the first report.
    medics: Vec<MedicId>,
    /// The medics who were on the roster from the start. Messages to others may be refused at first; a retry puts them
    /// at the end of the lane.
    known: HashSet<MedicId>,
    records: Records,
}

impl Ledger {
    pub(super) fn new(known: impl IntoIterator<Item = MedicId>) -> Self {
        Self { known: known.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn hear(&mut self, process: &str, said: Said) {
        match said {
            Said::Accepted { id, number, conversation } => self.accept(process, id, number, conversation),
            Said::Here { conversation, medic } => self.open(conversation, medic),
            Said::Editing { id, text } => self.texts.entry(id).or_default().announce(text),
            Said::Edited { id, done } => self.texts.entry(id).or_default().decide(done),
            Said::Cancelling { id, conversation } => self.withdraw(id, conversation, Withdrawal::announce),
            Said::NotCancelled { id, conversation } => self.withdraw(id, conversation, Withdrawal::give_up),
            Said::Cancelled { messages, conversation } => {
                self.withdraw(None, conversation, Withdrawal::promise);
                messages.into_iter().for_each(|id| self.withdraw(Some(id), None, Withdrawal::promise));
            }
            Said::RecordCreated { id, reference } => self.records.create(id, reference),
            Said::RecordChanging { id, notes } => self.records.announce(id, notes),
            Said::RecordChanged { id } => self.records.change(id),
            Said::RecordDeleting { id } => self.records.deletion(id, Withdrawal::announce),
            Said::RecordDeleted { id } => self.records.deletion(id, Withdrawal::promise),
            Said::Busy | Said::Offline | Said::Trouble(_) => {}
        }
    }

    fn accept(&mut self, process: &str, id: MessageId, number: u64, conversation: ConversationId) {
        let one = Accepted { process: process.to_owned(), number, id, conversation };
        self.texts.entry(id).or_default().accept(one.text());
        self.accepted.push(one);
    }

    fn open(&mut self, conversation: ConversationId, medic: MedicId) {
        self.place(conversation).medic = Some(medic);
        if !self.medics.contains(&medic) {
            self.medics.push(medic);
        }
    }

    fn place(&mut self, conversation: ConversationId) -> &mut Place {
        self.places.entry(conversation).or_default()
    }

    fn withdraw(
        &mut self,
        id: Option<MessageId>,
        conversation: Option<ConversationId>,
        change: impl Fn(&mut Withdrawal),
    ) {
        if let Some(id) = id {
            change(self.withdrawn.entry(id).or_default());
        }
        if let Some(conversation) = conversation {
            change(&mut self.place(conversation).withdrawal);
        }
    }

    /// Whether the message, or its whole conversation, was cancelled, as far as is known.
    fn withdrawal(&self, one: &Accepted) -> Withdrawal {
        let own = self.withdrawn.get(&one.id).copied().unwrap_or_default();
        own.max(self.places.get(&one.conversation).map(|place| place.withdrawal).unwrap_or_default())
    }

    /// Messages that were accepted and that nobody has tried to cancel.
    fn owed(&self) -> impl Iterator<Item = &Accepted> {
        self.accepted.iter().filter(|one| self.withdrawal(one) == Withdrawal::No)
    }

    /// Messages that must be in the file.
    pub(super) fn owed_ids(&self) -> Vec<MessageId> {
        self.owed().map(|one| one.id).collect()
    }

    /// Records that must be in the file.
    pub(super) fn owed_records(&self) -> Vec<RecordId> {
        self.records.owed().collect()
    }

    /// Messages whose cancel was confirmed.
    pub(super) fn gone_ids(&self) -> Vec<MessageId> {
        self.withdrawn.iter().filter(|(_, withdrawal)| **withdrawal == Withdrawal::Yes).map(|(id, _)| *id).collect()
    }

    /// Conversations that must be in the file, by ids that it must know.
    pub(super) fn open_ids(&self) -> Vec<ConversationId> {
        let open = self.places.iter().filter(|(_, place)| place.medic.is_some() && place.withdrawal == Withdrawal::No);
        open.map(|(id, _)| *id).collect()
    }

    /// The medics who have always been on the roster.
    pub(super) fn known_medics(&self) -> impl Iterator<Item = &MedicId> {
        self.known.iter()
    }

    /// The medics with whom a conversation was opened, the newest last.
    pub(super) fn medics(&self) -> &[MedicId] {
        &self.medics
    }

    /// The numbers of messages accepted, edited and cancelled, of conversations opened, and of records created.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            messages: self.accepted.len(),
            edited: self.texts.values().filter(|text| text.was_changed()).count(),
            cancelled: self.gone_ids().len(),
            opened: self.medics.len(),
            records: self.records.len(),
        }
    }
}

/// See [`Ledger::counts`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    pub(super) messages: usize,
    pub(super) edited: usize,
    pub(super) cancelled: usize,
    pub(super) opened: usize,
    pub(super) records: usize,
}
