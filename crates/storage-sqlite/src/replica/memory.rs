//! What passes have learned, as the file keeps it: a JSON object with a field for each thing.
//!
//! Nothing in it is worth more than a few calls, so it must never stand in the way. A field that this version does not know, or
//! cannot read, is reported and dropped; what it said is learned again.

use fieldpost_domain::{Capabilities, ConversationDigest, ConversationId, ServerLimits};
use fieldpost_storage::{Health, LineSpeed, ReducedSize, SyncMemory};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

#[derive(Serialize)]
struct Stored<'a> {
    limits: ServerLimits,
    push_size: ReducedSize,
    page_size: ReducedSize,
    #[serde(skip_serializing_if = "is_default")]
    line: LineSpeed,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_ahead_ms: Option<i64>,
    suspects: &'a BTreeSet<ConversationId>,
    unresolved_digest: Option<&'a ConversationDigest>,
    checked: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<&'a Capabilities>,
    health: Health,
}

fn is_default(line: &LineSpeed) -> bool {
    *line == LineSpeed::default()
}

pub(super) fn encode(memory: &SyncMemory) -> String {
    let stored = Stored {
        limits: memory.limits,
        push_size: memory.push_size,
        page_size: memory.page_size,
        line: memory.line,
        clock_ahead_ms: memory.clock_ahead_ms,
        suspects: &memory.suspects,
        unresolved_digest: memory.unresolved_digest.as_ref(),
        checked: memory.checked,
        named: memory.named.as_ref(),
        health: memory.health,
    };
    // Of these types none can fail.
    serde_json::to_string(&stored).unwrap_or_default()
}

pub(super) fn decode(stored: Option<&str>) -> SyncMemory {
    let Some(stored) = stored else { return SyncMemory::default() };
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(stored) else {
        tracing::warn!("what earlier passes had learned cannot be read, and is dropped");
        return SyncMemory::default();
    };
    let memory = SyncMemory {
        limits: take(&mut fields, "limits"),
        push_size: take(&mut fields, "push_size"),
        page_size: take(&mut fields, "page_size"),
        line: take(&mut fields, "line"),
        clock_ahead_ms: take(&mut fields, "clock_ahead_ms"),
        suspects: take(&mut fields, "suspects"),
        unresolved_digest: take(&mut fields, "unresolved_digest"),
        checked: take(&mut fields, "checked"),
        named: take(&mut fields, "named"),
        health: take(&mut fields, "health"),
    };
    if !fields.is_empty() {
        let unknown = fields.len();
        tracing::warn!(unknown, "earlier passes had learned what this version does not know, and it is dropped");
    }
    memory
}

fn take<T: DeserializeOwned + Default>(fields: &mut Map<String, Value>, field: &'static str) -> T {
    let Some(value) = fields.remove(field) else { return T::default() };
    serde_json::from_value(value).unwrap_or_else(|_| {
        tracing::warn!(field, "a part of what earlier passes had learned cannot be read, and is dropped");
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fieldpost_storage::conformance::build;

    fn memory() -> SyncMemory {
        SyncMemory {
            push_size: ReducedSize { rows: Some(62), ..ReducedSize::default() },
            suspects: [build::conversation_id(1)].into(),
            unresolved_digest: Some(ConversationDigest::of([])),
            checked: Some(build::conversation_id(2)),
            health: Health { passes: 3, diverged: 1, ..Health::default() },
            ..SyncMemory::default()
        }
    }

    /// What has been written to files that exist. A later version may write more, but has to read this.
    const STORED: &str = concat!(
        r#"{"limits":{"push_rows":500,"push_bytes":1048576,"page_rows":2500,"page_bytes":1048576,"content_chars":5000,"#,
        r#""metadata_bytes":16384,"metadata_depth":64,"subject_chars":500},"push_size":{"rows":62},"page_size":{},"#,
        r#""suspects":["SUSPECT"],"unresolved_digest":{"count":0,"fingerprint":"#,
        r#"{"Set":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}},"checked":"CHECKED","health":{"passes":3,"failed_passes":0,"#,
        r#""repeated":0,"gaps":0,"reloads":0,"superseded":0,"checked":0,"diverged":1,"oversized":0}}"#,
    );

    fn stored() -> String {
        let (suspect, checked) = (build::conversation_id(1).to_string(), build::conversation_id(2).to_string());
        STORED.replace("SUSPECT", &suspect).replace("CHECKED", &checked)
    }

    #[test]
    fn what_was_learned_is_written_as_it_always_was_and_read_again() {
        assert_eq!(encode(&memory()), stored());
        assert_eq!(decode(Some(&stored())), memory());
        assert_eq!(decode(None), SyncMemory::default());
    }

    #[test]
    fn a_part_that_cannot_be_read_costs_nothing_but_itself() {
        let damaged = stored().replace(r#""rows":62"#, r#""rows":-1"#);
        assert_eq!(decode(Some(&damaged)), SyncMemory { push_size: ReducedSize::default(), ..memory() });
        let later = stored().replace(r#""push_size""#, r#""radio":{"kbit":64},"push_size""#);
        assert_eq!(decode(Some(&later)), memory());
        let narrower = stored().replace(r#","oversized":0"#, "");
        assert_eq!(decode(Some(&narrower)), memory());
    }

    #[test]
    fn what_is_no_memory_at_all_is_none() {
        for text in ["", "null", "7", "[]", "{", "\u{0}", &"[".repeat(100_000)] {
            assert_eq!(decode(Some(text)), SyncMemory::default());
        }
    }
}
