//! The result of a function.

use super::error::RestError;
use fieldpost_remote::{ExpiredReason, RemoteError, RemoteErrorKind};
use serde_json::Value;

/// The result of a function: its part of the response, or a refusal of the whole call.
pub(super) type Answer = Result<Value, Refused>;

/// Why a call has no result.
pub(super) enum Refused {
    /// PostgREST or PostgreSQL does not run the function.
    Rest(RestError),
    /// The function ran and refused the call: `error` in the envelope.
    Protocol { code: &'static str, detail: Option<String> },
}

impl From<RestError> for Refused {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

impl Refused {
    pub(super) fn bad_request(argument: &str) -> Self {
        Self::Protocol { code: "bad_request", detail: Some(argument.to_owned()) }
    }
}

impl From<RemoteError> for Refused {
    fn from(error: RemoteError) -> Self {
        let (code, detail) = match error.kind() {
            RemoteErrorKind::Unauthorized => return Self::Rest(RestError::token_expired()),
            RemoteErrorKind::ClientTooOld => ("client_too_old", None),
            RemoteErrorKind::CursorExpired(reason) => ("cursor_expired", Some(expired(reason))),
            RemoteErrorKind::NotFound => ("not_found", None),
            RemoteErrorKind::Forbidden => ("forbidden", None),
            RemoteErrorKind::TooLarge => ("too_large", None),
            _ => ("bad_request", error.detail()),
        };
        Self::Protocol { code, detail: detail.map(str::to_owned) }
    }
}

const fn expired(reason: ExpiredReason) -> &'static str {
    match reason {
        ExpiredReason::Epoch => "epoch",
        ExpiredReason::Access => "access",
        ExpiredReason::Compacted => "compacted",
        ExpiredReason::Tables => "tables",
        _ => "invalid",
    }
}
