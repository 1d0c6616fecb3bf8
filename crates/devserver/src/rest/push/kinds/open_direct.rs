//! `open_direct`.

use crate::rest::push::fields::Fields;
use fieldpost_domain::{OpenDirect, Refusal};
use fieldpost_remote::reference::Task;

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    Ok(Task::OpenDirect(OpenDirect {
        conversation_id: fields.id("conversation_id")?,
        medic_id: fields.optional_id("medic_id")?,
        org_id: fields.optional_id("org_id")?,
    }))
}
