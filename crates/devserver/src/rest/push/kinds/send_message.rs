//! `send_message`.

use crate::rest::push::fields::{Fields, wrong};
use fieldpost_domain::{Metadata, Refusal, Time};
use fieldpost_remote::reference::{SubmittedMessage, Task};
use std::str::FromStr;

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    let kind = fields.text("message_type")?.unwrap_or("text");
    let metadata = fields.present("metadata").map(|value| value.as_object().ok_or_else(|| wrong("metadata")));
    let composed_at = fields.text("composed_at")?;
    let composed_at = composed_at.map(|text| Time::from_str(text).map_err(|_| wrong("composed_at")));
    Ok(Task::SendMessage(SubmittedMessage {
        id: fields.id("message_id")?,
        conversation_id: fields.id("conversation_id")?,
        kind: kind.into(),
        content: fields.text("content")?.map(str::to_owned),
        metadata: metadata.transpose()?.cloned().map(Metadata::from_stored),
        mentions: fields.mentions()?,
        reply_to: fields.optional_id("reply_to")?,
        composed_at: composed_at.transpose()?,
    }))
}
