//! JSON bodies.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::borrow::Cow;

/// A response with a JSON body. Every type used here has a JSON form.
pub(crate) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// The deepest nesting to keep; deeper values are cut out of a body. PostgreSQL reads thousands of levels, but readers
/// here stop at 128, and a single value must not fail a whole batch. The cut is still far above the limit of a row.
const KEPT_DEPTH: usize = 100;

/// Cuts a JSON text at [`KEPT_DEPTH`]; one that is not as deep stays as it is.
pub(crate) fn without_the_deepest(body: &[u8]) -> Cow<'_, [u8]> {
    let (mut kept, mut depth, mut in_text, mut escaped) = (Vec::new(), 0_usize, false, false);
    let mut deepest = 0;
    for &byte in body {
        let structural = !in_text && !escaped;
        let closes = structural && matches!(byte, b'}' | b']');
        depth += usize::from(structural && matches!(byte, b'{' | b'['));
        deepest = deepest.max(depth);
        if depth <= KEPT_DEPTH {
            kept.push(byte);
        } else if closes && depth == KEPT_DEPTH + 1 {
            kept.extend_from_slice(b"null");
        }
        depth = depth.saturating_sub(usize::from(closes));
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
    }
    if deepest > KEPT_DEPTH { Cow::Owned(kept) } else { Cow::Borrowed(body) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn what_is_too_deep_to_be_read_is_cut_and_the_rest_stays() {
        let deep = format!(r#"{{"a":{}1{},"b":"[\"{{"}}"#, "[".repeat(5_000), "]".repeat(5_000));
        let read: Value = serde_json::from_slice(&without_the_deepest(deep.as_bytes())).unwrap();
        assert_eq!(read["b"], "[\"{");
        assert!(read["a"].is_array());
        let flat = br#"{"a":[[1]]}"#;
        assert_eq!(&*without_the_deepest(flat), flat);
    }
}
