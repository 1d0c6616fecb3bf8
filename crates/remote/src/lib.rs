//! The remote contract of Fieldpost: the calls that the engine makes to a server.
//!
//! [`MessagingApi`] is the calls of docs/protocol.md in domain types; [`Auth`] is signing in. Both are stateless.
//! [`LiveHints`] tells when a call would bring something new.
//! The caller passes the token of the moment with each call, and reads from [`RemoteError::retry`] how to react to a
//! failure.
//!
//! [`reference::ReferenceServer`] is a complete server in memory; every other server must behave like it. The suite in
//! `conformance` (feature `conformance`) runs against it and against every implementation.

mod api;
mod auth;
mod error;
mod live;
#[cfg(feature = "records")]
mod records;

pub mod reference;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use api::{
    BootstrapRequest, HistoryRequest, MessagingApi, PROTOCOL, PullRequest, PushAnswer, PushRequest, ReportsRequest,
    SQL_VERSION, SearchRequest, client_capabilities,
};
pub use auth::{Auth, Credentials};
pub use error::{ExpiredReason, RemoteError, RemoteErrorKind, RemoteResult};
pub use live::{LiveConnection, LiveEvent, LiveHints, NoTopic, Topic};
#[cfg(feature = "records")]
pub use records::{AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPullRequest, RecordPushAnswer, RecordsApi};

#[cfg(feature = "mock")]
pub use self::{
    api::MockMessagingApi,
    auth::MockAuth,
    live::{MockLiveConnection, MockLiveHints},
};
#[cfg(all(feature = "mock", feature = "records"))]
pub use records::MockRecordsApi;
