//! `react`.

use crate::rest::push::fields::{Fields, wrong};
use fieldpost_domain::{Emoji, Refusal};
use fieldpost_remote::reference::{SubmittedReaction, Task};

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    let emoji = fields.text("emoji")?.and_then(|text| Emoji::new(text).ok()).ok_or_else(|| wrong("emoji"))?;
    let removed = fields.present("removed").map_or(Some(false), serde_json::Value::as_bool);
    Ok(Task::React(SubmittedReaction {
        conversation_id: fields.id("conversation_id")?,
        message_id: fields.id("message_id")?,
        emoji,
        removed: removed.ok_or_else(|| wrong("removed"))?,
    }))
}
