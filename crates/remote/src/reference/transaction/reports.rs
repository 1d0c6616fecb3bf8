//! Writes reports.

use super::Transaction;
use crate::reference::tables::ReportRow;
use fieldpost_domain::{ConversationId, Message, MessageReport, PersonId, ReportId, ReportNote, ReportReason};

/// How many mutations a report remembers. The SQL has the same number.
const REMEMBERED: usize = 10;

impl Transaction<'_> {
    /// Reports a message for a person. Another report of theirs takes the words of the one that is there and opens it
    /// again. False if this mutation has done so already.
    pub(in crate::reference) fn report(
        &mut self,
        message: &Message,
        reporter: PersonId,
        (reason, note): (ReportReason, Option<&ReportNote>),
    ) -> bool {
        let (key, mutation) = ((message.id, reporter), self.mutation);
        let stored = self.tables.reports.get(&key).cloned();
        if stored.as_ref().is_some_and(|row| mutation.is_some_and(|id| row.mutations.contains(&id))) {
            return false;
        }
        let Some(place) = self.tables.conversations.get(&message.conversation_id) else { return false };
        let org_id = place.org_id;
        let (report, mut mutations) = match stored {
            Some(row) => (row.report, row.mutations),
            None => (self.new_report(message, reporter, org_id), Vec::new()),
        };
        mutations.extend(mutation);
        let forgotten = mutations.len().saturating_sub(REMEMBERED);
        mutations.drain(..forgotten);
        let note = note.map(|note| note.as_str().to_owned());
        let report =
            MessageReport { reason, note, reported_at: self.now, resolved_at: None, resolved_by: None, ..report };
        self.tables.reports.insert(key, ReportRow { report, mutations });
        true
    }

    fn new_report(&mut self, message: &Message, reporter: PersonId, org_id: fieldpost_domain::OrgId) -> MessageReport {
        MessageReport {
            id: ReportId::from_parts(self.now, self.random()),
            message_id: message.id,
            conversation_id: message.conversation_id,
            org_id,
            sender_id: message.sender_id,
            reporter_id: reporter,
            reason: ReportReason::Other,
            note: None,
            content: message.content.clone().filter(|_| message.deleted_at.is_none()),
            reported_at: self.now,
            resolved_at: None,
            resolved_by: None,
        }
    }

    /// Marks a report as dealt with. Who did so first stays.
    pub(in crate::reference) fn resolve_report(&mut self, id: ReportId, by: PersonId) -> Option<MessageReport> {
        let now = self.now;
        let row = self.tables.reports.values_mut().find(|row| row.report.id == id)?;
        if row.report.resolved_at.is_none() {
            (row.report.resolved_at, row.report.resolved_by) = (Some(now), Some(by));
        }
        Some(row.report.clone())
    }

    /// The reports leave with their conversation.
    pub(super) fn drop_reports(&mut self, conversation: ConversationId) {
        self.tables.reports.retain(|_, row| row.report.conversation_id != conversation);
    }
}
