//! `mark_delivered`.

use crate::rest::push::fields::{Fields, wrong};
use fieldpost_domain::{MarkDelivered, Refusal, Seq};
use fieldpost_remote::reference::Task;

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    let delivered_seq =
        fields.required("delivered_seq")?.as_u64().map(Seq::new).ok_or_else(|| wrong("delivered_seq"))?;
    Ok(Task::MarkDelivered(MarkDelivered { conversation_id: fields.id("conversation_id")?, delivered_seq }))
}
