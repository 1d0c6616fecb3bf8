//! Requests that are refused before any function runs.

use crate::client::{ada, ask, call, demo};
use fieldpost_devserver::DevServer;
use fieldpost_remote::reference::DEMO_ADA;
use serde_json::json;

#[tokio::test]
async fn a_request_without_the_api_key_is_refused_by_the_gateway() {
    let server = demo().await;
    let missing = ask(&server, "POST", "/rest/v1/rpc/fieldpost_pull").without("apikey").send().await;
    assert_eq!((missing.status, &missing.json()["message"]), (401, &json!("No API key found in request")));
    let wrong = ask(&server, "POST", "/auth/v1/token?grant_type=password").with("apikey", "nonsense").send().await;
    assert_eq!((wrong.status, &wrong.json()["message"]), (401, &json!("Invalid API key")));
}

#[tokio::test]
async fn the_anonymous_key_alone_is_not_signed_in() {
    let server = demo().await;
    let key = server.anon_key().to_owned();
    let arguments = json!({"p_protocol": 1, "p_app": "t", "p_capabilities": []});
    let path = "/rest/v1/rpc/fieldpost_bootstrap";
    for request in [ask(&server, "POST", path), ask(&server, "POST", path).bearer(&key)] {
        let answer = request.json(&arguments).send().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["code"], "PT401");
        assert_eq!(answer.json()["message"], "not signed in");
    }
}

#[tokio::test]
async fn a_bad_or_expired_token_is_never_served_as_anon() {
    let server = demo().await;
    let bad = call(&server, "abc", "fieldpost_bootstrap", json!({})).send().await;
    assert_eq!((bad.status, &bad.json()["code"]), (401, &json!("PGRST301")));
    assert!(bad.header("www-authenticate").is_some());

    let token = ada(&server).await;
    server.reference().expire_tokens(server.reference().person_with(DEMO_ADA).unwrap());
    let expired = call(&server, &token, "fieldpost_bootstrap", json!({})).send().await;
    assert_eq!((expired.status, &expired.json()["code"]), (401, &json!("PGRST303")));
    assert_eq!(expired.json()["message"], "JWT expired");
    assert!(expired.header("www-authenticate").unwrap().contains("JWT expired"));
}

#[tokio::test]
async fn an_unknown_function_or_argument_is_not_in_the_schema_cache() {
    let server = demo().await;
    let token = ada(&server).await;
    for (function, arguments) in [
        ("fieldpost_teleport", json!({})),
        ("fieldpost_pull", json!({})),
        ("fieldpost_bootstrap", json!({"p_limt": 5})),
    ] {
        let answer = call(&server, &token, function, arguments).send().await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("PGRST202")));
        assert!(answer.json()["message"].as_str().unwrap().contains(&format!("public.{function}(")));
    }
    let table = ask(&server, "GET", "/rest/v1/nothing").bearer(&token).send().await;
    assert_eq!((table.status, &table.json()["code"]), (404, &json!("PGRST205")));
}

#[tokio::test]
async fn functions_are_called_by_post_with_json() {
    let server = demo().await;
    let token = ada(&server).await;
    let get = ask(&server, "GET", "/rest/v1/rpc/fieldpost_pull").bearer(&token).send().await;
    assert_eq!(get.status, 405);
    let text = call(&server, &token, "fieldpost_bootstrap", json!({})).with("content-type", "text/csv").send().await;
    assert_eq!((text.status, &text.json()["code"]), (415, &json!("PGRST107")));
    let cut = ask(&server, "POST", "/rest/v1/rpc/fieldpost_pull").bearer(&token).body("{\"p_cur").send().await;
    assert_eq!((cut.status, &cut.json()["code"]), (400, &json!("PGRST102")));
}

#[tokio::test]
async fn arguments_of_the_wrong_type_are_postgres_errors() {
    let server = demo().await;
    let token = ada(&server).await;
    for (function, arguments) in [
        ("fieldpost_history", json!({"p_conversation": "abc"})),
        ("fieldpost_bootstrap", json!({"p_limit": "many"})),
        ("fieldpost_push", json!({"p_mutations": {}})),
    ] {
        let answer = call(&server, &token, function, arguments).send().await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("22P02")));
    }
    let nul = call(&server, &token, "fieldpost_push", json!({"p_mutations": [{"a\0": 1}]})).send().await;
    assert_eq!((nul.status, &nul.json()["code"]), (400, &json!("22P05")));
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused() {
    let server = DevServer::builder().body_limit(1000).start().await.unwrap();
    let answer = ask(&server, "POST", "/rest/v1/rpc/fieldpost_pull").body(&"x".repeat(2000)).send().await;
    assert_eq!(answer.status, 413);
}
