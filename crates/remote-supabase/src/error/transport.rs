//! Failures without a response. The module above explains why a timeout is its own kind.

use fieldpost_remote::{RemoteError, RemoteErrorKind};
use std::{error::Error, io};

/// A failure before the head of the response arrived.
pub(crate) fn sending(operation: &'static str, place: &str, error: reqwest::Error) -> RemoteError {
    let kind = if error.is_connect() {
        RemoteErrorKind::Unreachable
    } else if error.is_builder() {
        RemoteErrorKind::Other
    } else {
        lost(&error)
    };
    failure(kind, operation, place, error)
}

/// A failure while reading the body. A body that cannot be decompressed did arrive, so the response is wrong, not the
/// network.
pub(crate) fn reading(operation: &'static str, place: &str, error: reqwest::Error) -> RemoteError {
    let kind = if is_corrupt(&error) { RemoteErrorKind::Malformed } else { lost(&error) };
    failure(kind, operation, place, error)
}

/// The response did not arrive, or not completely.
fn lost(error: &reqwest::Error) -> RemoteErrorKind {
    if error.is_timeout() { RemoteErrorKind::TimedOut } else { RemoteErrorKind::Interrupted }
}

fn failure(kind: RemoteErrorKind, operation: &'static str, place: &str, error: reqwest::Error) -> RemoteError {
    // The URL holds no secret, but reqwest's errors repeat it in every line.
    let error = error.without_url();
    let reason = if error.is_timeout() { "no answer in time".to_owned() } else { root_cause(&error).to_string() };
    RemoteError::new(kind, operation).with_detail(format!("{place}: {reason}")).with_source(error)
}

/// The innermost cause: "Connection refused", "invalid peer certificate: UnknownIssuer". None of them quotes the
/// request.
fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}

fn is_corrupt(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)) {
            return true;
        }
        cause = error.source();
    }
    false
}
