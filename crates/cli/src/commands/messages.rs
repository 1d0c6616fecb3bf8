//! `fieldpost messages`.

use super::history::{line, newest, shown, tell_older};
use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::{Quoted, ThreadMessage, ThreadReaction, TimelineItem};
use serde_json::{Value, json};

pub(super) async fn run(device: &Device, wanted: &str, limit: u32, output: &Output) -> Result<(), Failure> {
    let conversation = device.client.conversation(device.find_conversation(wanted).await?.id);
    let (items, ends) = shown(&conversation, newest(limit)).await?;
    tell_older(ends, output);
    for item in &items {
        match item {
            TimelineItem::Start => {}
            // For programs, messages alone; `history` tells them of everything.
            TimelineItem::Message(message) => output.result(&as_json(&message.message), || line(item)),
            _ => output.tell(&line(item)),
        }
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
