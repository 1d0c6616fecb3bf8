//! Refusals of a whole call, in `error` of the envelope.

use fieldpost_remote::{ExpiredReason, RemoteError, RemoteErrorKind};

/// The longest part of a server's detail, in characters, that an error repeats.
const DETAIL_LIMIT: usize = 200;

/// Classifies a code of the protocol. `detail` names an argument or a reason and holds no content (docs/protocol.md).
pub(crate) fn classify(operation: &'static str, code: &str, detail: Option<&str>) -> RemoteError {
    let kind = match code {
        "client_too_old" => RemoteErrorKind::ClientTooOld,
        "cursor_expired" => RemoteErrorKind::CursorExpired(expired(detail)),
        "not_found" => RemoteErrorKind::NotFound,
        "forbidden" => RemoteErrorKind::Forbidden,
        "too_large" => RemoteErrorKind::TooLarge,
        "bad_request" => RemoteErrorKind::BadRequest,
        _ => RemoteErrorKind::Other,
    };
    let code = clip(code);
    let text = detail.map_or_else(|| code.clone(), |detail| format!("{code}: {}", clip(detail)));
    RemoteError::new(kind, operation).with_detail(text)
}

fn expired(detail: Option<&str>) -> ExpiredReason {
    match detail {
        Some("epoch") => ExpiredReason::Epoch,
        Some("access") => ExpiredReason::Access,
        Some("compacted") => ExpiredReason::Compacted,
        Some("tables") => ExpiredReason::Tables,
        _ => ExpiredReason::Invalid,
    }
}

fn clip(text: &str) -> String {
    text.chars().take(DETAIL_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_protocol() {
        use RemoteErrorKind::*;
        for (code, detail, kind) in [
            ("client_too_old", None, ClientTooOld),
            ("cursor_expired", Some("epoch"), CursorExpired(ExpiredReason::Epoch)),
            ("cursor_expired", Some("access"), CursorExpired(ExpiredReason::Access)),
            ("cursor_expired", Some("compacted"), CursorExpired(ExpiredReason::Compacted)),
            ("cursor_expired", Some("tables"), CursorExpired(ExpiredReason::Tables)),
            ("cursor_expired", Some("invalid"), CursorExpired(ExpiredReason::Invalid)),
            ("cursor_expired", Some("tuesday"), CursorExpired(ExpiredReason::Invalid)),
            ("cursor_expired", None, CursorExpired(ExpiredReason::Invalid)),
            ("not_found", None, NotFound),
            ("forbidden", None, Forbidden),
            ("too_large", Some("push_rows"), TooLarge),
            ("bad_request", Some("p_cursor"), BadRequest),
            ("a_new_code", Some("why"), Other),
        ] {
            let error = classify("pull", code, detail);
            assert_eq!(error.kind(), kind, "{code} {detail:?}");
            assert!(error.detail().is_some_and(|text| text.starts_with(code)), "{error}");
        }
    }

    #[test]
    fn a_detail_is_clipped_to_one_short_line() {
        let error = classify("push", "bad_request", Some(&"x\n".repeat(1000)));
        assert!(error.detail().is_some_and(|text| text.len() < 250 && !text.contains('\n')));
    }
}
