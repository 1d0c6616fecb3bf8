//! The remote contract of Fieldpost: what the engine asks of a server.
//!
//! [`MessagingApi`] is the four calls of docs/protocol.md in domain types, [`Auth`] is signing in. Both are stateless: the
//! caller passes the token, so that it is stamped at the moment of sending, and decides by [`RemoteError::retry`] what a
//! failure means.
//!
//! [`reference::ReferenceServer`] is a whole server in memory, the behaviour that every other must show; the suite in
//! `conformance` (feature `conformance`) is run on it and on every implementation.

mod api;
mod auth;
mod error;

pub mod reference;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use api::{
    BootstrapRequest, HistoryRequest, MessagingApi, PROTOCOL, PullRequest, PushAnswer, SQL_VERSION, client_capabilities,
};
pub use auth::{Auth, Credentials};
pub use error::{ExpiredReason, RemoteError, RemoteErrorKind, RemoteResult};

#[cfg(feature = "mock")]
pub use self::{api::MockMessagingApi, auth::MockAuth};
