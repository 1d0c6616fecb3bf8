//! The body of a refusal, in the dialects of the servers that can send one.
//!
//! PostgREST: `{"code":"PGRST301","message":"…"}`. GoTrue: `{"code":400,"error_code":"…","msg":"…"}`, in its later version
//! `{"code":"…","message":"…"}`, in its earlier `{"error":"invalid_grant","error_description":"…"}`. Kong and what hosted
//! Supabase puts in its place: `{"message":"…"}`.

use serde_json::{Map, Value};

/// The most characters of a code that are repeated in an error.
const CODE_LIMIT: usize = 64;

/// What a refusal says. Empty when the body says nothing that can be read.
#[derive(Debug, Default)]
pub(crate) struct ErrorBody {
    code: Option<String>,
    message: Option<String>,
}

impl ErrorBody {
    pub(crate) fn parse(body: &[u8]) -> Self {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Self::default() };
        let code =
            ["error_code", "code", "error"].iter().find_map(|name| text(&fields, name)).filter(|code| is_code(code));
        let message = ["message", "msg", "error_description"].iter().find_map(|name| text(&fields, name));
        Self { code: code.map(str::to_owned), message: message.map(str::to_lowercase) }
    }

    /// The code for programs: letters, digits and underscores, so that it can be repeated anywhere.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether the message has these (lower-case) words. They are never repeated.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.message.as_deref().is_some_and(|message| message.contains(words))
    }

    /// Whether a gateway complains about the API key: "No API key found in request", "Invalid API key", "Unregistered API
    /// key", "Legacy API keys are disabled".
    pub(crate) fn names_api_key(&self) -> bool {
        self.says("api key")
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= CODE_LIMIT
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_every_dialect() {
        for (body, code) in [
            (r#"{"code":"PGRST301","message":"JWT expired"}"#, Some("PGRST301")),
            (
                r#"{"code":400,"error_code":"invalid_credentials","msg":"Invalid login credentials"}"#,
                Some("invalid_credentials"),
            ),
            (r#"{"code":"session_expired","message":"…"}"#, Some("session_expired")),
            (r#"{"error":"invalid_grant","error_description":"Invalid Refresh Token"}"#, Some("invalid_grant")),
            (r#"{"code":400}"#, None),
            (r#"{"code":"<script>"}"#, None),
            ("[]", None),
            ("<html>", None),
        ] {
            assert_eq!(ErrorBody::parse(body.as_bytes()).code(), code, "{body}");
        }
    }
}
