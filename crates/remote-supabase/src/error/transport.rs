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

/// The response did not arrive, or not completely. A connection that was given up, because the other side has not answered to
/// a PING or a probe, is a break: on another one the same call may work at once.
fn lost(error: &reqwest::Error) -> RemoteErrorKind {
    if error.is_timeout() && !was_given_up(error) { RemoteErrorKind::TimedOut } else { RemoteErrorKind::Interrupted }
}

/// Whether the connection ended, and not the time of the call.
fn was_given_up(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout)
            || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// Whether the other side of an HTTP/2 connection, or this one, cannot go on with it, though the line stands. It is no such
/// break if the server stops, is too busy, or has failed on this one call.
pub(crate) fn breaks_http2(error: &reqwest::Error) -> bool {
    use h2::Reason;
    const OF_THE_SERVER: [Reason; 5] =
        [Reason::NO_ERROR, Reason::REFUSED_STREAM, Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::CONNECT_ERROR];
    let reason = causes(error).find_map(|cause| cause.downcast_ref::<h2::Error>()).and_then(h2::Error::reason);
    reason.is_some_and(|reason| !OF_THE_SERVER.contains(&reason))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| <dyn Error>::source(*error))
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
    causes(error).last().unwrap_or(error)
}

fn is_corrupt(error: &(dyn Error + 'static)) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}
