//! `fieldpost conversations`.

use super::text::{MOMENT, list_line, moment, short};
use crate::{
    device::Device,
    failure::Failure,
    output::Output,
    terminal::{column, cut, one_line},
};
use fieldpost::ConversationSummary;
use serde_json::{Value, json};

pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    let all = device.client.conversations().await?;
    if output.is_json() {
        all.iter().for_each(|conversation| output.result(&as_json(conversation), String::new));
        return Ok(());
    }
    if all.is_empty() {
        device.tell_empty("No conversations yet.", output);
    }
    for conversation in &all {
        output.tell(&line(conversation));
    }
    Ok(())
}

pub(super) fn as_json(conversation: &ConversationSummary) -> Value {
    json!({
        "id": conversation.id,
        "kind": conversation.kind,
        "name": conversation.participant_name,
        "subject": conversation.subject,
        "omitted": conversation.omitted,
        "medic_id": conversation.medic_id,
        "last_message_at": conversation.last_message_at,
        "last_message_preview": conversation.last_message_preview,
        "unread": conversation.unread,
        "unread_mentions": conversation.unread_mentions,
        "last_seq": conversation.last_seq,
        "on_server": conversation.on_server,
    })
}

/// The columns of a name.
const NAME: usize = 22;

fn line(conversation: &ConversationSummary) -> String {
    let unread = match conversation.unread {
        0 => String::new(),
        1..=99 => format!("({})", conversation.unread),
        _ => "(99+)".to_owned(),
    };
    let unread = if conversation.unread_mentions > 0 { format!("{unread}@") } else { unread };
    let when = conversation.last_message_at.map(moment).unwrap_or_default();
    let preview = conversation.last_message_preview.as_deref().unwrap_or_default();
    let name = column(&cut(&one_line(&conversation.participant_name), NAME), NAME);
    list_line(&format!("{}  {name} {unread:<6} {when:<MOMENT$}  ", short(conversation.id)), preview)
}
