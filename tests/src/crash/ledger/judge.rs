//! Compares the ledger with the server.

use super::{Accepted, Finding, Harm, Ledger, decided::Withdrawal};
use crate::crash::{Contents, Stored};
use fieldpost::{ConversationId, MedicId, MessageId};
use std::collections::{BTreeMap, HashMap, HashSet};

impl Ledger {
    /// What must hold at any time: nothing exists twice, with one id or two; what exists is in order and has the right
    /// text; and what was cancelled stays away.
    pub(in crate::crash) fn judge(&self, server: &Contents) -> Vec<Finding> {
        let stored = &server.messages;
        let mut findings = doubled(stored);
        findings.extend(self.renamed(stored));
        findings.extend(self.out_of_order(stored));
        findings.extend(self.altered(stored));
        findings.extend(self.returned(server));
        findings.extend(self.misplaced(server));
        findings.extend(self.records.judge(&server.records));
        findings
    }

    /// What must hold after coming to rest: nothing is missing.
    pub(in crate::crash) fn missing(&self, server: &Contents) -> Vec<Finding> {
        let there: HashSet<MessageId> = server.messages.iter().map(|one| one.id).collect();
        let missing = self.owed().filter(|one| !there.contains(&one.id));
        let messages = missing.map(|one| Harm::Lost.found(format!("{} ({}) is not on the server", one.text(), one.id)));
        let open = server.medics();
        let unopened = self.places.iter().filter(|(_, place)| {
            place.withdrawal == Withdrawal::No && place.medic.is_some_and(|medic| !open.contains_key(&medic))
        });
        messages
            .chain(unopened.map(|(id, _)| Harm::Lost.found(format!("{id} was never opened on the server"))))
            .chain(self.records.missing(&server.records))
            .collect()
    }

    /// A message with another id than the accepted one.
    fn renamed(&self, stored: &[Stored]) -> Vec<Finding> {
        let texts: HashMap<&str, MessageId> = stored.iter().map(|one| (one.text.as_str(), one.id)).collect();
        let other = |one: &&Accepted| texts.get(one.text().as_str()).is_some_and(|id| *id != one.id);
        let renamed = self.accepted.iter().filter(other);
        renamed.map(|one| Harm::Duplicated.found(format!("{} is there, but not as {}", one.text(), one.id))).collect()
    }

    fn out_of_order(&self, stored: &[Stored]) -> Vec<Finding> {
        let places: HashMap<MessageId, &Stored> = stored.iter().map(|one| (one.id, one)).collect();
        let mut last: BTreeMap<(&str, ConversationId), (u64, &Accepted)> = BTreeMap::new();
        let mut findings = Vec::new();
        for one in self.accepted.iter().filter(|one| self.keeps_its_place(one)) {
            let Some(place) = places.get(&one.id) else { continue };
            let before = last.insert((&one.process, place.conversation), (place.seq, one));
            if let Some((seq, earlier)) = before.filter(|(seq, _)| *seq >= place.seq) {
                let (late, early) = (one.text(), earlier.text());
                findings.push(Harm::Disordered.found(format!("{late} has seq {} after {early} with {seq}", place.seq)));
            }
        }
        findings
    }

    fn keeps_its_place(&self, one: &Accepted) -> bool {
        let medic = self.places.get(&one.conversation).and_then(|place| place.medic);
        medic.is_none_or(|medic| self.known.contains(&medic))
    }

    fn altered(&self, stored: &[Stored]) -> Vec<Finding> {
        let wrong = stored.iter().filter_map(|one| Some((one, self.texts.get(&one.id)?.instead_of(&one.text)?)));
        wrong
            .map(|(one, text)| Harm::Altered.found(format!("{} says {} instead of {text}", one.id, one.text)))
            .collect()
    }

    fn returned(&self, server: &Contents) -> Vec<Finding> {
        let gone: HashSet<MessageId> = self.gone_ids().into_iter().collect();
        let messages = server.messages.iter().filter(|one| gone.contains(&one.id)).map(|one| one.text.clone());
        let taken_back =
            |id: &ConversationId| self.places.get(id).is_some_and(|place| place.withdrawal == Withdrawal::Yes);
        let conversations = server.directs.iter().map(|(_, id)| *id).filter(taken_back).map(|id| id.to_string());
        messages.chain(conversations).map(|what| Harm::Returned.found(format!("{what} had been taken back"))).collect()
    }

    /// A conversation that exists twice, or a message in another conversation than it was written in.
    fn misplaced(&self, server: &Contents) -> Vec<Finding> {
        let open = server.medics();
        let twice = open.iter().filter(|(_, ids)| ids.len() > 1);
        let mut findings: Vec<_> = twice
            .map(|(medic, ids)| Harm::Duplicated.found(format!("{} conversations with {medic}", ids.len())))
            .collect();
        let places: HashMap<MessageId, ConversationId> =
            server.messages.iter().map(|one| (one.id, one.conversation)).collect();
        for one in &self.accepted {
            let medic = self.places.get(&one.conversation).and_then(|place| place.medic);
            let wanted = medic.and_then(|medic| open.get(&medic)).filter(|ids| ids.len() == 1);
            if let (Some(wanted), Some(place)) = (wanted, places.get(&one.id))
                && !wanted.contains(place)
            {
                findings.push(Harm::Misplaced.found(format!("{} is in {place} instead of {wanted:?}", one.text())));
            }
        }
        findings
    }
}

impl Contents {
    /// The direct conversations of each medic.
    fn medics(&self) -> HashMap<MedicId, Vec<ConversationId>> {
        let mut medics: HashMap<_, Vec<_>> = HashMap::new();
        for (medic, conversation) in &self.directs {
            medics.entry(*medic).or_default().push(*conversation);
        }
        medics
    }
}

/// Every message has its own text, so a text that exists twice was stored twice.
fn doubled(stored: &[Stored]) -> Vec<Finding> {
    let mut seen = HashMap::new();
    let again = stored.iter().filter_map(|one| Some((one, seen.insert(one.text.as_str(), one.id)?)));
    again.map(|(one, id)| Harm::Duplicated.found(format!("{} is there as {id} and as {}", one.text, one.id))).collect()
}

#[cfg(test)]
mod tests;
