//! GoTrue's refusals, in both formats: clients that send `X-Supabase-Api-Version: 2024-01-01` or newer get the error
//! code in `code`; for older clients that field holds the status.

use crate::json::json_response;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use serde_json::json;

const VERSION_HEADER: &str = "x-supabase-api-version";
const CODES_SINCE: &str = "2024-01-01";

/// A refusal.
#[derive(Debug, Clone, Copy)]
pub(super) struct AuthError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

impl AuthError {
    pub(super) const fn bad_request(code: &'static str, message: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message }
    }

    /// The response, in the format that the request asks for.
    pub(super) fn respond(self, request: &HeaderMap) -> Response {
        let Self { status, code, message } = self;
        let version = request.get(VERSION_HEADER).and_then(|value| value.to_str().ok());
        let newer = version.is_some_and(|version| version >= CODES_SINCE);
        let body = match newer {
            true => json!({"code": code, "message": message}),
            false => json!({"code": status.as_u16(), "error_code": code, "msg": message}),
        };
        let mut response = json_response(status, &body);
        if newer {
            let name = HeaderName::from_static(VERSION_HEADER);
            response.headers_mut().insert(name, HeaderValue::from_static(CODES_SINCE));
        }
        response.headers_mut().insert("x-sb-error-code", HeaderValue::from_static(code));
        response
    }
}
