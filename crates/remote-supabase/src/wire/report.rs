//! Reports, as admins read them.

use super::{
    answer::{Read, malformed},
    list::Row,
    object::object,
    row::need,
    scalar::{Moment, Name},
};
use fieldpost_domain::{
    Continuation, ConversationId, MessageId, MessageReport, OrgId, PersonId, ReportId, ReportPage, ReportReason,
};
use fieldpost_remote::RemoteResult;

object!(
    /// `report`.
    ReportRow, rest: super::object::Dropped {
        id: ReportId,
        message_id: MessageId,
        conversation_id: ConversationId,
        org_id: OrgId,
        sender_id: PersonId,
        reporter_id: PersonId,
        reason: Name<ReportReason>,
        note: String,
        content: String,
        reported_at: Moment,
        resolved_at: Moment,
        resolved_by: PersonId,
    }
);

impl Row for ReportRow {
    type Domain = MessageReport;

    fn domain(self) -> Result<MessageReport, &'static str> {
        Ok(MessageReport {
            id: need(self.id, "id")?,
            message_id: need(self.message_id, "message_id")?,
            conversation_id: need(self.conversation_id, "conversation_id")?,
            org_id: need(self.org_id, "org_id")?,
            sender_id: self.sender_id.unwrap_or(PersonId::NOBODY),
            reporter_id: need(self.reporter_id, "reporter_id")?,
            reason: need(self.reason, "reason")?.0,
            note: self.note,
            content: self.content,
            reported_at: need(self.reported_at, "reported_at")?.clamped(),
            resolved_at: self.resolved_at.map(|at| at.clamped()),
            resolved_by: self.resolved_by,
        })
    }
}

/// The page of `fieldpost_reports`. A row that cannot be read is reported and skipped: the others are worth showing.
pub(crate) fn page(read: Read) -> ReportPage {
    for row in &read.changes.unreadable {
        tracing::warn!(list = row.list, reason = row.reason, "a row cannot be read, and is skipped");
    }
    ReportPage { reports: read.reports, people: read.changes.people, next: read.next_after.map(Continuation::new) }
}

/// The answer of `fieldpost_resolve_report`.
pub(crate) fn resolved(operation: &'static str, read: Read) -> RemoteResult<MessageReport> {
    read.report.ok_or_else(|| malformed(operation, "report: missing or unreadable"))
}
