//! What a failure means.
//!
//! The engine needs two answers of every failed call: *may the same call help later, and what has to happen first* (the
//! kind, hence [`fieldpost_remote::RemoteError::retry`]), and *what is known about its outcome*. The second decides whether
//! a person may still edit or cancel what was being sent, so a wrong "it was certainly not carried out" is worse than any
//! wrong "unknown".
//!
//! | what happened | outcome | kind |
//! |---|---|---|
//! | no connection came about: DNS, refused, TLS, connect timeout | not carried out | `Unreachable` |
//! | anything broke after that: reset, half an answer | unknown | `Interrupted` |
//! | too slow for our clock (total timeout), a gateway's (408, 504, 524), the database's (57014) | unknown | `TimedOut` |
//! | an answer that cannot be read, 2xx | unknown | `Malformed` |
//! | any other 5xx, a gateway's page | unknown: a 502 may come after the commit | `Unavailable` |
//! | 413, with or without a page; class 54 of the database; an answer of more bytes than are read here | not carried out, or only read | `Oversized` |
//! | 401, other 4xx, `error` in the envelope | not carried out: the server said no | by code |
//!
//! Unknown is harmless, because every call may be sent again as it is: reads change nothing, the ids in a batch make a second
//! sending a `duplicate`, and GoTrue hands out the same rotation again when a refresh token comes a second time. So
//! `transport` calls a failure `Unreachable` only if reqwest says that connecting failed, and everything else `Interrupted`
//! or `TimedOut`: also a request that never left the socket buffer. The two differ in what helps: a broken connection is made
//! anew and the call repeated at once; whoever was too slow just now would be so again.
//!
//! A refusal must be believed only if the one who can refuse is speaking. A captive portal's page, a gateway's plain 401 or
//! a 5xx never ends a session ([`auth`]) and never parks a message: those go by GoTrue's and the database's own codes
//! ([`auth`], [`rpc`], [`refusal`]), and what no table knows keeps its code in the detail. So `TooLarge` is the word of the
//! functions alone: of a batch of one it is a verdict on that mutation. A 413 has some proxy's limit behind it, which may be
//! gone tomorrow; as `Oversized` it makes batches and pages smaller and holds a single mutation back without giving it up.
//!
//! A detail holds statuses, codes, hosts and sentences of this crate. The words of a server's message are looked at and not
//! repeated: they may quote what was sent.

pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod refusal;
pub(crate) mod retry_after;
pub(crate) mod rpc;
pub(crate) mod transport;

use crate::http::Reply;
use body::ErrorBody;
use fieldpost_remote::{RemoteError, RemoteErrorKind};
use reqwest::StatusCode;

/// The failures that mean the same on every interface: what the gateway, the limiter or a proxy says. None: the interface's
/// own table decides.
fn common(operation: &'static str, reply: &Reply, body: &ErrorBody) -> Option<RemoteError> {
    use RemoteErrorKind::{NotFieldpost, Oversized, RateLimited, TimedOut, Unavailable, WrongApiKey};
    let status = reply.status;
    let (kind, sentence) = match status.as_u16() {
        429 => (RateLimited, None),
        // 524 is what Cloudflare, in front of hosted Supabase, says for 504.
        408 | 504 | 524 => (TimedOut, None),
        425 | 500.. => (Unavailable, None),
        300..=399 => (NotFieldpost, Some("it points to another address, and that is not followed")),
        401 | 403 if body.names_api_key() => (WrongApiKey, None),
        404 if reply.html => (NotFieldpost, Some("a web page instead of an answer")),
        413 => (Oversized, Some("a gateway takes no request of this size")),
        // A firewall's or a portal's page: nobody of the project has spoken.
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

/// `Retry-After` counts only where time helps. On a refusal it would turn "never" into "later".
fn with_retry_after(error: RemoteError, reply: &Reply) -> RemoteError {
    match (error.kind(), reply.retry_after) {
        (RemoteErrorKind::RateLimited | RemoteErrorKind::Unavailable | RemoteErrorKind::TimedOut, Some(after)) => {
            error.with_retry_after(after)
        }
        _ => error,
    }
}
