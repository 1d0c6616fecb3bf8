//! `report_message`.

use crate::rest::push::fields::{Fields, wrong};
use fieldpost_domain::{Refusal, RefusalCode, ReportError, ReportNote, ReportReason};
use fieldpost_remote::reference::{SubmittedReport, Task};

pub(super) fn read(fields: &Fields<'_>) -> Result<Task, Refusal> {
    let reason = fields.text("reason")?.map(ReportReason::from).filter(ReportReason::is_sendable);
    let note = ReportNote::new(fields.text("note")?.unwrap_or_default()).map_err(|error| match error {
        ReportError::NoteTooLong { .. } => Refusal { code: RefusalCode::NoteTooLong, detail: None },
        _ => wrong("note"),
    })?;
    Ok(Task::ReportMessage(SubmittedReport {
        conversation_id: fields.id("conversation_id")?,
        message_id: fields.id("message_id")?,
        reason: reason.ok_or_else(|| wrong("reason"))?,
        note,
    }))
}
