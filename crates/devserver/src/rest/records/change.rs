//! One element of a push, and its result. A fault in it is reported in its own result and does not affect the others.

use super::{
    fields::{Element, Fault},
    rows,
};
use crate::rest::rows::{object, time};
use fieldpost_domain::{
    MutationId,
    records::{
        ConflictRule, Fields, RecordId, RecordOperation, RecordOutcome, RecordRefusal, RecordRefusalCode, TableName,
    },
};
use fieldpost_remote::{
    OutgoingRecord,
    reference::{RecordSubmission, RecordSubmissionResult},
};
use serde_json::{Map, Value, json};

/// Parses an element. If it has no readable id, its result has none either.
pub(super) fn read(element: &Value) -> RecordSubmission {
    let empty = Map::new();
    let element = Element(element.as_object().unwrap_or(&empty));
    let id = element.optional_id("id").ok().flatten();
    let record =
        element.needed("table").ok().and_then(|name| TableName::new(name).ok()).zip(element.id("record_id").ok());
    let change = match (id, &record) {
        (None, _) => Err(refused(RecordRefusalCode::BadRequest, None)),
        (Some(id), Some((table, record_id))) => {
            change(&element, id, table, *record_id).map_err(|field| refused(RecordRefusalCode::BadRequest, Some(field)))
        }
        (Some(_), None) => Err(unnamed(&element)),
    };
    RecordSubmission { id, record: record.filter(|_| id.is_some()), change }
}

fn change(
    element: &Element<'_>,
    id: MutationId,
    table: &TableName,
    record_id: RecordId,
) -> Result<OutgoingRecord, Fault> {
    let fields = element.present("fields").map(|value| value.as_object().ok_or("fields")).transpose()?;
    let rule = match element.text("rule")? {
        None | Some("last_write_wins") => ConflictRule::LastWriteWins,
        Some("last_arrival_wins") => ConflictRule::LastArrivalWins,
        Some(_) => return Err("rule"),
    };
    Ok(OutgoingRecord {
        id,
        table: table.clone(),
        record_id,
        operation: RecordOperation::from(element.needed("operation")?),
        org_id: element.optional_id("org_id")?,
        fields: fields.cloned().unwrap_or_default().into_iter().collect::<Fields>(),
        modified: element.modified()?,
        after: element.optional_id("after")?,
        rule,
    })
}

/// The refusal of an element that names no record: a text that cannot name a table names none that is offered.
fn unnamed(element: &Element<'_>) -> RecordRefusal {
    match (element.needed("table"), element.id::<RecordId>("record_id")) {
        (Err(field), _) | (_, Err(field)) => refused(RecordRefusalCode::BadRequest, Some(field)),
        _ => refused(RecordRefusalCode::UnknownTable, None),
    }
}

fn refused(code: RecordRefusalCode, field: Option<Fault>) -> RecordRefusal {
    RecordRefusal { code, detail: field.map(str::to_owned) }
}

/// A result.
pub(super) fn wire(result: &RecordSubmissionResult) -> Value {
    let ignored = (!result.ignored.is_empty()).then_some(&result.ignored);
    let mut wire = object(match &result.outcome {
        RecordOutcome::Won { server_id, version, modified_at } => json!({
            "status": "won", "record_id": server_id, "version": version, "modified_at": time(*modified_at),
            "ignored": ignored,
        }),
        RecordOutcome::Lost { winner } => json!({"status": "lost", "record": rows::record(winner), "ignored": ignored}),
        RecordOutcome::Missing => json!({"status": "missing"}),
        RecordOutcome::Refused(refusal) => {
            json!({"status": "refused", "code": refusal.code, "detail": refusal.detail, "ignored": ignored})
        }
        RecordOutcome::Retry(code) => json!({"status": "retry", "code": code}),
    });
    // The element had no id to echo.
    wire["id"] = json!(result.id);
    wire
}
