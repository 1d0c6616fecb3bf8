//! Classifies failures.
//!
//! The engine asks two questions about every failed call: *can the same call succeed later, and what must happen first*
//! (the kind, hence [`fieldpost_remote::RemoteError::retry`]), and *what is known about its outcome*. The second
//! decides whether a person may still edit or cancel what was being sent. So a wrong "certainly not applied" is worse
//! than any wrong "unknown".
//!
//! | what happened | outcome | kind |
//! |---|---|---|
//! | no connection: DNS, refused, TLS, connect timeout | not applied | `Unreachable` |
//! | any break after that: reset, half a response | unknown | `Interrupted` |
//! | timeout: ours (total), a gateway's (408, 504, 524) | unknown | `TimedOut` |
//! | the database stopped the statement (57014), and rolled it back | not applied | `StatementTimeout` |
//! | a web page with 200 or 404, a redirect, 511: a captive portal | unknown | `Intercepted` |
//! | 2xx with an unreadable response | unknown | `Malformed` |
//! | any other 5xx, a gateway's page | unknown: a 502 may come after the commit | `Unavailable` |
//! | 413, with or without a page; class 54 of the database; a response above our size limit | not applied, or the call only reads | `Oversized` |
//! | 401, other 4xx, `error` in the envelope | not applied: the server refused | by code |
//!
//! Unknown is harmless, because every call may be resent unchanged. Reads change nothing. The ids in a batch turn a
//! second sending into a `duplicate`. GoTrue returns the same rotation again when a refresh token comes a second time.
//! So `transport` reports `Unreachable` only if reqwest says that connecting failed, and otherwise `Interrupted` or
//! `TimedOut`, even for a request that never left the socket buffer. The two differ in the remedy: after a break,
//! reconnect and repeat the call at once; after a timeout, an immediate repeat would time out again.
//!
//! Only the server that is entitled to refuse is believed. A captive portal's page, a gateway's plain 401 or a 5xx
//! never ends a session ([`auth`]) and never parks a message: those depend on the codes of GoTrue and of the database
//! ([`auth`], [`rpc`], [`refusal`]). A code that no table lists is kept in the detail. So only Fieldpost's functions
//! cause `TooLarge`, and for a batch of one that is a verdict on the mutation. A 413 comes from some proxy's limit,
//! which may be gone tomorrow; as `Oversized` it makes batches and pages smaller, and holds a single mutation back
//! without giving it up.
//!
//! A detail holds statuses, codes, hosts and sentences of this crate. It never repeats the server's message, which may
//! quote what was sent.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod live;
pub(crate) mod refusal;
pub(crate) mod retry_after;
pub(crate) mod rpc;
pub(crate) mod transport;

use crate::http::Reply;
use body::ErrorBody;
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use reqwest::StatusCode;

/// Failures that mean the same on every interface: those of the gateway, the rate limiter or a proxy. None: the
/// interface's own table decides.
fn common(operation: &'static str, reply: &Reply, body: &ErrorBody) -> Option<RemoteError> {
    use RemoteErrorKind::{Intercepted, Oversized, RateLimited, TimedOut, Unavailable, WrongApiKey};
    let status = reply.status;
    let (kind, sentence) = match status.as_u16() {
        429 => (RateLimited, None),
        // Cloudflare, in front of hosted Supabase, sends 524 instead of 504.
        408 | 504 | 524 => (TimedOut, None),
        // Network Authentication Required (RFC 6585): a portal says so itself.
        511 => (Intercepted, None),
        407 => (Unavailable, Some("the proxy wants a user and a password in its URL")),
        425 | 500.. => (Unavailable, None),
        300..=399 => (Intercepted, Some("it points to another address, and that is not followed")),
        401 | 403 if body.names_api_key() => (WrongApiKey, None),
        404 if reply.html => (Intercepted, Some("a web page instead of an answer")),
        413 => (Oversized, Some("a gateway takes no request of this size")),
        // A page of a firewall or a captive portal: the project itself has not answered.
        _ if reply.html => (Unavailable, Some("a web page instead of an answer")),
        _ => return None,
    };
    let detail = match sentence {
        Some(sentence) => format!("{}: {sentence}", status.as_u16()),
        None => describe(status, body),
    };
    Some(with_retry_after(RemoteError::new(kind, operation).with_detail(detail), reply))
}

/// The status and, if there is one, the code: `503 PGRST002`.
fn describe(status: StatusCode, body: &ErrorBody) -> String {
    body.code().map_or_else(|| status.as_u16().to_string(), |code| format!("{} {code}", status.as_u16()))
}

/// Applies `Retry-After` only where waiting helps. On a refusal it would turn "never" into "later".
fn with_retry_after(error: RemoteError, reply: &Reply) -> RemoteError {
    match (error.kind(), reply.retry_after) {
        (
            RemoteErrorKind::RateLimited
            | RemoteErrorKind::Unavailable
            | RemoteErrorKind::TimedOut
            | RemoteErrorKind::StatementTimeout,
            Some(after),
        ) => error.with_retry_after(after),
        _ => error,
    }
}
