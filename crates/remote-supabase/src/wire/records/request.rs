//! Request bodies. Nulls are left out.

use super::fields;
use crate::wire::{
    request::arguments,
    text::{microseconds, without_nul},
};
use fieldpost_domain::{
    AuditId, MutationId, OrgId, Time,
    records::{AuditOperation, ConflictRule, Fields, Modified, RecordId, RecordOperation, TableName},
};
use fieldpost_remote::{OutgoingAudit, OutgoingRecord, RecordPullRequest, RemoteResult};
use serde::{Serialize, Serializer};
use std::{borrow::Cow, time::Duration};

#[derive(Serialize)]
struct Push<'a> {
    p_changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    id: MutationId,
    table: &'a TableName,
    record_id: RecordId,
    operation: &'a RecordOperation,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<OrgId>,
    /// A delete sets no fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Cow<'a, Fields>>,
    #[serde(flatten)]
    made: Made,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<MutationId>,
    /// Last-write-wins is not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<ConflictRule>,
}

/// When a change was made.
#[derive(Serialize)]
enum Made {
    #[serde(rename = "age_ms")]
    Age(#[serde(serialize_with = "milliseconds")] Duration),
    #[serde(rename = "modified_at")]
    At(#[serde(serialize_with = "microseconds")] Time),
}

#[derive(Serialize)]
struct Pull<'a> {
    p_tables: &'a [TableName],
    #[serde(skip_serializing_if = "Option::is_none")]
    p_cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_bytes: Option<u32>,
}

#[derive(Serialize)]
struct Audit<'a> {
    p_entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: AuditId,
    table: &'a TableName,
    record_id: RecordId,
    operation: &'a AuditOperation,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Cow<'a, str>>,
    #[serde(flatten)]
    made: Made,
}

/// The longest age: numbers of the protocol are below 2^53.
const LONGEST: u64 = (1 << 53) - 1;

fn milliseconds<S: Serializer>(age: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(age.as_millis()).unwrap_or(LONGEST).min(LONGEST))
}

impl From<Modified> for Made {
    fn from(modified: Modified) -> Self {
        match modified {
            Modified::Ago(age) => Self::Age(age),
            Modified::At(time) => Self::At(time),
        }
    }
}

/// The body of `fieldpost_records_push`.
pub(crate) fn push(operation: &'static str, app: &str, changes: &[OutgoingRecord]) -> RemoteResult<Vec<u8>> {
    arguments(operation, app, Push { p_changes: changes.iter().map(change).collect() })
}

/// The body of `fieldpost_records_pull`.
pub(crate) fn pull(operation: &'static str, app: &str, request: &RecordPullRequest) -> RemoteResult<Vec<u8>> {
    let p_cursor = request.cursor.as_ref().map(fieldpost_domain::Cursor::as_str);
    let own = Pull { p_tables: &request.tables, p_cursor, p_limit: request.limit, p_bytes: request.bytes };
    arguments(operation, app, own)
}

/// The body of `fieldpost_audit_push`.
pub(crate) fn audit(operation: &'static str, app: &str, entries: &[OutgoingAudit]) -> RemoteResult<Vec<u8>> {
    arguments(operation, app, Audit { p_entries: entries.iter().map(entry).collect() })
}

fn change(change: &OutgoingRecord) -> Change<'_> {
    let sets = change.operation != RecordOperation::Delete;
    Change {
        id: change.id,
        table: &change.table,
        record_id: change.record_id,
        operation: &change.operation,
        org_id: change.org_id,
        fields: sets.then(|| fields::without_nul(&change.fields)),
        made: Made::from(change.modified),
        after: change.after,
        rule: Some(change.rule).filter(|rule| *rule != ConflictRule::LastWriteWins),
    }
}

fn entry(entry: &OutgoingAudit) -> Entry<'_> {
    Entry {
        id: entry.id,
        table: &entry.table,
        record_id: entry.record_id,
        operation: &entry.operation,
        context: entry.context.as_deref().map(without_nul),
        made: Made::from(entry.at),
    }
}
