//! `fieldpost_records_push`: applies a batch in the client's order, one change after the other.
//!
//! A refused change does not affect other records. It takes the later ones of its record along, as does one that must be
//! retried, so that the changes of a record are applied in order or not at all.
//!
//! The order of the checks is part of the behaviour, since an answer must not reveal what the caller may not know:
//!
//! 1. Can the change be read, is its table offered, does it fit? (`bad_request`, `unknown_table`, `too_large`)
//! 2. Can it be applied now? (`retry`)
//! 3. Is she a member of any org? (`forbidden`)
//! 4. Does the record exist, for her? (`missing`, `id_taken`; a delete is won)
//! 5. Was it applied before, or does a later change stand? (`won`, `lost`)
//! 6. Do the database and the project accept it? (`refused` in their words, `forbidden`)

use super::{RecordKey, RecordSubmission, RecordSubmissionResult, Retries, change::Change};
use crate::{
    OutgoingRecord,
    reference::{
        open::{Lock, OpenTransactions},
        state::State,
        tables::Tables,
        transaction::Transaction,
        viewer::Viewer,
    },
};
use fieldpost_domain::{
    PersonId, RetryCode, Time,
    planted::{PlantedBug, planted},
    records::{RECORD_LIMIT, RecordId, RecordOperation, RecordOutcome, RecordRefusal, RecordRefusalCode, TableName},
};
use std::collections::BTreeMap;

pub(super) const fn refuse(code: RecordRefusalCode) -> RecordRefusal {
    RecordRefusal { code, detail: None }
}

/// Applies a batch in a new transaction.
pub(super) fn push(state: &mut State, caller: PersonId, batch: &[RecordSubmission]) -> Vec<RecordSubmissionResult> {
    let transaction = (state.feed.begin(), state.now());
    push_as(state, caller, batch, transaction, None)
}

/// Applies a batch in a transaction that began earlier, with its number and time. `own` is the transaction whose locks
/// do not count.
pub(super) fn push_as(
    state: &mut State,
    caller: PersonId,
    batch: &[RecordSubmission],
    (stamp, now): (u64, Time),
    own: Option<u64>,
) -> Vec<RecordSubmissionResult> {
    let mut obstacles = Obstacles {
        held: Held::default(),
        retries: std::mem::take(&mut state.record_retries),
        open: std::mem::take(&mut state.open),
        own,
    };
    let results = state.write_as(stamp, now, |transaction| {
        (1..=batch.len())
            .map(|next| batch.split_at(next))
            .filter_map(|(until, later)| Some((until.last()?, later)))
            .map(|(submission, later)| judge(transaction, caller, (submission, later), &mut obstacles))
            .collect()
    });
    state.record_retries = obstacles.retries;
    state.open = obstacles.open;
    results
}

fn judge(
    transaction: &mut Transaction<'_>,
    caller: PersonId,
    (submission, later): (&RecordSubmission, &[RecordSubmission]),
    obstacles: &mut Obstacles,
) -> RecordSubmissionResult {
    let names = submission.record.as_ref().map(|(table, id)| Names::of(transaction.tables(), table, *id));
    let held = names.as_ref().and_then(|names| obstacles.held.of(names));
    let mut ignored = Vec::new();
    let outcome = match (held, &submission.change) {
        (Some(Hold::Retry), _) => RecordOutcome::Retry(RetryCode::AfterRetry),
        (Some(Hold::Refused), _) => RecordOutcome::Refused(refuse(RecordRefusalCode::AfterRefused)),
        (None, Err(refusal)) => RecordOutcome::Refused(refusal.clone()),
        (None, Ok(change)) => apply(transaction, caller, (change, later), obstacles, &mut ignored),
    };
    let hold = match &outcome {
        RecordOutcome::Refused(_) => Some(Hold::Refused),
        RecordOutcome::Retry(_) => Some(Hold::Retry),
        _ => None,
    };
    if let Some((names, hold)) = names.zip(hold) {
        obstacles.held.hold(names, hold);
    }
    RecordSubmissionResult { id: submission.id, outcome, ignored }
}

fn apply(
    transaction: &mut Transaction<'_>,
    caller: PersonId,
    (change, later): (&OutgoingRecord, &[RecordSubmission]),
    obstacles: &mut Obstacles,
    ignored: &mut Vec<String>,
) -> RecordOutcome {
    let table = match check(transaction.tables(), change) {
        Ok(table) => table,
        Err(refusal) => return RecordOutcome::Refused(refusal),
    };
    let key = transaction.tables().records.resolve(table, change.record_id);
    if let Some(code) = obstacles.meet(key, change.record_id) {
        return RecordOutcome::Retry(code);
    }
    let viewer = Viewer::of(transaction.tables(), caller);
    if viewer.members.is_empty() {
        return RecordOutcome::Refused(refuse(RecordRefusalCode::Forbidden));
    }
    let outcome = Change { viewer: &viewer, table, change, later }.carry_out(transaction, ignored);
    outcome.unwrap_or_else(RecordOutcome::Refused)
}

/// Checks what can be checked without any row. Returns the number of the table.
fn check(tables: &Tables, change: &OutgoingRecord) -> Result<usize, RecordRefusal> {
    let wrong = |field: &str| RecordRefusal { code: RecordRefusalCode::BadRequest, detail: Some(field.to_owned()) };
    match change.operation {
        RecordOperation::Unknown(_) => return Err(wrong("operation")),
        RecordOperation::Create if change.org_id.is_none() => return Err(wrong("org_id")),
        _ => {}
    }
    if change.fields.json_size() > RECORD_LIMIT {
        return Err(refuse(RecordRefusalCode::TooLarge));
    }
    tables.records.number(&change.table).ok_or(refuse(RecordRefusalCode::UnknownTable))
}

/// What makes a change wait.
struct Obstacles {
    held: Held,
    retries: Retries,
    open: OpenTransactions,
    own: Option<u64>,
}

impl Obstacles {
    fn meet(&mut self, key: RecordKey, called: RecordId) -> Option<RetryCode> {
        let locked = self.open.holds(Lock::Record(key), self.own).then_some(RetryCode::Conflict);
        locked.or_else(|| self.retries.take([key.id, called]))
    }
}

/// The ids of a record in a batch: the one that the change names, and the primary key.
struct Names {
    table: TableName,
    ids: [RecordId; 2],
}

impl Names {
    fn of(tables: &Tables, table: &TableName, id: RecordId) -> Self {
        let number = tables.records.number(table);
        let key = number.map_or(id, |number| tables.records.resolve(number, id).id);
        Self { table: table.clone(), ids: [id, key] }
    }
}

/// Why later changes of a record are not applied.
#[derive(Debug, Clone, Copy)]
enum Hold {
    Retry,
    Refused,
}

/// The records whose later changes are not applied.
#[derive(Default)]
struct Held(BTreeMap<(TableName, RecordId), Hold>);

impl Held {
    fn hold(&mut self, names: Names, hold: Hold) {
        for id in names.ids {
            self.0.entry((names.table.clone(), id)).or_insert(hold);
        }
    }

    fn of(&self, names: &Names) -> Option<Hold> {
        if planted(PlantedBug::RefusedTakesOthersAlong) {
            return self.0.values().next().copied();
        }
        names.ids.iter().find_map(|id| self.0.get(&(names.table.clone(), *id)).copied())
    }
}
