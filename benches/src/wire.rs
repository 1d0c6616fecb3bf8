//! Pages in a server's format (docs/protocol.md), and the cost of decoding them with serde alone.

use anyhow::Result;
use fieldpost_domain::{BootstrapPage, Changes, PullPage, ServerLimits, Time};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// A response of `fieldpost_pull`.
pub(crate) fn pull(page: &PullPage) -> Result<Vec<u8>> {
    let mut answer = envelope(page.server_time, page.limits, &page.changes)?;
    answer["cursor"] = json!(page.cursor.as_str());
    answer["more"] = json!(page.more);
    Ok(serde_json::to_vec(&answer)?)
}

/// A response of `fieldpost_bootstrap`.
pub(crate) fn bootstrap(page: &BootstrapPage) -> Result<Vec<u8>> {
    let mut answer = envelope(page.server_time, page.limits, &page.changes)?;
    answer["cursor"] = json!(page.cursor.as_str());
    answer["me"] = row(&page.me)?;
    answer["total_conversations"] = json!(page.total_conversations);
    Ok(serde_json::to_vec(&answer)?)
}

fn envelope(server_time: Time, limits: ServerLimits, changes: &Changes) -> Result<Value> {
    Ok(json!({
        "protocol": 1, "min_protocol": 1, "capabilities": [], "limits": limits, "server_time": server_time,
        "people": rows(&changes.people)?, "conversations": rows(&changes.conversations)?, "messages": rows(&changes.messages)?,
        "read_markers": [], "tombstones": [], "access": [],
    }))
}

fn rows(rows: &[impl serde::Serialize]) -> Result<Vec<Value>> {
    rows.iter().map(row).collect()
}

/// PostgreSQL leaves out nulls.
fn row(row: &impl serde::Serialize) -> Result<Value> {
    let mut row = serde_json::to_value(row)?;
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(row)
}

/// A response for `#[derive(Deserialize)]`: every field that a store needs, typed, each value looked at once.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is read for what reading costs")]
pub(crate) struct Bare {
    cursor: String,
    more: bool,
    conversations: Vec<BareConversation>,
    pub(crate) messages: Vec<BareMessage>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is read for what reading costs")]
struct BareConversation {
    id: Uuid,
    org_id: Uuid,
    kind: String,
    subject: Option<String>,
    medic_id: Option<Uuid>,
    medic_name: Option<String>,
    created_by: Uuid,
    created_at: Time,
    updated_at: Time,
    last_seq: u64,
    last_message_at: Option<Time>,
    last_message_preview: Option<String>,
    unread: u64,
    version: u64,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "it is read for what reading costs")]
pub(crate) struct BareMessage {
    id: Uuid,
    conversation_id: Uuid,
    sender_id: Uuid,
    kind: String,
    content: Option<String>,
    metadata: Option<Value>,
    reply_to: Option<Uuid>,
    status: String,
    seq: u64,
    composed_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
    deleted_at: Option<Time>,
    version: u64,
}

/// Decodes a response with serde alone and returns its number of messages.
pub(crate) fn serde_alone(body: &[u8]) -> Result<usize> {
    let bare: Bare = serde_json::from_slice(body)?;
    Ok(std::hint::black_box(bare).messages.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;
    use fieldpost_remote_supabase::fuzzing;

    #[test]
    fn what_is_written_here_is_read_by_the_client_as_the_page_that_was_meant() {
        let mut scene = Scene::new(3);
        let first = scene.bootstrap().unwrap();
        let read = fuzzing::bootstrap(&bootstrap(&first).unwrap()).unwrap();
        // A page of a scene has not been transferred.
        assert_eq!(BootstrapPage { transfer: first.transfer, ..read }, first);
        let page = scene.step(7).unwrap().page;
        let body = pull(&page).unwrap();
        assert_eq!(PullPage { transfer: page.transfer, ..fuzzing::pull(&body).unwrap() }, page);
        assert_eq!(serde_alone(&body).unwrap(), 7);
    }
}
