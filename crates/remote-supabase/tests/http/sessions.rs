//! Signing in, refreshing, signing out.

use crate::support::{ANON_KEY, Act, Answer, Server, token};
use chrono::{DateTime, TimeZone, Utc};
use fieldpost_domain::RefreshToken;
use fieldpost_remote::{Auth, Credentials, RemoteErrorKind};
use fieldpost_remote_supabase::SupabaseRemote;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const PERSON: &str = "0198c0de-0000-7000-8000-00000000000a";

fn credentials() -> Credentials {
    Credentials { email: " ada@site.example ".to_owned(), password: " pass word-secret ".into() }
}

fn session(more: Value) -> Value {
    let mut session = json!({"access_token": "access-secret", "token_type": "bearer", "expires_in": 3600,
        "refresh_token": "refresh-secret", "user": {"id": PERSON, "email": "ada@site.example", "role": "authenticated"}});
    session.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    session
}

#[tokio::test]
async fn signing_in_gives_a_session() {
    let server = Server::start().await;
    server.sign_in().replies(&session(json!({"expires_at": 1_769_847_300})));
    let session = server.remote().sign_in(&credentials()).await.unwrap();
    assert_eq!(session.person_id.to_string(), PERSON);
    assert_eq!(session.email.as_deref(), Some("ada@site.example"));
    assert_eq!((session.access_token.reveal(), session.refresh_token.reveal()), ("access-secret", "refresh-secret"));
    assert_eq!(session.expires_at.timestamp(), 1_769_847_300);

    let request = &server.requests()[0];
    assert_eq!(request.body, json!({"email": "ada@site.example", "password": " pass word-secret "}));
    assert_eq!(request.headers["apikey"], ANON_KEY);
    assert!(!request.headers.contains_key("authorization"));
}

#[tokio::test]
async fn refreshing_gives_a_session() {
    let server = Server::start().await;
    server.refresh().replies(&session(json!({"expires_at": 5})));
    server.remote().refresh(&RefreshToken::new("old-secret")).await.unwrap();
    assert_eq!(server.requests()[0].body, json!({"refresh_token": "old-secret"}));
}

#[tokio::test]
async fn expiry_is_by_the_servers_word_and_only_then_by_the_device() {
    let date = "Sat, 31 Jan 2026 08:15:00 GMT";
    let server_now = DateTime::parse_from_rfc2822(date).unwrap().timestamp();
    let device_now = Utc.timestamp_opt(1_000_000, 0).unwrap();
    let server = Server::start().await;
    let remote = SupabaseRemote::new(server.config().with_clock(move || device_now)).unwrap();
    for (body, date, expires_at) in [
        (session(json!({"expires_at": 77})), Some(date), 77),
        (session(json!({})), Some(date), server_now + 3600),
        (session(json!({"expires_in": 60})), None, 1_000_060),
        (session(json!({"expires_in": null})), None, 1_003_600),
        (session(json!({"expires_in": -5})), None, 1_000_000),
    ] {
        let mut answer = Answer::new(200, "application/json", body.to_string());
        if let Some(date) = date {
            answer = answer.with_header("date", date);
        }
        server.refresh().does(Act::Answer(answer));
        let session = remote.refresh(&RefreshToken::new("old")).await.unwrap();
        assert_eq!(session.expires_at.timestamp(), expires_at, "{body}");
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_malformed_and_not_repeated() {
    let server = Server::start().await;
    let remote = server.remote();
    for body in [
        session(json!({"access_token": ""})),
        session(json!({"refresh_token": null})),
        session(json!({"user": {"id": "secret"}})),
        session(json!({"user": null})),
        session(json!({"expires_at": i64::MAX})),
        session(json!({"expires_in": "secret"})),
        json!(["secret"]),
    ] {
        server.sign_in().replies(&body);
        let error = remote.sign_in(&credentials()).await.unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Malformed, "{body}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    server.sign_in().raw(200, "text/html", "<html>");
    assert_eq!(remote.sign_in(&credentials()).await.unwrap_err().kind(), RemoteErrorKind::Intercepted);
}

#[tokio::test]
async fn a_person_without_an_address_can_sign_in() {
    let server = Server::start().await;
    server.sign_in().replies(&session(json!({"user": {"id": PERSON, "email": ""}})));
    assert_eq!(server.remote().sign_in(&credentials()).await.unwrap().email, None);
}

#[tokio::test]
async fn refusals_on_sign_in() {
    use RemoteErrorKind::*;
    let server = Server::start().await;
    let remote = server.remote();
    for (status, body, kind) in [
        (400, json!({"code": 400, "error_code": "invalid_credentials", "msg": "secret"}), WrongCredentials),
        (400, json!({"error": "invalid_grant", "error_description": "secret"}), WrongCredentials),
        (400, json!({"code": 400, "error_code": "email_not_confirmed", "msg": "secret"}), BadRequest),
        (401, json!({"message": "Invalid API key"}), WrongApiKey),
        (429, json!({"code": 429, "error_code": "over_request_rate_limit", "msg": "secret"}), RateLimited),
        (500, json!({"code": 500, "error_code": "unexpected_failure", "msg": "secret"}), Unavailable),
        (404, json!({"message": "no Route matched with those values"}), NotFieldpost),
    ] {
        server.sign_in().refuses(status, &body);
        let error = remote.sign_in(&credentials()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn only_gotrue_ends_a_session() {
    use RemoteErrorKind::*;
    let server = Server::start().await;
    let remote = server.remote();
    for (status, body, kind) in [
        (400, json!({"code": 400, "error_code": "refresh_token_not_found", "msg": "…"}), SessionEnded),
        (400, json!({"error": "invalid_grant", "error_description": "…"}), SessionEnded),
        (503, json!({"code": 503, "error_code": "refresh_token_not_found", "msg": "…"}), Unavailable),
        (429, json!({"error": "invalid_grant"}), RateLimited),
        (401, json!({"message": "Unauthorized"}), WrongApiKey),
        (409, json!({"code": 409, "error_code": "conflict", "msg": "…"}), Unavailable),
    ] {
        server.refresh().refuses(status, &body);
        assert_eq!(remote.refresh(&RefreshToken::new("old")).await.unwrap_err().kind(), kind, "{status} {body}");
    }
    server.refresh().does(Act::Close);
    assert_eq!(remote.refresh(&RefreshToken::new("old")).await.unwrap_err().kind(), Interrupted);
}

#[tokio::test]
async fn signing_out_ends_this_session_only_and_twice_is_no_error() {
    let server = Server::start().await;
    let remote = server.remote();
    for (status, body) in [
        (204, ""),
        (403, r#"{"code":403,"error_code":"session_not_found","msg":"…"}"#),
        (401, r#"{"code":401,"error_code":"no_authorization","msg":"…"}"#),
        (404, r#"{"code":404,"error_code":"user_not_found","msg":"…"}"#),
    ] {
        server.sign_out().raw(status, "application/json", body);
        remote.sign_out(&token()).await.unwrap();
    }
    server.sign_out().raw(503, "text/html", "<html>");
    assert_eq!(remote.sign_out(&token()).await.unwrap_err().kind(), RemoteErrorKind::Unavailable);
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/auth/v1/logout?scope=local"));
    assert_eq!(request.headers["authorization"], "Bearer access-token-secret");
}
