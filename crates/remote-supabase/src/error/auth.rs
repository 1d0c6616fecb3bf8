//! GoTrue's refusals, by error code.
//!
//! Ending a session signs a person out of the app, perhaps where she cannot sign in again. So only GoTrue itself can do
//! it: with a code from the list below. A gateway's 401 (these requests carry no token, so only the API key can be
//! wrong), a rate limiter, a timeout, two concurrent refreshes or an unknown code never ends a session.

use super::{body::ErrorBody, common, describe, with_retry_after};
use crate::http::Reply;
use fieldpost_remote::{RemoteError, RemoteErrorKind};

/// GoTrue's codes for a refresh token that is no longer valid. It answers `validation_failed` to a token that is newer
/// than its own database (restored from a backup). `bad_jwt` and `no_authorization` cannot occur here.
const ENDED: [&str; 8] = [
    "refresh_token_not_found",
    "refresh_token_already_used",
    "session_not_found",
    "session_expired",
    "user_not_found",
    "user_banned",
    "validation_failed",
    "invalid_grant",
];

/// Codes for a wrong address or password. An empty field gives `validation_failed`.
const WRONG: [&str; 5] =
    ["invalid_credentials", "invalid_grant", "user_not_found", "validation_failed", "email_address_invalid"];

/// Codes for "try again later", whatever the status: a project's hook that hangs gives 422, two concurrent refreshes
/// give 409.
const LATER: [&str; 5] =
    ["hook_timeout", "hook_timeout_after_retry", "request_timeout", "unexpected_failure", "conflict"];

const LIMITED: [&str; 3] = ["over_request_rate_limit", "over_email_send_rate_limit", "over_sms_send_rate_limit"];

/// Classifies a refused sign-in.
pub(crate) fn sign_in(operation: &'static str, reply: &Reply) -> RemoteError {
    let body = ErrorBody::parse(&reply.body);
    classify(operation, reply, &body, |code| {
        // Older versions of GoTrue, without error codes, distinguish these two only by the message.
        let unconfirmed = code == "invalid_grant" && body.says("not confirmed");
        match WRONG.contains(&code) && !unconfirmed {
            true => RemoteErrorKind::WrongCredentials,
            // email_not_confirmed, user_banned, captcha_failed, email_provider_disabled …: the code is the best
            // explanation.
            false => RemoteErrorKind::BadRequest,
        }
    })
}

/// Classifies a refused refresh.
pub(crate) fn refresh(operation: &'static str, reply: &Reply) -> RemoteError {
    let body = ErrorBody::parse(&reply.body);
    classify(operation, reply, &body, |code| match ENDED.contains(&code) {
        true => RemoteErrorKind::SessionEnded,
        false => RemoteErrorKind::Other,
    })
}

/// Classifies a refused sign-out; none when the session has already ended, as intended.
pub(crate) fn sign_out(operation: &'static str, reply: &Reply) -> Option<RemoteError> {
    let body = ErrorBody::parse(&reply.body);
    let gone = matches!(reply.status.as_u16(), 401 | 403 | 404) && !body.names_api_key() && !reply.html;
    if gone {
        return None;
    }
    Some(classify(operation, reply, &body, |_| RemoteErrorKind::Other))
}

fn classify(
    operation: &'static str,
    reply: &Reply,
    body: &ErrorBody,
    by_code: impl Fn(&str) -> RemoteErrorKind,
) -> RemoteError {
    use RemoteErrorKind::{BadRequest, NotFieldpost, RateLimited, Unavailable, WrongApiKey};
    if let Some(error) = common(operation, reply, body) {
        return error;
    }
    let kind = match (body.code(), reply.status.as_u16()) {
        (Some(code), _) if LATER.contains(&code) => Unavailable,
        (Some(code), _) if LIMITED.contains(&code) => RateLimited,
        (Some(code), _) => by_code(code),
        (None, 401 | 403) => WrongApiKey,
        (None, 404) => NotFieldpost,
        (None, 409) => Unavailable,
        (None, _) => BadRequest,
    };
    with_retry_after(RemoteError::new(kind, operation).with_detail(describe(reply.status, body)), reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            html: body.starts_with('<'),
            json: body.starts_with('{'),
            date: None,
            retry_after: None,
            body: body.as_bytes().to_vec(),
            took: std::time::Duration::ZERO,
        }
    }

    fn coded(status: u16, code: &str) -> Reply {
        reply(status, &format!(r#"{{"code":{status},"error_code":"{code}","msg":"secret words"}}"#))
    }

    #[test]
    fn a_session_ends_only_by_a_code_that_says_so() {
        for code in ENDED {
            assert_eq!(refresh("refresh", &coded(400, code)).kind(), RemoteErrorKind::SessionEnded, "{code}");
            assert_eq!(refresh("refresh", &coded(503, code)).kind(), RemoteErrorKind::Unavailable, "{code}");
            assert_eq!(refresh("refresh", &coded(429, code)).kind(), RemoteErrorKind::RateLimited, "{code}");
        }
        let old = r#"{"error":"invalid_grant","error_description":"Invalid Refresh Token: Already Used"}"#;
        assert_eq!(refresh("refresh", &reply(400, old)).kind(), RemoteErrorKind::SessionEnded);
        let new = r#"{"code":"session_expired","message":"Invalid Refresh Token: Session Expired"}"#;
        assert_eq!(refresh("refresh", &reply(400, new)).kind(), RemoteErrorKind::SessionEnded);
    }

    #[test]
    fn everything_else_on_refresh_keeps_the_session() {
        use RemoteErrorKind::*;
        for (reply, kind) in [
            (coded(409, "conflict"), Unavailable),
            (coded(422, "hook_timeout"), Unavailable),
            (coded(500, "unexpected_failure"), Unavailable),
            (coded(504, "request_timeout"), TimedOut),
            (coded(429, "over_request_rate_limit"), RateLimited),
            (coded(400, "something_new"), Other),
            (reply(401, r#"{"message":"Invalid API key"}"#), WrongApiKey),
            (reply(401, r#"{"message":"Unauthorized"}"#), WrongApiKey),
            (reply(403, "<html>"), Unavailable),
            (reply(400, "{}"), BadRequest),
            (reply(404, "{}"), NotFieldpost),
            (reply(404, "<html>"), Intercepted),
            (reply(302, ""), Intercepted),
            (reply(502, "<html>"), Unavailable),
            (reply(500, ""), Unavailable),
        ] {
            let error = refresh("refresh", &reply);
            assert_eq!(error.kind(), kind, "{reply:?}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_wrong_password_is_told_from_an_account_that_may_not_sign_in() {
        use RemoteErrorKind::*;
        for (reply, kind) in [
            (coded(400, "invalid_credentials"), WrongCredentials),
            (coded(400, "validation_failed"), WrongCredentials),
            (
                reply(400, r#"{"error":"invalid_grant","error_description":"Invalid login credentials"}"#),
                WrongCredentials,
            ),
            (reply(400, r#"{"error":"invalid_grant","error_description":"Email not confirmed"}"#), BadRequest),
            (coded(400, "email_not_confirmed"), BadRequest),
            (coded(403, "user_banned"), BadRequest),
            (coded(429, "over_request_rate_limit"), RateLimited),
            (coded(500, "unexpected_failure"), Unavailable),
            (reply(401, r#"{"message":"No API key found in request"}"#), WrongApiKey),
        ] {
            assert_eq!(sign_in("sign_in", &reply).kind(), kind, "{reply:?}");
        }
    }

    #[test]
    fn signing_out_of_a_session_that_is_gone_is_a_success() {
        for reply in [coded(403, "session_not_found"), coded(401, "no_authorization"), coded(404, "user_not_found")] {
            assert!(sign_out("sign_out", &reply).is_none(), "{reply:?}");
        }
        let wrong_key = reply(401, r#"{"message":"Invalid API key"}"#);
        assert_eq!(sign_out("sign_out", &wrong_key).map(|error| error.kind()), Some(RemoteErrorKind::WrongApiKey));
        assert_eq!(
            sign_out("sign_out", &coded(500, "unexpected_failure")).map(|error| error.kind()),
            Some(RemoteErrorKind::Unavailable)
        );
    }
}
