//! Changes that a person makes.

use super::state::{Entry, Key, RecordsState};
use crate::{StorageError, StorageErrorKind, StorageResult};
use fieldpost_domain::{
    MutationId, OrgId,
    planted::{PlantedBug, planted},
    records::{
        DeviceTime, FieldError, Fields, NewRecord, Priority, RECORD_LIMIT, Record, RecordChange, RecordId,
        RecordOperation, RecordRefusal, RecordRefusalCode, RecordTable, TableName,
    },
};

/// What a new entry says.
struct Draft {
    id: MutationId,
    key: Key,
    operation: RecordOperation,
    org_id: Option<OrgId>,
    fields: Fields,
    priority: Priority,
    at: DeviceTime,
}

impl RecordsState {
    pub(super) fn table(&self, table: &TableName, operation: &'static str) -> StorageResult<&RecordTable> {
        let missing =
            || StorageError::new(StorageErrorKind::NotFound, operation).with_detail("the table is not declared");
        self.declared(table).ok_or_else(missing)
    }

    pub(super) fn create(
        &mut self,
        mutation: MutationId,
        new: NewRecord,
        org: impl FnOnce() -> StorageResult<OrgId>,
    ) -> StorageResult<Record> {
        const OPERATION: &str = "create_record";
        let table = self.table(&new.table, OPERATION)?;
        let key = self.resolve(&new.table, new.id);
        if let Some(stored) = self.shown(&key) {
            return Ok(stored);
        }
        if self.is_known(&key) || self.tombstones.contains_key(&key) {
            return Err(invalid(FieldError::IdOfDeleted, OPERATION));
        }
        table.check_new(&new.fields).map_err(|fault| invalid(fault, OPERATION))?;
        let fields = self.kept(table, new.fields);
        let priority = table.priority.of(&fields);
        let org_id = Some(match new.org_id {
            Some(org) => org,
            None => org()?,
        });
        let operation = RecordOperation::Create;
        if self.find(mutation).is_none() {
            self.push(Draft { id: mutation, key: key.clone(), operation, org_id, fields, priority, at: new.at });
        }
        self.must_show(&key, OPERATION)
    }

    pub(super) fn update(&mut self, mutation: MutationId, change: RecordChange) -> StorageResult<Record> {
        const OPERATION: &str = "update_record";
        let table = self.table(&change.table, OPERATION)?;
        let key = self.resolve(&change.table, change.id);
        let shown = self.must_show(&key, OPERATION)?;
        table.check_change(&change.fields).map_err(|fault| invalid(fault, OPERATION))?;
        let null = serde_json::Value::Null;
        let fields = self.kept(table, change.fields).into_iter();
        let fields: Fields = fields.filter(|(name, value)| shown.fields.get(name).unwrap_or(&null) != value).collect();
        if fields.is_empty() || self.find(mutation).is_some() {
            return Ok(shown);
        }
        let mut after = shown.fields;
        after.merge(&fields);
        let priority = table.priority.of(&after);
        let operation = RecordOperation::Update;
        let draft = Draft { id: mutation, key: key.clone(), operation, org_id: None, fields, priority, at: change.at };
        match self.foldable(&draft) {
            Some(at) => self.fold(at, draft),
            None => self.push(draft),
        }
        self.must_show(&key, OPERATION)
    }

    pub(super) fn delete(
        &mut self,
        mutation: MutationId,
        table: TableName,
        record: RecordId,
        at: DeviceTime,
    ) -> StorageResult<()> {
        let rule = self.table(&table, "delete_record")?.priority.clone();
        let key = self.resolve(&table, record);
        let Some(shown) = self.shown(&key).filter(|_| self.find(mutation).is_none()) else { return Ok(()) };
        self.queue.retain(|entry| entry.key != key || !entry.is_unsent());
        if self.is_known(&key) {
            let (operation, priority) = (RecordOperation::Delete, rule.of(&shown.fields));
            let fields = Fields::new();
            self.push(Draft { id: mutation, key, operation, org_id: None, fields, priority, at });
        }
        Ok(())
    }

    fn must_show(&self, key: &Key, operation: &'static str) -> StorageResult<Record> {
        self.shown(key).ok_or_else(|| StorageError::new(StorageErrorKind::NotFound, operation))
    }

    /// Appends a change. Behind a dead letter of its record it is one too.
    fn push(&mut self, draft: Draft) {
        let Draft { id, key, operation, org_id, fields, priority, at } = draft;
        let parks = self.changes_of(&key).any(|entry| entry.refusal.is_some());
        let refusal = parks.then_some(RecordRefusal { code: RecordRefusalCode::AfterRefused, detail: None });
        self.next_position += 1;
        let position = self.next_position;
        self.queue.push(Entry {
            position,
            id,
            key,
            operation,
            org_id,
            fields,
            priority,
            modified_at: at,
            recorded_at: at.at,
            attempts: 0,
            failures: 0,
            next_at: None,
            last_retry: None,
            refusal,
            taken_by: None,
        });
        self.spread(position, priority);
    }

    /// Where the change that an update can be folded into lies in the queue.
    fn foldable(&self, draft: &Draft) -> Option<usize> {
        let at = self.queue.iter().rposition(|entry| entry.key == draft.key)?;
        let entry = &self.queue[at];
        let mut fields = entry.fields.clone();
        fields.merge(&draft.fields);
        // What it refers to must be sent before it.
        let referred = self.references(&draft.key.0, &draft.fields);
        let created_since = self.queue[at + 1..]
            .iter()
            .any(|other| other.operation == RecordOperation::Create && referred.contains(&other.key));
        let unsent = (entry.attempts == 0 || planted(PlantedBug::FoldedIntoSent)) && entry.refusal.is_none();
        (unsent && !created_since && fields.json_size() <= RECORD_LIMIT).then_some(at)
    }

    fn fold(&mut self, at: usize, draft: Draft) {
        let entry = &mut self.queue[at];
        entry.fields.merge(&draft.fields);
        // Times of two clocks cannot be compared; the change is the later one anyhow.
        if entry.modified_at.clock != draft.at.clock || entry.modified_at.at < draft.at.at {
            entry.modified_at = draft.at;
        }
        if draft.priority < entry.priority {
            (entry.priority, entry.next_at) = (draft.priority, None);
        }
        let (position, priority) = (entry.position, entry.priority);
        self.spread(position, priority);
    }
}

pub(super) fn invalid(fault: FieldError, operation: &'static str) -> StorageError {
    StorageError::new(StorageErrorKind::InvalidRecord, operation).with_detail(fault.to_string()).with_source(fault)
}
