//! `edit_message`.

use crate::rest::push::fields::Fields;
use fieldpost_domain::Refusal;
use fieldpost_remote::reference::{SubmittedEdit, Task};

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    Ok(Task::EditMessage(SubmittedEdit {
        conversation_id: fields.id("conversation_id")?,
        message_id: fields.id("message_id")?,
        content: fields.text("content")?.map(str::to_owned),
        mentions: fields.mentions()?,
    }))
}
