//! `mark_read`.

use crate::rest::push::fields::{Fields, wrong};
use fieldpost_domain::{MarkRead, Refusal, Seq};
use fieldpost_remote::reference::Task;

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    let read_seq = fields.required("read_seq")?.as_u64().ok_or_else(|| wrong("read_seq"))?;
    Ok(Task::MarkRead(MarkRead { conversation_id: fields.id("conversation_id")?, read_seq: Seq::new(read_seq) }))
}
