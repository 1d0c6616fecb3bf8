//! What was accepted, and whether the server has it: once, and in order.

use super::{Finding, Harm, Stored};
use fieldpost::{ConversationId, MessageId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A message that `send` has accepted.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) process: String,
    /// Counted by the process; it is in the text.
    pub(super) number: u64,
    pub(super) id: MessageId,
}

impl Accepted {
    fn text(&self) -> String {
        format!("{}#{}", self.process, self.number)
    }
}

/// Everything that was accepted so far, each process's in its order.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accepted: Vec<Accepted>,
}

impl Ledger {
    pub(super) fn add(&mut self, accepted: Vec<Accepted>) {
        self.accepted.extend(accepted);
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = MessageId> {
        self.accepted.iter().map(|one| one.id)
    }

    /// What must hold at any time: nothing is there twice, under one id or two, and what is there is in order.
    pub(super) fn judge(&self, stored: &[Stored]) -> Vec<Finding> {
        let mut findings = doubled(stored);
        findings.extend(self.renamed(stored));
        findings.extend(self.out_of_order(stored));
        findings
    }

    /// What must hold once everything has come to rest: nothing is missing.
    pub(super) fn missing(&self, stored: &[Stored]) -> Vec<Finding> {
        let there: HashSet<MessageId> = stored.iter().map(|one| one.id).collect();
        let missing = self.accepted.iter().filter(|one| !there.contains(&one.id));
        missing.map(|one| Harm::Lost.found(format!("{} ({}) is not on the server", one.text(), one.id))).collect()
    }

    /// A message that is there under another id than the one that was accepted.
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
        for one in &self.accepted {
            let Some(place) = places.get(&one.id) else { continue };
            let before = last.insert((&one.process, place.conversation), (place.seq, one));
            if let Some((seq, earlier)) = before.filter(|(seq, _)| *seq >= place.seq) {
                let (late, early) = (one.text(), earlier.text());
                findings.push(Harm::Disordered.found(format!("{late} has seq {} after {early} with {seq}", place.seq)));
            }
        }
        findings
    }
}

/// Every message has a text of its own, so a text that is there twice was stored twice.
fn doubled(stored: &[Stored]) -> Vec<Finding> {
    let mut seen = HashMap::new();
    let again = stored.iter().filter_map(|one| Some((one, seen.insert(one.text.as_str(), one.id)?)));
    again.map(|(one, id)| Harm::Duplicated.found(format!("{} is there as {id} and as {}", one.text, one.id))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u64) -> MessageId {
        MessageId::from_uuid(Uuid::from_u128(number.into()))
    }

    fn accepted(number: u64) -> Accepted {
        Accepted { process: "a".to_owned(), number, id: id(number) }
    }

    fn stored(number: u64, as_id: u64, seq: u64) -> Stored {
        let conversation = ConversationId::from_uuid(Uuid::nil());
        Stored { conversation, seq, id: id(as_id), text: format!("a#{number}") }
    }

    fn harms(findings: Vec<Finding>) -> Vec<Harm> {
        findings.into_iter().map(|finding| finding.harm).collect()
    }

    #[test]
    fn each_way_of_going_wrong_is_found_and_named() {
        let mut ledger = Ledger::default();
        ledger.add(vec![accepted(1), accepted(2)]);
        let right = [stored(1, 1, 1), stored(2, 2, 2)];
        assert!(ledger.judge(&right).is_empty() && ledger.missing(&right).is_empty());

        assert_eq!(harms(ledger.missing(&right[..1])), [Harm::Lost]);
        assert_eq!(harms(ledger.judge(&[stored(1, 1, 2), stored(2, 2, 1)])), [Harm::Disordered]);
        assert_eq!(harms(ledger.judge(&[stored(1, 9, 1)])), [Harm::Duplicated]);
        let twice = [stored(1, 1, 1), stored(1, 9, 2), stored(2, 2, 3)];
        assert!(harms(ledger.judge(&twice)).contains(&Harm::Duplicated));
    }
}
