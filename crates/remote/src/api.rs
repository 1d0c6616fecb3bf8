//! The calls of the wire contract for messages.

use crate::RemoteResult;
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, Capabilities, Capability, Continuation, ConversationId, Cursor, FoundPage, HistoryPage,
    Message, MessageKind, MessageReport, Mutation, PersonId, PullPage, PushResult, ReportId, ReportPage, Seq,
    ServerLimits, Time,
    search::{Term, fits},
};
use std::time::Duration;

/// The protocol version of this client.
pub const PROTOCOL: u32 = 1;

/// The version of the SQL that this client is made for. It works with an older one too; `doctor` reports that.
pub const SQL_VERSION: u32 = 2;

/// The capabilities that a client of this version names in its requests. The server uses a capability only for a client
/// that names it. When this set grows, an up-to-date client may have missed rows of a new kind, so it loads once more
/// and keeps what it has.
#[must_use]
pub fn client_capabilities() -> Capabilities {
    Capabilities::from([
        Capability::SetDigest,
        Capability::Ranges,
        Capability::Reactions,
        Capability::ConversationSettings,
    ])
}

/// Asks for a page of the first load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootstrapRequest {
    /// `next_after` of the previous page; none to start.
    pub after: Option<Continuation>,
    /// The most messages in the page; none for the server's own limit.
    pub limit: Option<u32>,
    /// How many of the latest messages to return per conversation; none for the server's default (100).
    pub messages: Option<u32>,
    /// The most bytes of rows in the page, for a server with [`Capability::PageBytes`]; none for the server's own limit.
    pub bytes: Option<u32>,
}

/// Asks for a page of the changes committed since a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// The position to continue from.
    pub cursor: Cursor,
    /// The most rows in the page; none for the server's own limit.
    pub limit: Option<u32>,
    /// The most bytes of rows in the page, for a server with [`Capability::PageBytes`]; none for the server's own limit.
    pub bytes: Option<u32>,
}

/// Asks for a page of older messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRequest {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// Only below this seq; none for the newest.
    pub before: Option<Seq>,
    /// The most messages in the page; none for the server's own limit.
    pub limit: Option<u32>,
    /// As [`PullRequest::bytes`].
    pub bytes: Option<u32>,
}

/// Searches the server's history, for a server with [`Capability::SearchServer`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchRequest {
    /// What a hit has; at most 4,000 words. No terms find nothing.
    pub terms: Vec<Term>,
    /// Only messages of this conversation; aliases are resolved.
    pub conversation_id: Option<ConversationId>,
    /// Only messages of this author.
    pub sender_id: Option<PersonId>,
    /// Only messages of this kind.
    pub kind: Option<MessageKind>,
    /// Only messages that the server stored at this time or later.
    pub since: Option<Time>,
    /// Only messages that it stored before this time.
    pub until: Option<Time>,
    /// `next_after` of the previous page; none to start.
    pub after: Option<Continuation>,
    /// The most hits in the page; none for the server's own limit, 50.
    pub limit: Option<u32>,
    /// As [`PullRequest::bytes`].
    pub bytes: Option<u32>,
}

impl SearchRequest {
    /// Whether a message is a hit, in whichever conversation.
    #[must_use]
    pub fn fits(&self, message: &Message) -> bool {
        message.deleted_at.is_none()
            && self.sender_id.is_none_or(|wanted| message.sender_id == wanted)
            && self.kind.as_ref().is_none_or(|wanted| message.kind == *wanted)
            && self.since.is_none_or(|since| message.created_at >= since)
            && self.until.is_none_or(|until| message.created_at < until)
            && message.content.as_deref().is_some_and(|content| fits(&self.terms, content))
    }
}

/// Asks an admin's page of reports, of a server with [`Capability::Reports`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportsRequest {
    /// Also those that were dealt with, behind the open ones.
    pub all: bool,
    /// `next_after` of the previous page; none to start.
    pub after: Option<Continuation>,
    /// The most reports in the page; none for the server's own limit.
    pub limit: Option<u32>,
}

/// Sends mutations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PushRequest {
    /// In the order in which they are to be applied.
    pub mutations: Vec<Mutation>,
    /// Everything up to here has been applied on the device. For a server with [`Capability::QuietPush`]; the answer may
    /// be quiet then.
    pub cursor: Option<Cursor>,
}

impl PushRequest {
    /// A batch whose answer need not say what else has changed.
    #[must_use]
    pub const fn of(mutations: Vec<Mutation>) -> Self {
        Self { mutations, cursor: None }
    }
}

/// The results of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct PushAnswer {
    /// One per mutation, in the order of the batch.
    pub results: Vec<PushResult>,
    /// The answer is quiet: the results hold all that a pull from the request's cursor would bring. This is the cursor
    /// after that, which has seen the batch too. A pull from it brings what is committed later, also by a transaction that
    /// was running now.
    pub quiet: Option<Cursor>,
    /// The server's current limits.
    pub limits: ServerLimits,
    /// From sending the batch until the last byte of the response: tells how fast the line is.
    pub took: Duration,
}

/// The calls that the engine makes for a signed-in person.
///
/// Each response shows the data at a single moment and holds only what the token's owner may see. A row that cannot be
/// read does not fail a page: it is listed in [`fieldpost_domain::Changes::unreadable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait MessagingApi: Send + Sync {
    /// Fetches a page of the first load.
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage>;

    /// Fetches a page of changes. A committed row is in the first pull that starts after the commit.
    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage>;

    /// Sends mutations in order and returns one result for each. Resending a batch is harmless. An error means that the
    /// outcome of the whole batch is unknown or, for some kinds of error, that nothing was applied. A refusal of one
    /// mutation is a result, not an error.
    async fn push(&self, token: &AccessToken, request: &PushRequest) -> RemoteResult<PushAnswer>;

    /// Fetches a page of older messages.
    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage>;

    /// Searches the messages that the caller may see, newest first by the server's time. Page by page every hit comes
    /// once; deleted messages never do. A server that does not search answers [`crate::RemoteErrorKind::BadRequest`].
    async fn search(&self, token: &AccessToken, request: SearchRequest) -> RemoteResult<FoundPage>;

    /// Fetches a page of the reports of messages in the caller's orgs, the open ones first, and of these the newest first.
    /// Somebody who is an admin of none is refused ([`crate::RemoteErrorKind::Forbidden`]).
    async fn reports(&self, token: &AccessToken, request: ReportsRequest) -> RemoteResult<ReportPage>;

    /// Marks a report as dealt with, as an admin of its org, and returns it. Repeating it changes nothing.
    async fn resolve_report(&self, token: &AccessToken, report: ReportId) -> RemoteResult<MessageReport>;
}
