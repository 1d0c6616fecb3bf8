//! `open_broadcast`.

use crate::rest::push::fields::Fields;
use fieldpost_domain::{OpenBroadcast, Refusal};
use fieldpost_remote::reference::Task;

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    Ok(Task::OpenBroadcast(OpenBroadcast {
        conversation_id: fields.id("conversation_id")?,
        org_id: fields.id("org_id")?,
        subject: fields.text("subject")?.map(str::to_owned),
    }))
}
