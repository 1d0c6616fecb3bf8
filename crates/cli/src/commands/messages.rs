//! `fieldpost messages`.

use super::text::message_line;
use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::{Older, Quoted, ThreadMessage, ThreadReaction, Window};
use serde_json::{Value, json};

pub(super) async fn run(device: &Device, wanted: &str, limit: u32, output: &Output) -> Result<(), Failure> {
    let conversation = device.find_conversation(wanted).await?;
    let window = device.client.conversation(conversation.id).messages(Window::newest(limit)).await?;
    match window.older {
        Older::Here(_) | Older::OnServer(_) => output.tell("  … older messages above"),
        Older::Nothing => {}
    }
    for message in &window.messages {
        output.result(&as_json(message), || message_line(message));
    }
    Ok(())
}

/// What a reply quotes: its state, and what is shown of it.
fn quoted(quoted: &Quoted) -> Value {
    match quoted {
        Quoted::Here(quote) => json!({
            "state": "here", "id": quote.id, "sender_name": quote.sender_name, "mine": quote.mine,
            "kind": quote.kind, "text": quote.text,
        }),
        Quoted::Deleted(id) => json!({"state": "deleted", "id": id}),
        Quoted::NotHere(id) => json!({"state": "not_here", "id": id}),
    }
}

fn reaction(reaction: &ThreadReaction) -> Value {
    json!({
        "emoji": reaction.emoji,
        "count": reaction.count,
        "mine": reaction.mine,
        "changing": reaction.changing,
        "people": reaction.people,
    })
}

pub(super) fn as_json(message: &ThreadMessage) -> Value {
    json!({
        "id": message.id,
        "conversation_id": message.conversation_id,
        "sender_id": message.sender_id,
        "sender_name": message.sender_name,
        "mine": message.mine,
        "kind": message.kind,
        "content": message.content,
        "metadata": message.metadata,
        "reply_to": message.reply_to,
        "reply": message.reply.as_ref().map(quoted),
        "mentions": message.mentions,
        "mentions_me": message.mentions_me,
        "reactions": message.reactions.iter().map(reaction).collect::<Vec<_>>(),
        "status": message.status,
        "receipts": message.receipts.map(|counts| {
            json!({"recipients": counts.recipients, "delivered": counts.delivered, "read": counts.read})
        }),
        "sending": message.sending,
        "failure": message.failure,
        "seq": message.seq,
        "composed_at": message.composed_at,
        "created_at": message.created_at,
        "edited_at": message.edited_at,
        "changing": message.changing,
        "deleted": message.deleted,
        "omitted": message.omitted,
    })
}
