//! Reporting messages to the admins of the org.

use crate::{Client, FieldpostError, Person, Result, ThreadMessage, moment};
use fieldpost::{ConversationId, MessageId, OrgId, PersonId, ReportId, ReportQuery, ReportReason};
use std::time::SystemTime;

/// One person's report of a message.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MessageReport {
    /// The report.
    pub id: ReportId,
    /// The message.
    pub message_id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// The org.
    pub org_id: OrgId,
    /// Who wrote the message.
    pub sender_id: PersonId,
    /// Who reports it.
    pub reporter_id: PersonId,
    /// Why: `spam`, `harassment`, `inappropriate`, `other`, or a word of the app's own.
    pub reason: String,
    /// What the reporter adds.
    pub note: Option<String>,
    /// The text of the message when it was first reported.
    pub text: Option<String>,
    /// When it was reported.
    pub reported_at: SystemTime,
    /// When an admin has dealt with it.
    pub resolved_at: Option<SystemTime>,
    /// The admin.
    pub resolved_by: Option<PersonId>,
}

/// A page of reports.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReportPage {
    /// The reports.
    pub reports: Vec<MessageReport>,
    /// The people that they name.
    pub people: Vec<Person>,
    /// Where to continue; none on the last page.
    pub next: Option<String>,
}

#[uniffi::export]
impl Client {
    /// Reports somebody else's message to the admins of the org.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidReport`], [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::NotPossible`].
    #[uniffi::method(default(note = ""))]
    pub async fn report(
        &self,
        conversation: ConversationId,
        message: MessageId,
        reason: String,
        note: String,
    ) -> Result<ThreadMessage> {
        self.run(|client| async move {
            let reason = ReportReason::from(reason);
            Ok(client.conversation(conversation).report(message, reason, &note).await?.into())
        })
        .await
    }

    /// The reports of messages in the admin's org, a page at a time; with a network only.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotAllowed`], [`crate::ErrorKind::NeedsServer`], [`crate::ErrorKind::Offline`].
    #[uniffi::method(default(resolved_too = false, after = None))]
    pub async fn reports(&self, resolved_too: bool, after: Option<String>) -> Result<ReportPage> {
        let query = if resolved_too { ReportQuery::all() } else { ReportQuery::open() };
        let query = match after {
            Some(after) => query.after(fieldpost::Continuation::new(after)),
            None => query,
        };
        self.run(|client| async move { Ok(client.reports(&query).await?.into()) }).await
    }

    /// Marks a report as dealt with; with a network only.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchReport`]; otherwise as [`Client::reports`].
    pub async fn resolve_report(&self, report: ReportId) -> Result<MessageReport> {
        self.run(|client| async move { Ok::<_, FieldpostError>(client.resolve_report(report).await?.into()) }).await
    }
}

impl From<fieldpost::MessageReport> for MessageReport {
    fn from(report: fieldpost::MessageReport) -> Self {
        Self {
            id: report.id,
            message_id: report.message_id,
            conversation_id: report.conversation_id,
            org_id: report.org_id,
            sender_id: report.sender_id,
            reporter_id: report.reporter_id,
            reason: report.reason.to_string(),
            note: report.note,
            text: report.content,
            reported_at: moment::out(report.reported_at),
            resolved_at: report.resolved_at.map(moment::out),
            resolved_by: report.resolved_by,
        }
    }
}

impl From<fieldpost::ReportPage> for ReportPage {
    fn from(page: fieldpost::ReportPage) -> Self {
        Self {
            reports: page.reports.into_iter().map(Into::into).collect(),
            people: page.people.into_iter().map(Into::into).collect(),
            next: page.next.map(|next| next.as_str().to_owned()),
        }
    }
}
