//! GoTrue's endpoints.

use crate::client::{ask, demo, sign_in};
use fieldpost_devserver::DevServer;
use fieldpost_remote::reference::DEMO_ADA;
use serde_json::{Value, json};

async fn refresh(server: &DevServer, token: &Value) -> (u16, Value) {
    let body = json!({"refresh_token": token});
    let answer = ask(server, "POST", "/auth/v1/token?grant_type=refresh_token").json(&body).send().await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn signing_in_answers_a_session() {
    let server = demo().await;
    let session = sign_in(&server, DEMO_ADA).await;
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3600);
    assert!(session["expires_at"].is_i64());
    assert_eq!(session["user"]["email"], DEMO_ADA);
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(token.split('.').count(), 3);

    let user = ask(&server, "GET", "/auth/v1/user").bearer(token).send().await;
    assert_eq!((user.status, &user.json()["id"]), (200, &session["user"]["id"]));
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_both_shapes() {
    let server = demo().await;
    let body = json!({"email": DEMO_ADA, "password": "wrong"});
    let path = "/auth/v1/token?grant_type=password";
    let older = ask(&server, "POST", path).json(&body).send().await;
    assert_eq!(older.status, 400);
    let expected = json!({"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"});
    assert_eq!(older.json(), expected);
    let newer = ask(&server, "POST", path).with("x-supabase-api-version", "2024-01-01").json(&body).send().await;
    assert_eq!(newer.json(), json!({"code": "invalid_credentials", "message": "Invalid login credentials"}));
}

#[tokio::test]
async fn refresh_tokens_rotate_and_the_parent_still_answers_the_active_one() {
    let server = demo().await;
    let first = sign_in(&server, DEMO_ADA).await["refresh_token"].clone();
    let (_, second) = refresh(&server, &first).await;
    assert_ne!(second["refresh_token"], first);
    let (status, again) = refresh(&server, &first).await;
    assert_eq!((status, &again["refresh_token"]), (200, &second["refresh_token"]));

    let (_, third) = refresh(&server, &second["refresh_token"]).await;
    let (status, refused) = refresh(&server, &first).await;
    assert_eq!((status, &refused["error_code"]), (400, &json!("refresh_token_already_used")));
    let (status, ended) = refresh(&server, &third["refresh_token"]).await;
    assert_eq!((status, &ended["error_code"]), (400, &json!("refresh_token_not_found")));
}

#[tokio::test]
async fn after_signing_out_the_session_is_gone() {
    let server = demo().await;
    let session = sign_in(&server, DEMO_ADA).await;
    let token = session["access_token"].as_str().unwrap();
    let out = ask(&server, "POST", "/auth/v1/logout?scope=local").bearer(token).send().await;
    assert_eq!((out.status, out.body.len()), (204, 0));
    assert_eq!(refresh(&server, &session["refresh_token"]).await.0, 400);
    let user = ask(&server, "GET", "/auth/v1/user").bearer(token).send().await;
    assert_eq!((user.status, &user.json()["error_code"]), (403, &json!("session_not_found")));
}

#[tokio::test]
async fn malformed_sign_ins_are_bad_requests() {
    let server = demo().await;
    for (path, body) in [
        ("/auth/v1/token?grant_type=password", "{"),
        ("/auth/v1/token?grant_type=password", "{}"),
        ("/auth/v1/token?grant_type=refresh_token", "{}"),
        ("/auth/v1/token?grant_type=magic", "{}"),
        ("/auth/v1/token", "{}"),
    ] {
        assert_eq!(ask(&server, "POST", path).body(body).send().await.status, 400, "{path} {body}");
    }
}
