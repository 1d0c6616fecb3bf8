//! The four calls of the wire contract.

use crate::RemoteResult;
use async_trait::async_trait;
use fieldpost_domain::{
    AccessToken, BootstrapPage, Capabilities, Capability, Continuation, ConversationId, Cursor, HistoryPage, Mutation,
    PullPage, PushResult, Seq, ServerLimits,
};

/// The protocol that this version speaks.
pub const PROTOCOL: u32 = 1;

/// The version of the SQL that this version is made for. An older one is served all the same; `doctor` says so.
pub const SQL_VERSION: u32 = 2;

/// What a client of this version names in its requests: only who names one is answered with it. When the set grows, a client
/// that is up to date may have missed rows of a new kind; it loads once more, and keeps what it has.
#[must_use]
pub fn client_capabilities() -> Capabilities {
    Capabilities::from([Capability::SetDigest, Capability::Ranges])
}

/// Asks for a page of the first load.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootstrapRequest {
    /// `next_after` of the page before; none to start.
    pub after: Option<Continuation>,
    /// Messages of the page at most; none for the server's own limit.
    pub limit: Option<u32>,
    /// How many of its last messages each conversation brings; none for the server's default (100).
    pub messages: Option<u32>,
}

/// Asks for a page of what was committed since a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Where to go on.
    pub cursor: Cursor,
    /// Rows of the page at most; none for the server's own limit.
    pub limit: Option<u32>,
}

/// Asks for a page of older messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// Only below this seq; none for the newest.
    pub before: Option<Seq>,
    /// Messages at most; none for the server's own limit.
    pub limit: Option<u32>,
}

/// The answers to a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct PushAnswer {
    /// One per mutation, in the order of the batch.
    pub results: Vec<PushResult>,
    /// What the server accepts.
    pub limits: ServerLimits,
}

/// What the engine asks of the server on behalf of a signed-in person.
///
/// Every answer is as of one moment. Nothing is ever returned that the token's owner may not see. A row that cannot be read
/// does not fail a page: it comes in [`fieldpost_domain::Changes::unreadable`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait MessagingApi: Send + Sync {
    /// A page of the first load.
    async fn bootstrap(&self, token: &AccessToken, request: BootstrapRequest) -> RemoteResult<BootstrapPage>;

    /// A page of changes. A row is in the first pull that starts after its commit.
    async fn pull(&self, token: &AccessToken, request: PullRequest) -> RemoteResult<PullPage>;

    /// Sends mutations in order; answers each. Sending a batch again is harmless. An error means that the outcome of the whole
    /// batch is unknown (or, by its kind, that nothing was carried out); a refusal of one mutation is no error.
    async fn push(&self, token: &AccessToken, mutations: &[Mutation]) -> RemoteResult<PushAnswer>;

    /// A page of older messages.
    async fn history(&self, token: &AccessToken, request: HistoryRequest) -> RemoteResult<HistoryPage>;
}
