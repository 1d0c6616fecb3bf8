//! Refusals of Realtime, before the connection is open and on it.
//!
//! Before, a status tells. Afterwards there are only texts, and they differ by version: the documented code of an expired token
//! is not the one that is sent. So they are matched by their words. No error repeats a text, only a code before it.

use super::{body::ErrorBody, common, describe, with_retry_after};
use crate::http::Reply;
use fieldpost_remote::{RemoteError, RemoteErrorKind};

/// The longest code, in characters, that an error repeats.
const CODE_LIMIT: usize = 64;

/// Classifies an answer that came in place of the connection.
pub(crate) fn handshake(operation: &'static str, reply: &Reply) -> RemoteError {
    use RemoteErrorKind::{BadRequest, Forbidden, Intercepted, NotFound, Other, Unauthorized};
    const BETWEEN: &str = "something in between does not let WebSockets through";
    let body = ErrorBody::parse(&reply.body);
    let status = reply.status.as_u16();
    let (kind, sentence) = match status {
        200..=299 if reply.html => (Intercepted, "a web page instead of an answer"),
        200..=299 | 426 => (Intercepted, BETWEEN),
        _ => match (common(operation, reply, &body), status) {
            (Some(error), _) => return error,
            (None, 401) => (Unauthorized, ""),
            (None, 403) => (Forbidden, ""),
            (None, 404) => (NotFound, "this project has no Realtime"),
            (None, 400..=499) => (BadRequest, ""),
            (None, _) => (Other, ""),
        },
    };
    let detail = describe(reply.status, &body);
    let detail = if sentence.is_empty() { detail } else { format!("{detail}: {sentence}") };
    with_retry_after(RemoteError::new(kind, operation).with_detail(detail), reply)
}

/// Classifies why a topic was not joined, or why the server has ended it.
pub(crate) fn topic(operation: &'static str, reason: &str) -> RemoteError {
    let error = RemoteError::new(kind_of(reason), operation);
    match code(reason) {
        Some(code) => error.with_detail(code),
        None => error,
    }
}

fn kind_of(reason: &str) -> RemoteErrorKind {
    use RemoteErrorKind::{Forbidden, NotFound, RateLimited, Unauthorized, Unavailable};
    /// The first that fits counts.
    const WORDS: [(&str, RemoteErrorKind); 15] = [
        ("expired", Unauthorized),
        // A server whose keys are set up wrong; no other token would help.
        ("signer", Unavailable),
        ("tenantnotfound", NotFound),
        ("disabledfortenant", Forbidden),
        ("ratelimit", RateLimited),
        ("rate limit", RateLimited),
        ("rate_limit", RateLimited),
        ("too many", RateLimited),
        ("too_many", RateLimited),
        ("permission", Forbidden),
        ("unauthorized", Forbidden),
        ("private channels", Forbidden),
        ("jwt", Unauthorized),
        ("token", Unauthorized),
        ("signature", Unauthorized),
    ];
    let reason = reason.to_lowercase();
    WORDS.iter().find(|(words, _)| reason.contains(words)).map_or(Unavailable, |(_, kind)| *kind)
}

/// The word before the colon, as in `InvalidJWTToken: Token has expired 300 seconds ago`.
fn code(reason: &str) -> Option<&str> {
    let (code, _) = reason.split_once(':')?;
    let is_code = (1..=CODE_LIMIT).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use std::time::Duration;

    #[test]
    fn every_answer_in_place_of_the_connection() {
        use RemoteErrorKind::*;
        let error = |words: &str| format!(r#"{{"error":"{words}"}}"#);
        for (status, body, kind) in [
            (401, error("Token has expired"), Unauthorized),
            (401, r#"{"message":"Invalid API key"}"#.to_owned(), WrongApiKey),
            (403, error("Realtime was disabled for this tenant"), Forbidden),
            (404, error("Tenant not found"), NotFound),
            (404, r#"{"message":"no Route matched with those values"}"#.to_owned(), NotFound),
            (404, "<html>".to_owned(), Intercepted),
            (429, error("Too many connected users"), RateLimited),
            (500, error("Error connecting to Realtime"), Unavailable),
            (502, "<html>".to_owned(), Unavailable),
            (503, String::new(), Unavailable),
            (504, String::new(), TimedOut),
            (200, "<html>".to_owned(), Intercepted),
            (200, "ok".to_owned(), Intercepted),
            (204, String::new(), Intercepted),
            (302, String::new(), Intercepted),
            (511, "<html>".to_owned(), Intercepted),
            (403, "<html>".to_owned(), Unavailable),
            (426, String::new(), Intercepted),
            (407, String::new(), Unavailable),
            (400, "Bad Request".to_owned(), BadRequest),
        ] {
            let error = handshake("connect", &reply(status, &body));
            assert_eq!(error.kind(), kind, "{status} {body}");
            let waits = error.retry() == fieldpost_domain::Retry::After(Duration::from_secs(9));
            assert_eq!(waits, matches!(kind, Unavailable | RateLimited | TimedOut), "{status} {body}");
        }
    }

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            html: body.starts_with('<'),
            json: body.starts_with('{'),
            date: None,
            retry_after: Some(Duration::from_secs(9)),
            body: body.as_bytes().to_vec(),
            took: Duration::ZERO,
        }
    }

    /// The texts of supabase/realtime 2.129.8, and the documented code of an expired token.
    #[test]
    fn every_reason_of_the_server() {
        use RemoteErrorKind::*;
        for (reason, kind, detail) in [
            ("InvalidJWTToken: Token has expired 300 seconds ago", Unauthorized, Some("InvalidJWTToken")),
            ("InvalidJWTExpiration: Token has expired", Unauthorized, Some("InvalidJWTExpiration")),
            ("Token has expired 0 seconds ago", Unauthorized, None),
            ("InvalidJWTToken: Fields `role` and `exp` are required in JWT", Unauthorized, Some("InvalidJWTToken")),
            ("MalformedJWT: The token provided is not a valid JWT", Unauthorized, Some("MalformedJWT")),
            ("JwtSignatureError: Failed to validate JWT signature", Unauthorized, Some("JwtSignatureError")),
            ("signature_error", Unauthorized, None),
            (
                "JwtSignerError: Failed to generate JWT signer, check your JWT secret",
                Unavailable,
                Some("JwtSignerError"),
            ),
            (
                "Unauthorized: You do not have permissions to read from this Channel topic: fieldpost:org:1",
                Forbidden,
                Some("Unauthorized"),
            ),
            ("You no longer have permission to read from this Channel topic: fieldpost:org:1", Forbidden, None),
            ("PrivateOnly: This project only allows private channels", Forbidden, Some("PrivateOnly")),
            (
                "RealtimeDisabledForTenant: Realtime disabled for this tenant",
                Forbidden,
                Some("RealtimeDisabledForTenant"),
            ),
            ("TenantNotFound: Tenant with the given ID does not exist", NotFound, Some("TenantNotFound")),
            ("ChannelRateLimitReached: Too many channels", RateLimited, Some("ChannelRateLimitReached")),
            ("ConnectionRateLimitReached: Too many connected users", RateLimited, Some("ConnectionRateLimitReached")),
            ("ClientJoinRateLimitReached: Too many joins per second", RateLimited, Some("ClientJoinRateLimitReached")),
            ("Too many messages per second", RateLimited, None),
            ("Client presence rate limit exceeded", RateLimited, None),
            ("UnableToConnectToProject: Realtime was unable to connect", Unavailable, Some("UnableToConnectToProject")),
            ("RealtimeRestarting: Realtime is restarting, please standby", Unavailable, Some("RealtimeRestarting")),
            ("Replication connection was not established in time", Unavailable, None),
            (
                "DatabaseLackOfConnections: Database can't accept more connections, Realtime won't connect",
                Unavailable,
                Some("DatabaseLackOfConnections"),
            ),
            (
                "DatabaseConnectionRateLimitReached: Too many database connections attempts per second",
                RateLimited,
                Some("DatabaseConnectionRateLimitReached"),
            ),
            (
                "IncreaseConnectionPool: Please increase your connection pool size",
                Unavailable,
                Some("IncreaseConnectionPool"),
            ),
            (
                "MissingPartition: Realtime was unable to find the expected messages partition",
                Unavailable,
                Some("MissingPartition"),
            ),
            (
                "InitializingProjectConnection: Connecting to the project database",
                Unavailable,
                Some("InitializingProjectConnection"),
            ),
            ("InvalidJWTToken: Token expiration time is invalid", Unauthorized, Some("InvalidJWTToken")),
            ("Query was cancelled, please try again", Unavailable, None),
            ("Node request timeout", Unavailable, None),
            // A token that ended between two looks at it: only how many seconds ago is said.
            ("-3", Unavailable, None),
            ("Unknown Error on Channel", Unavailable, None),
            ("a secret: with a colon", Unavailable, None),
            ("", Unavailable, None),
        ] {
            let error = topic("join", reason);
            assert_eq!((error.kind(), error.detail()), (kind, detail), "{reason}");
        }
    }
}
