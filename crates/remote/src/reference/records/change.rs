//! One change of a batch: a create, an update or a delete.

use super::{RecordKey, RecordSubmission, StoredRecord, columns, push::refuse, stamp::stamp};
use crate::{
    OutgoingRecord,
    reference::{tables::Tables, transaction::Transaction, viewer::Viewer},
};
use fieldpost_domain::{
    OrgId, Role, Time, Version,
    planted::{PlantedBug, planted},
    records::{
        ConflictRule, Fields, RecordId, RecordOperation, RecordOutcome, RecordRefusal, RecordRefusalCode, RecordRow,
        RecordTable,
    },
};

/// An outcome, or a refusal.
type Judged = Result<RecordOutcome, RecordRefusal>;

/// A change, with its table and its author.
pub(super) struct Change<'c> {
    pub(super) viewer: &'c Viewer,
    pub(super) table: usize,
    pub(super) change: &'c OutgoingRecord,
    /// What comes after it in the batch.
    pub(super) later: &'c [RecordSubmission],
}

impl Change<'_> {
    /// Applies it, and names the fields that the table has no columns for.
    pub(super) fn carry_out(&self, transaction: &mut Transaction<'_>, ignored: &mut Vec<String>) -> Judged {
        match self.change.operation {
            RecordOperation::Create => self.create(transaction, ignored),
            RecordOperation::Delete => self.delete(transaction),
            _ => self.update(transaction, ignored),
        }
    }

    fn create(&self, transaction: &mut Transaction<'_>, ignored: &mut Vec<String>) -> Judged {
        let (id, now) = (self.change.record_id, transaction.now());
        let tables = transaction.tables();
        let org = self.change.org_id.ok_or(refuse(RecordRefusalCode::BadRequest))?;
        let role = self.role(org)?;
        if let Some(earlier) = self.earlier(tables, now).filter(|earlier| !overwrites(earlier)) {
            return earlier;
        }
        let (fields, unknown) = columns::split(self.spec(tables)?, &self.change.fields);
        *ignored = unknown;
        let fields = columns::check((tables, self.viewer), self.spec(tables)?, None, fields)?;
        let mut all = columns::empty(self.spec(tables)?);
        all.merge(&fields);
        let mut row = RecordRow {
            table: self.change.table.clone(),
            id,
            client_id: Some(id),
            org_id: org,
            version: Version::ZERO,
            created_at: Some(self.stamp(now)),
            modified_at: self.stamp(now),
            last_mutation_id: Some(self.change.id),
            fields: all,
        };
        self.accepted(tables, None, &mut row, role)?;
        let author = Some(self.viewer.person_id);
        Ok(there(&transaction.put_record(self.key(id), StoredRecord { row, author })))
    }

    /// The outcome of a create whose record was there before, for her or for somebody else.
    fn earlier(&self, tables: &Tables, now: Time) -> Option<Judged> {
        let taken = || Err(refuse(RecordRefusalCode::IdTaken));
        let id = self.change.record_id;
        if let Some(stored) = tables.records.find(self.table, id) {
            let hers = self.viewer.sees_record(tables, &stored.row);
            return Some(if hers { Ok(there(&stored.row)) } else { taken() });
        }
        let mut dead = tables.records.tombstones_of(self.table, id).peekable();
        dead.peek()?;
        let hers = dead.find(|(org, _)| self.viewer.role_in(*org).is_some());
        Some(hers.map_or_else(taken, |(_, tombstone)| Ok(gone(tombstone.id, self.stamp(now)))))
    }

    fn update(&self, transaction: &mut Transaction<'_>, ignored: &mut Vec<String>) -> Judged {
        let (tables, now) = (transaction.tables(), transaction.now());
        let Some(stored) = self.seen(tables) else { return Ok(RecordOutcome::Missing) };
        let before = &stored.row;
        let (fields, unknown) = columns::split(self.spec(tables)?, &self.change.fields);
        *ignored = unknown;
        let applied = |id| id == self.change.id || self.later.iter().any(|one| one.id == Some(id));
        if before.last_mutation_id.is_some_and(applied) && !planted(PlantedBug::LastMutationForgotten) {
            return Ok(there(before));
        }
        let Some(modified_at) = self.wins_at(before, self.stamp(now)) else {
            return Ok(RecordOutcome::Lost { winner: Box::new(before.clone()) });
        };
        let role = self.role(before.org_id)?;
        let fields = columns::check((tables, self.viewer), self.spec(tables)?, Some(stored), fields)?;
        let last_mutation_id = Some(self.change.id);
        let mut row = RecordRow { modified_at, last_mutation_id, fields: over(before, &fields), ..before.clone() };
        self.accepted(tables, Some(before), &mut row, role)?;
        let (key, author) = (self.key(row.id), stored.author);
        Ok(there(&transaction.put_record(key, StoredRecord { row, author })))
    }

    fn delete(&self, transaction: &mut Transaction<'_>) -> Judged {
        let (tables, now) = (transaction.tables(), transaction.now());
        let Some(stored) = self.seen(tables) else { return Ok(gone(self.change.record_id, self.stamp(now))) };
        let key = self.key(stored.row.id);
        if !self.viewer.may_delete(stored) {
            return Err(refuse(RecordRefusalCode::Forbidden));
        }
        let role = self.role(stored.row.org_id)?;
        tables.project.0.removes_record(&stored.row, (self.viewer.person_id, role))?;
        if let Some(refusal) = columns::still_needed(&tables.records, key) {
            return Err(refusal);
        }
        transaction.remove_record(key);
        Ok(gone(key.id, self.stamp(now)))
    }

    /// The time that the row gets if this change stands; none if the row's last change is the later one.
    fn wins_at(&self, row: &RecordRow, stamp: Time) -> Option<Time> {
        let follows = self.change.after.is_some() && self.change.after == row.last_mutation_id;
        let arrival = self.change.rule == ConflictRule::LastArrivalWins || planted(PlantedBug::ArrivalDecides);
        if follows || arrival {
            return Some(stamp.max(row.modified_at));
        }
        ((stamp, Some(self.change.id)) > (row.modified_at, row.last_mutation_id)).then_some(stamp)
    }

    /// The triggers and policies of the project. Nobody may write what she then could not see.
    fn accepted(
        &self,
        tables: &Tables,
        before: Option<&RecordRow>,
        row: &mut RecordRow,
        role: &Role,
    ) -> Result<(), RecordRefusal> {
        tables.project.0.stores_record(before, row, (self.viewer.person_id, role))?;
        let sees = self.viewer.sees_record(tables, row);
        if sees { Ok(()) } else { Err(refuse(RecordRefusalCode::Forbidden)) }
    }

    /// The row, if the caller sees it.
    fn seen<'t>(&self, tables: &'t Tables) -> Option<&'t StoredRecord> {
        let stored = tables.records.find(self.table, self.change.record_id);
        stored.filter(|stored| self.viewer.sees_record(tables, &stored.row))
    }

    fn role(&self, org: OrgId) -> Result<&Role, RecordRefusal> {
        self.viewer.role_in(org).ok_or(refuse(RecordRefusalCode::Forbidden))
    }

    fn spec<'t>(&self, tables: &'t Tables) -> Result<&'t RecordTable, RecordRefusal> {
        tables.records.offered.get(self.table).ok_or(refuse(RecordRefusalCode::UnknownTable))
    }

    const fn key(&self, id: RecordId) -> RecordKey {
        RecordKey { table: self.table, id }
    }

    fn stamp(&self, now: Time) -> Time {
        stamp(self.change.modified, now)
    }
}

/// What [`PlantedBug::CreateOverwrites`] makes of a create whose record is there.
fn overwrites(earlier: &Judged) -> bool {
    planted(PlantedBug::CreateOverwrites) && matches!(earlier, Ok(RecordOutcome::Won { version: Some(_), .. }))
}

fn over(row: &RecordRow, fields: &Fields) -> Fields {
    let mut all = row.fields.clone();
    all.merge(fields);
    all
}

const fn there(row: &RecordRow) -> RecordOutcome {
    RecordOutcome::Won { server_id: row.id, version: Some(row.version), modified_at: row.modified_at }
}

const fn gone(server_id: RecordId, modified_at: Time) -> RecordOutcome {
    RecordOutcome::Won { server_id, version: None, modified_at }
}
