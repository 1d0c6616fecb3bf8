//! Reads the answer of `fieldpost_audit_push`.
//!
//! An entry leaves the device only if it is named. So one that is not, or whose id cannot be read, is sent again, which
//! is harmless; and an id that was not sent is ignored.

use super::{answer::Read, page::texts};
use fieldpost_domain::AuditId;
use fieldpost_remote::{AuditAnswer, OutgoingAudit};
use serde_json::Value;

/// The entries that the server has, and those that it refuses.
pub(crate) fn push(entries: &[OutgoingAudit], read: Read) -> AuditAnswer {
    let sent = |id: &AuditId| entries.iter().any(|entry| entry.id == *id);
    let stored = texts(read.stored.as_ref()).filter_map(|id| id.parse().ok()).filter(sent).collect();
    let refused = read.refused.as_ref().and_then(Value::as_array).into_iter().flatten();
    AuditAnswer { stored, refused: refused.filter_map(refusal).filter(|(id, _)| sent(id)).collect() }
}

fn refusal(element: &Value) -> Option<(AuditId, String)> {
    let detail = element.get("detail").and_then(Value::as_str).unwrap_or_default();
    Some((element.get("id")?.as_str()?.parse().ok()?, detail.to_owned()))
}
