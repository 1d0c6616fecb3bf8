//! PostgREST's refusals.

use crate::json::json_response;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

/// A refusal with a body in PostgREST's format.
#[derive(Debug, Clone)]
pub(super) struct RestError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Option<String>,
    challenge: Option<&'static str>,
}

impl RestError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None, challenge: None }
    }

    fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The schema cache does not have the function, or not with these arguments.
    pub(super) fn no_function(function: &str, arguments: &[String]) -> Self {
        let list = arguments.join(", ");
        let searched = match arguments {
            [] => "without parameters".to_owned(),
            [one] => format!("with parameter {one}"),
            _ => format!("with parameters {list}"),
        };
        let call = if arguments.is_empty() { String::new() } else { format!("({list})") };
        Self::new(
            StatusCode::NOT_FOUND,
            "PGRST202",
            format!("Could not find the function public.{function}{call} in the schema cache"),
        )
        .with_details(format!(
            "Searched for the function public.{function} {searched} or with a single unnamed json/jsonb parameter, \
             but no matches were found in the schema cache."
        ))
    }

    pub(super) fn no_table(table: &str) -> Self {
        let message = format!("Could not find the table 'public.{table}' in the schema cache");
        Self::new(StatusCode::NOT_FOUND, "PGRST205", message)
    }

    pub(super) fn bad_body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "PGRST102", "Empty or invalid json")
    }

    /// PostgreSQL's error for a value of the wrong type.
    pub(super) fn bad_value(kind: &str, value: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "22P02", format!("invalid input syntax for type {kind}: \"{value}\""))
    }

    /// PostgreSQL's error for U+0000 in `jsonb`.
    pub(super) fn nul() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "22P05", "unsupported Unicode escape sequence")
            .with_details("\\u0000 cannot be converted to text.")
    }

    /// A call without a signed-in user; the function itself refuses it.
    pub(super) fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "PT401", "not signed in")
    }

    pub(super) fn token_expired() -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "PGRST303", "JWT expired");
        error.challenge = Some("Bearer error=\"invalid_token\", error_description=\"JWT expired\"");
        error
    }

    pub(super) fn bad_token(parts: usize) -> Self {
        let message = match parts {
            3 => "No suitable key or wrong key type".to_owned(),
            parts => format!("Expected 3 parts in JWT; got {parts}"),
        };
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "PGRST301", message);
        error.challenge =
            Some("Bearer error=\"invalid_token\", error_description=\"JWT cryptographic operation failed\"");
        error
    }

    pub(super) fn respond(self) -> Response {
        let Self { status, code, message, details, challenge } = self;
        let body = json!({"code": code, "details": details, "hint": null, "message": message});
        let mut response = json_response(status, &body);
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
