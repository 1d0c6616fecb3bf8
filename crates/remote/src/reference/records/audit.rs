//! `fieldpost_audit_push`: the audit log.

use super::stamp::stamp;
use crate::{AuditAnswer, OutgoingAudit, reference::state::State};
use fieldpost_domain::{
    PersonId, Time,
    records::{AuditOperation, RecordId, TableName},
};

/// The longest context, in characters.
const CONTEXT: usize = 500;

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Whose it is.
    pub person_id: PersonId,
    /// The table.
    pub table: TableName,
    /// The record.
    pub record_id: RecordId,
    /// What was done.
    pub operation: AuditOperation,
    /// Where, or why.
    pub context: Option<String>,
    /// When.
    pub at: Time,
}

/// Stores the entries as the caller's.
pub(super) fn push(state: &mut State, caller: PersonId, entries: &[OutgoingAudit]) -> AuditAnswer {
    let (now, log) = (state.now(), &mut state.tables.records.audit);
    let mut answer = AuditAnswer { stored: Vec::new(), refused: Vec::new() };
    for entry in entries {
        let foreign = log.get(&entry.id).is_some_and(|stored| stored.person_id != caller);
        match fault(entry).or(foreign.then_some("id_taken")) {
            Some(fault) => answer.refused.push((entry.id, fault.to_owned())),
            None => {
                log.entry(entry.id).or_insert_with(|| row(caller, entry, now));
                answer.stored.push(entry.id);
            }
        }
    }
    answer
}

fn fault(entry: &OutgoingAudit) -> Option<&'static str> {
    let long = entry.context.as_ref().is_some_and(|context| context.chars().count() > CONTEXT);
    match entry.operation {
        AuditOperation::Unknown(_) => Some("operation"),
        _ => long.then_some("context"),
    }
}

fn row(person_id: PersonId, entry: &OutgoingAudit, now: Time) -> AuditRow {
    AuditRow {
        person_id,
        table: entry.table.clone(),
        record_id: entry.record_id,
        operation: entry.operation.clone(),
        context: entry.context.clone(),
        at: stamp(entry.at, now),
    }
}
