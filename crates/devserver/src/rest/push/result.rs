//! One result of a batch.

use crate::rest::rows;
use fieldpost_domain::{Acknowledgement, Message, MessageAck, PushOutcome};
use fieldpost_remote::reference::SubmissionResult;
use serde_json::{Value, json};

pub(super) fn wire(result: &SubmissionResult) -> Value {
    let mut wire = rows::object(match &result.outcome {
        PushOutcome::Acknowledged(acknowledgement) => acknowledged(acknowledgement, result.applied),
        PushOutcome::Rejected(refusal) => {
            json!({"status": "rejected", "code": refusal.code, "detail": refusal.detail})
        }
        PushOutcome::Retry(code) => json!({"status": "retry", "code": code}),
    });
    // The only null of the protocol: the element had no id to echo.
    wire["id"] = json!(result.id);
    wire
}

/// The result of a change, with the id that the mutation named if the row has another one.
pub(super) fn naming(mut wire: Value, mutation: &Value) -> Value {
    let named = &mutation["message_id"];
    let row = ["message", "tombstone"].iter().find_map(|row| wire.get(*row)?.get("id"));
    if mutation["kind"] != "send_message" && row.is_some_and(|row| row != named) {
        wire["named"] = named.clone();
    }
    wire
}

fn acknowledged(acknowledgement: &Acknowledgement, applied: bool) -> Value {
    let status = if applied { "applied" } else { "duplicate" };
    match acknowledgement {
        Acknowledgement::Sent(row) => json!({"status": status, "ack": ack(row)}),
        // Sent now, but the project stored something else. An edit is answered with its row alone.
        Acknowledgement::Stored(row) if applied && row.edited_at.is_none() => {
            json!({"status": status, "ack": ack(&ack_of(row)), "message": rows::message(row)})
        }
        Acknowledgement::Stored(row) => json!({"status": status, "message": rows::message(row)}),
        Acknowledgement::Deleted(row) => json!({"status": status, "tombstone": rows::tombstone(row)}),
        Acknowledgement::Opened(row) => json!({"status": status, "conversation": rows::conversation(row)}),
        Acknowledgement::Marked(row) => json!({"status": status, "read_marker": rows::read_marker(row)}),
        Acknowledgement::Reacted(rows) => {
            json!({"status": status, "reactions": rows.iter().map(crate::rest::rows::reaction).collect::<Vec<_>>()})
        }
        Acknowledgement::Set(row) => json!({"status": status, "settings": rows::settings(row)}),
        Acknowledgement::Bare => json!({"status": status}),
    }
}

fn ack_of(row: &Message) -> MessageAck {
    MessageAck {
        message_id: row.id,
        conversation_id: row.conversation_id,
        seq: row.seq,
        created_at: row.created_at,
        version: row.version,
    }
}

fn ack(ack: &MessageAck) -> Value {
    json!({
        "message_id": ack.message_id, "conversation_id": ack.conversation_id, "seq": ack.seq,
        "created_at": rows::time(ack.created_at), "version": ack.version,
    })
}
