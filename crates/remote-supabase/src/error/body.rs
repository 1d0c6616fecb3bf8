//! The body of an error response, in the formats of all servers that can send one.
//!
//! PostgREST: `{"code":"PGRST301","message":"…"}`. GoTrue: `{"code":400,"error_code":"…","msg":"…"}`, in its later
//! version `{"code":"…","message":"…"}`, in its earlier `{"error":"invalid_grant","error_description":"…"}`. Kong, and
//! its replacement at hosted Supabase: `{"message":"…"}`.

use serde_json::{Map, Value};

/// The longest code, in characters, that an error repeats.
const CODE_LIMIT: usize = 64;

/// The code and the message of an error response. Empty when the body is unreadable.
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

    /// The machine-readable code: letters, digits and underscores, so it is safe to repeat anywhere.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether the message contains these (lower-case) words. An error never repeats the message.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.message.as_deref().is_some_and(|message| message.contains(words))
    }

    /// Whether a gateway rejects the API key: "No API key found in request", "Invalid API key", "Unregistered API key",
    /// "Legacy API keys are disabled".
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
