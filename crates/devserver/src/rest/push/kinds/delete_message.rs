//! `delete_message`.

use crate::rest::push::fields::Fields;
use fieldpost_domain::Refusal;
use fieldpost_remote::reference::{SubmittedDeletion, Task};

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    Ok(Task::DeleteMessage(SubmittedDeletion {
        conversation_id: fields.id("conversation_id")?,
        message_id: fields.id("message_id")?,
    }))
}
