//! What was accepted of records, and whether the server matches.

use super::{
    Finding, Harm,
    decided::{Text, Withdrawal},
};
use crate::crash::StoredRecord;
use fieldpost::records::RecordId;
use std::collections::{BTreeMap, HashMap};

/// One treatment that `create` has accepted.
#[derive(Debug, Default)]
struct Accepted {
    reference: String,
    notes: Text,
    deletion: Withdrawal,
}

/// The reports about records so far.
#[derive(Debug, Default)]
pub(super) struct Records(BTreeMap<RecordId, Accepted>);

impl Records {
    pub(super) fn create(&mut self, id: RecordId, reference: String) {
        let one = self.0.entry(id).or_default();
        one.reference = reference;
        one.notes.accept(String::new());
    }

    pub(super) fn announce(&mut self, id: RecordId, notes: String) {
        self.0.entry(id).or_default().notes.announce(notes);
    }

    pub(super) fn change(&mut self, id: RecordId) {
        self.0.entry(id).or_default().notes.decide(true);
    }

    pub(super) fn deletion(&mut self, id: RecordId, change: impl Fn(&mut Withdrawal)) {
        change(&mut self.0.entry(id).or_default().deletion);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Records that must be in the file.
    pub(super) fn owed(&self) -> impl Iterator<Item = RecordId> {
        self.0.iter().filter(|(_, one)| one.deletion == Withdrawal::No).map(|(id, _)| *id)
    }

    /// What must hold at any time: nothing exists twice.
    pub(super) fn judge(&self, stored: &[StoredRecord]) -> Vec<Finding> {
        let mut seen = HashMap::new();
        let again = stored.iter().filter_map(|one| Some((one, seen.insert(one.reference.as_str(), one.id)?)));
        again
            .map(|(one, id)| Harm::Duplicated.found(format!("record {} as {id} and {}", one.reference, one.id)))
            .collect()
    }

    /// What must hold after coming to rest: everything is there as it was last accepted, and what was deleted is gone.
    pub(super) fn missing(&self, stored: &[StoredRecord]) -> Vec<Finding> {
        let there: HashMap<RecordId, &StoredRecord> = stored.iter().map(|one| (one.id, one)).collect();
        self.0.iter().filter_map(|(id, one)| one.fault(*id, there.get(id).copied())).collect()
    }
}

impl Accepted {
    fn fault(&self, id: RecordId, there: Option<&StoredRecord>) -> Option<Finding> {
        let reference = &self.reference;
        match (self.deletion, there) {
            (Withdrawal::No, None) => Some(Harm::Lost.found(format!("record {reference} ({id}) is not on the server"))),
            (Withdrawal::Yes, Some(_)) => Some(Harm::Returned.found(format!("record {reference} had been deleted"))),
            (_, Some(there)) => {
                let instead = self.notes.instead_of(&there.notes)?;
                let notes = &there.notes;
                Some(Harm::Altered.found(format!("record {reference} ({id}) says {notes:?} instead of {instead:?}")))
            }
            (_, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> RecordId {
        RecordId::from_uuid(Uuid::from_u128(number))
    }

    fn stored(number: u128, notes: &str) -> StoredRecord {
        StoredRecord { id: id(number), reference: format!("k0#{number}"), notes: notes.to_owned() }
    }

    fn ledger() -> Records {
        let mut records = Records::default();
        records.create(id(1), "k0#1".to_owned());
        records.announce(id(1), "first".to_owned());
        records.change(id(1));
        records
    }

    #[test]
    fn what_is_as_accepted_is_no_finding() {
        assert!(ledger().missing(&[stored(1, "first")]).is_empty());
        let mut perhaps = ledger();
        perhaps.announce(id(1), "second".to_owned());
        assert!(perhaps.missing(&[stored(1, "second")]).is_empty());
        assert!(perhaps.missing(&[stored(1, "first")]).is_empty());
    }

    #[test]
    fn lost_altered_returned_and_doubled_records_are_found() {
        let harm = |found: Vec<Finding>| found.iter().map(|one| one.harm).collect::<Vec<_>>();
        assert_eq!(harm(ledger().missing(&[])), [Harm::Lost]);
        assert_eq!(harm(ledger().missing(&[stored(1, "")])), [Harm::Altered]);
        let twice = [stored(1, "first"), StoredRecord { id: id(2), ..stored(1, "first") }];
        assert_eq!(harm(ledger().judge(&twice)), [Harm::Duplicated]);
        let mut deleted = ledger();
        deleted.deletion(id(1), Withdrawal::promise);
        assert_eq!(harm(deleted.missing(&[stored(1, "first")])), [Harm::Returned]);
    }
}
