//! Reporting messages to the admins of the org, and what an admin does with reports.

use crate::{Client, Conversation, Error, MessageId, ReportId, Result, ThreadMessage};
use fieldpost_domain::{
    Capability, Continuation, Intent, MessageReport, Mutation, ReportMessage, ReportPage, ReportReason,
};
use fieldpost_remote::{RemoteErrorKind, ReportsRequest};
use fieldpost_sync::SyncError;

/// Which reports an admin wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportQuery(ReportsRequest);

impl ReportQuery {
    /// Those that nobody has dealt with.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// All: the open ones first.
    #[must_use]
    pub fn all() -> Self {
        Self(ReportsRequest { all: true, ..ReportsRequest::default() })
    }

    /// Continues behind a page ([`ReportPage::next`]).
    #[must_use]
    pub fn after(self, next: Continuation) -> Self {
        Self(ReportsRequest { after: Some(next), ..self.0 })
    }

    /// At most so many in a page. The server has a limit of its own.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self(ReportsRequest { limit: Some(limit), ..self.0 })
    }
}

impl Conversation {
    /// Reports somebody else's message to the admins of the org, online or offline: with a reason, and in words if `note`
    /// has some. It shows nothing in the thread, and the author does not learn of it. The admins see the text that the
    /// message has when the report arrives, also after an edit or a deletion. A person has one report of a message: another
    /// one takes its place. If the server refuses, the report waits in the outbox for the person ([`Client::changes_of`]).
    ///
    /// # Errors
    /// [`Error::InvalidReport`]; [`Error::NotFound`] when the message is not on this device; [`Error::NotPossible`] when it
    /// is one's own, or deleted.
    pub async fn report(&self, message: MessageId, reason: ReportReason, note: &str) -> Result<ThreadMessage> {
        self.client().report(message, reason, note).await
    }
}

impl Client {
    async fn report(&self, message_id: MessageId, reason: ReportReason, note: &str) -> Result<ThreadMessage> {
        let now = self.inner.store.message(message_id).await?.ok_or(Error::NotFound)?;
        let report = ReportMessage::new(now.conversation_id, message_id, reason, note)?;
        let env = &self.inner.env;
        let mutation = Mutation { id: env.mutation_id(), intent: Intent::ReportMessage(report) };
        let shown = self.inner.store.change(mutation, env.now()).await?;
        self.note_local_write().await;
        Ok(shown)
    }

    /// The reports of messages in the admin's org, a page at a time; with a network only.
    ///
    /// ```
    /// use fieldpost::{Client, ReportQuery};
    ///
    /// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let page = client.reports(&ReportQuery::open()).await?;
    /// for report in &page.reports {
    ///     let who = page.name_of(report.reporter_id).unwrap_or_default();
    ///     println!("{who}: {} {:?}", report.reason, report.content);
    ///     client.resolve_report(report.id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when the person is no admin; [`Error::NeedsServer`] when the project's SQL is too old;
    /// [`Error::Offline`].
    pub async fn reports(&self, query: &ReportQuery) -> Result<ReportPage> {
        match self.inner.sides.messages.reports(query.0.clone()).await {
            Ok(page) => Ok(page),
            Err(error) => Err(self.of_reports(error).await),
        }
    }

    /// Marks a report as dealt with, as an admin of its org; with a network only. Doing it again changes nothing. If the
    /// reporter reports the message again, the report is open again.
    ///
    /// # Errors
    /// [`Error::NoSuchReport`]; otherwise as [`Client::reports`].
    pub async fn resolve_report(&self, report: ReportId) -> Result<MessageReport> {
        match self.inner.sides.messages.resolve_report(report).await {
            Ok(resolved) => Ok(resolved),
            Err(SyncError::Remote(error)) if error.kind() == RemoteErrorKind::NotFound => Err(Error::NoSuchReport),
            Err(error) => Err(self.of_reports(error).await),
        }
    }

    /// A server without the functions answers like something that is no project with Fieldpost at all.
    async fn of_reports(&self, error: SyncError) -> Error {
        if let SyncError::Remote(remote) = &error
            && remote.kind() == RemoteErrorKind::NotFieldpost
            && let Ok(state) = self.inner.store.sync_state().await
            && state.server.is_some_and(|server| !server.capabilities.contains(&Capability::Reports))
        {
            return Error::NeedsServer(Capability::Reports);
        }
        error.into()
    }
}
