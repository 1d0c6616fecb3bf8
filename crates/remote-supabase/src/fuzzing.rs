//! Decodes responses without a network, for tests that generate them. Not part of the interface.

use crate::{
    error::{auth, rpc},
    http::Reply,
    live::{Channels, Frame},
    wire::{answer, page, result, session},
};
use fieldpost_domain::{BootstrapPage, ConversationId, HistoryPage, Mutation, PullPage, PushResult, Session, Time};
use fieldpost_remote::{LiveEvent, RemoteError, RemoteResult, Topic};
use reqwest::StatusCode;

fn reply(status: StatusCode, body: &[u8]) -> Reply {
    let html = body.trim_ascii_start().starts_with(b"<");
    Reply {
        status,
        html,
        json: !html,
        date: None,
        retry_after: None,
        body: body.to_vec(),
        took: std::time::Duration::ZERO,
    }
}

/// Decodes a response to `bootstrap`.
///
/// # Errors
/// As the call.
pub fn bootstrap(body: &[u8]) -> RemoteResult<BootstrapPage> {
    page::bootstrap("bootstrap", answer::read("bootstrap", &reply(StatusCode::OK, body))?)
}

/// Decodes a response to `pull`.
///
/// # Errors
/// As the call.
pub fn pull(body: &[u8]) -> RemoteResult<PullPage> {
    page::pull("pull", answer::read("pull", &reply(StatusCode::OK, body))?)
}

/// Decodes a response to `history`.
///
/// # Errors
/// As the call.
pub fn history(conversation: ConversationId, body: &[u8]) -> RemoteResult<HistoryPage> {
    page::history("history", conversation, answer::read("history", &reply(StatusCode::OK, body))?)
}

/// Decodes a response to `push`.
///
/// # Errors
/// As the call.
pub fn push(mutations: &[Mutation], body: &[u8]) -> RemoteResult<Vec<PushResult>> {
    let read = answer::read("push", &reply(StatusCode::OK, body))?;
    result::match_up("push", mutations, read.results)
}

/// Decodes a response to `pull_records`.
///
/// # Errors
/// As the call.
#[cfg(feature = "records")]
pub fn pull_records(body: &[u8]) -> RemoteResult<fieldpost_domain::records::RecordPage> {
    use crate::wire::records::{answer, page};
    page::pull("pull_records", answer::read("pull_records", &reply(StatusCode::OK, body))?)
}

/// Decodes a response to `push_records`.
///
/// # Errors
/// As the call.
#[cfg(feature = "records")]
pub fn push_records(
    changes: &[fieldpost_remote::OutgoingRecord],
    body: &[u8],
) -> RemoteResult<fieldpost_remote::RecordPushAnswer> {
    use crate::wire::records::{answer, result};
    result::push("push_records", changes, answer::read("push_records", &reply(StatusCode::OK, body))?)
}

/// Decodes a response to `push_audit`.
///
/// # Errors
/// As the call.
#[cfg(feature = "records")]
pub fn push_audit(
    entries: &[fieldpost_remote::OutgoingAudit],
    body: &[u8],
) -> RemoteResult<fieldpost_remote::AuditAnswer> {
    use crate::wire::records::{answer, audit};
    Ok(audit::push(entries, answer::read("push_audit", &reply(StatusCode::OK, body))?))
}

/// Decodes a response to `sign_in` or `refresh`.
///
/// # Errors
/// As the calls.
pub fn session(body: &[u8]) -> RemoteResult<Session> {
    session::read("sign_in", &reply(StatusCode::OK, body), || Time::UNIX_EPOCH)
}

/// Reads a frame of live hints as a device does that has joined this topic, and tells what it says.
#[must_use]
pub fn live(topic: Topic, bytes: &[u8]) -> Vec<LiveEvent> {
    let text = str::from_utf8(bytes).ok().and_then(Frame::text);
    let frames = text.into_iter().chain(Frame::binary(bytes));
    let told = |frame| {
        let mut channels = Channels::default();
        channels.join(topic);
        channels.take(&frame)
    };
    frames.filter_map(told).collect()
}

/// Classifies an error response with this status and body: of one of the four calls, of `sign_in`, of `refresh`.
#[must_use]
pub fn failures(status: u16, body: &[u8]) -> [RemoteError; 3] {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reply = reply(status, body);
    [rpc::classify("pull", &reply), auth::sign_in("sign_in", &reply), auth::refresh("refresh", &reply)]
}
