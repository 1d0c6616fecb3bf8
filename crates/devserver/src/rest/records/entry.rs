//! One entry of the audit log.

use super::fields::{Element, Fault};
use fieldpost_domain::records::{AuditOperation, TableName};
use fieldpost_remote::OutgoingAudit;
use serde_json::{Map, Value, json};

/// Parses an entry, or makes the refusal of one that cannot be read.
pub(super) fn read(element: &Value) -> Result<OutgoingAudit, Value> {
    let empty = Map::new();
    let element = Element(element.as_object().unwrap_or(&empty));
    entry(&element).map_err(|field| json!({"id": element.present("id"), "detail": field}))
}

fn entry(element: &Element<'_>) -> Result<OutgoingAudit, Fault> {
    Ok(OutgoingAudit {
        id: element.id("id")?,
        table: TableName::new(element.needed("table")?).map_err(|_| "table")?,
        record_id: element.id("record_id")?,
        operation: AuditOperation::from(element.needed("operation")?),
        context: element.text("context")?.map(str::to_owned),
        at: element.modified()?,
    })
}
