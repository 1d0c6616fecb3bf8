//! `report_message`: tells the admins of the org about somebody else's message.

use super::{
    Kind, Step,
    edit_message::{named, tombstone},
};
use crate::reference::{
    push::{Done, Judged, lookup::find, refuse},
    transaction::Transaction,
    viewer::Viewer,
};
use fieldpost_domain::{
    Acknowledgement, Capability, ConversationId, MessageId, RefusalCode, ReportMessage, ReportNote, ReportReason,
};

/// A report in its wire form.
#[derive(Debug, Clone)]
pub struct SubmittedReport {
    /// The conversation of the message.
    pub conversation_id: ConversationId,
    /// The message.
    pub message_id: MessageId,
    /// Why.
    pub reason: ReportReason,
    /// What the reporter adds.
    pub note: Option<ReportNote>,
}

impl Kind for SubmittedReport {
    type Intent = ReportMessage;

    const STEP: Step = Step::Report;
    const NEEDS: Option<Capability> = Some(Capability::Reports);

    fn of(report: &ReportMessage) -> Self {
        let ReportMessage { conversation_id, message_id, reason, note } = report.clone();
        Self { conversation_id, message_id, reason, note }
    }

    fn lane(&self) -> ConversationId {
        self.conversation_id
    }

    /// Whoever sees a message may report it, also where she may not write, and also one that was deleted since: its author
    /// does not get away by that. Nobody reports herself.
    fn carry_out(&self, transaction: &mut Transaction<'_>, viewer: &Viewer) -> Judged<Done> {
        let tables = transaction.tables();
        let conversation = find(tables, viewer, self.conversation_id)?;
        let Some(message) = named(tables, viewer, conversation, self.message_id).cloned() else {
            let deleted = tombstone(tables, conversation, self.message_id).is_some();
            return Err(refuse(if deleted { RefusalCode::MessageDeleted } else { RefusalCode::NotFound }));
        };
        if message.sender_id == viewer.person_id {
            return Err(refuse(RefusalCode::Forbidden));
        }
        let words = (self.reason.clone(), self.note.as_ref());
        let applied = transaction.report(&message, viewer.person_id, words);
        Ok(Done { acknowledgement: Acknowledgement::Bare, applied })
    }
}
