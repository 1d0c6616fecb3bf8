//! Records in the format of docs/protocol.md. Null fields of a record's own columns are sent; those of its envelope are
//! left out.

use crate::rest::rows::{object, time};
use fieldpost_domain::records::{RecordRow, RecordTombstone};
use serde_json::{Value, json};

pub(super) fn record(row: &RecordRow) -> Value {
    object(json!({
        "table": row.table, "id": row.id, "client_id": row.client_id, "org_id": row.org_id, "version": row.version,
        "created_at": row.created_at.map(time), "modified_at": time(row.modified_at),
        "last_mutation_id": row.last_mutation_id, "fields": row.fields,
    }))
}

pub(super) fn tombstone(row: &RecordTombstone) -> Value {
    object(json!({"table": row.table, "id": row.id, "client_id": row.client_id, "version": row.version}))
}
