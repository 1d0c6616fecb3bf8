//! The functions for records over raw HTTP, with what none of our clients would send.

use crate::client::{ada, ask, call, demo};
use fieldpost_devserver::{DevServer, Endpoint};
use fieldpost_remote::reference::{DEMO_ADA, ReferenceServer};
use serde_json::{Value, json};

fn id(number: u32) -> String {
    format!("0198c0de-0000-7000-8000-{number:012x}")
}

fn create(number: u32, org: &str) -> Value {
    json!({"id": id(number + 1000), "table": "workers", "record_id": id(number), "operation": "create", "org_id": org,
           "age_ms": 0, "fields": {"first_name": "Ada", "last_name": "Moss", "company": "Crane Ltd", "role": "rigger"}})
}

fn with(mut element: Value, field: &str, value: Value) -> Value {
    element[field] = value;
    element
}

/// The demo's org.
fn org(server: &DevServer) -> String {
    let ada = server.reference().person_with(DEMO_ADA);
    ada.and_then(|ada| server.reference().member(ada)).map(|member| member.org_id.to_string()).unwrap_or_default()
}

async fn push(server: &DevServer, token: &str, changes: Value) -> Vec<Value> {
    let answer = call(server, token, "fieldpost_records_push", json!({"p_changes": changes})).send().await;
    assert_eq!(answer.status, 200);
    answer.json()["results"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn elements_that_cannot_be_read_are_answered_one_by_one() {
    let server = demo().await;
    let (token, org) = (ada(&server).await, org(&server));
    let bad = |number, field: &str, value| with(create(number, &org), field, value);
    let results = push(
        &server,
        &token,
        json!([
            17,
            with(create(1, &org), "id", json!("no uuid")),
            bad(2, "table", json!(7)),
            bad(3, "table", json!("Workers; drop table workers")),
            bad(4, "record_id", json!("none")),
            bad(5, "operation", Value::Null),
            bad(6, "fields", json!([])),
            bad(7, "age_ms", json!("long")),
            bad(8, "age_ms", Value::Null),
            bad(9, "org_id", json!("none")),
            bad(10, "rule", json!("first_wins")),
            bad(11, "operation", json!("merge")),
            create(12, &org),
            // After one that cannot be read, the record waits with it.
            bad(13, "after", json!(1)),
            create(13, &org),
        ]),
    )
    .await;
    let told: Vec<_> = results.iter().map(|it| [&it["id"], &it["status"], &it["code"], &it["detail"]]).collect();
    let none = Value::Null;
    assert_eq!(told[0], [&none, &json!("refused"), &json!("bad_request"), &none]);
    assert_eq!(told[1], told[0]);
    for (index, field) in [
        (2, "table"),
        (4, "record_id"),
        (5, "operation"),
        (6, "fields"),
        (7, "age_ms"),
        (8, "age_ms"),
        (9, "org_id"),
        (10, "rule"),
        (11, "operation"),
        (13, "after"),
    ] {
        assert_eq!(told[index][1..], [&json!("refused"), &json!("bad_request"), &json!(field)], "{index}");
    }
    assert_eq!(told[3][2], "unknown_table");
    assert_eq!((told[12][1], told[14][2]), (&json!("won"), &json!("after_refused")));
}

#[tokio::test]
async fn a_result_has_the_fields_of_its_status_and_no_others() {
    let server = demo().await;
    let (token, org) = (ada(&server).await, org(&server));
    let update = |number, of: u32, age: u64| {
        json!({"id": id(number), "table": "workers", "record_id": id(of), "operation": "update", "age_ms": age,
               "fields": {"phone": "1", "weather": "rain"}})
    };
    let delete = json!({"id": id(5), "table": "workers", "record_id": id(1), "operation": "delete", "age_ms": 0});
    let results = push(&server, &token, json!([create(1, &org), update(2, 1, 60_000), update(3, 9, 0), delete])).await;
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&results[0]), ["id", "modified_at", "record_id", "status", "version"]);
    assert_eq!(names(&results[1]), ["id", "ignored", "record", "status"]);
    let record =
        ["client_id", "created_at", "fields", "id", "last_mutation_id", "modified_at", "org_id", "table", "version"];
    assert_eq!(names(&results[1]["record"]), record);
    assert_eq!(results[1]["record"]["fields"]["phone"], Value::Null, "null is a value there");
    assert_eq!((&results[1]["status"], &results[1]["ignored"]), (&json!("lost"), &json!(["weather"])));
    assert_eq!(names(&results[2]), ["id", "status"]);
    assert_eq!(names(&results[3]), ["id", "modified_at", "record_id", "status"]);
}

#[tokio::test]
async fn an_age_below_zero_counts_as_now() {
    let server = demo().await;
    let (token, org) = (ada(&server).await, org(&server));
    let before = server.reference().now();
    let results = push(&server, &token, json!([with(create(1, &org), "age_ms", json!(-86_400_000))])).await;
    let stamp: fieldpost_domain::Time = results[0]["modified_at"].as_str().unwrap().parse().unwrap();
    assert!(before <= stamp && stamp <= server.reference().now(), "{stamp}");
}

#[tokio::test]
async fn a_page_says_what_it_is() {
    let server = demo().await;
    let token = ada(&server).await;
    let pull = async |arguments| call(&server, &token, "fieldpost_records_pull", arguments).send().await.json();
    let page = pull(json!({"p_tables": ["workers", "Odd name", "none_such"]})).await;
    assert_eq!((&page["more"], &page["loading"]), (&json!(false), &json!(true)));
    assert_eq!(page["unknown_tables"], json!(["none_such", "Odd name"]));
    assert!(page.get("records").is_none() && page["epoch"].is_string(), "an empty list is left out");
    let next = pull(json!({"p_tables": ["workers"], "p_cursor": page["cursor"], "p_limit": 1, "p_bytes": 1})).await;
    assert_eq!(next["loading"], json!(false));
    let error = |code: &str, detail: &str| json!({"code": code, "detail": detail});
    let other = pull(json!({"p_tables": ["treatments"], "p_cursor": page["cursor"]})).await;
    assert_eq!(other["error"], error("cursor_expired", "tables"));
    assert_eq!(pull(json!({"p_tables": [7]})).await["error"], error("bad_request", "p_tables"));
    let none = pull(json!({"p_tables": [], "p_cursor": "x".repeat(1025)})).await;
    assert_eq!(none["error"], error("cursor_expired", "invalid"));
    assert_eq!(server.requests().count(Endpoint::RecordsPull), 5);
}

#[tokio::test]
async fn entries_of_the_audit_log_are_answered_one_by_one() {
    let server = demo().await;
    let token = ada(&server).await;
    let entry = |number| {
        json!({"id": id(number), "table": "workers", "record_id": id(1), "operation": "READ", "age_ms": 0,
               "user_id": id(99), "person_id": id(99)})
    };
    let entries = json!([entry(1), with(entry(2), "operation", Value::Null), 7, with(entry(3), "table", json!("A b"))]);
    let answer = call(&server, &token, "fieldpost_audit_push", json!({"p_entries": entries})).send().await.json();
    assert_eq!(answer["stored"], json!([id(1)]));
    let refused =
        json!([{"id": id(2), "detail": "operation"}, {"id": null, "detail": "id"}, {"id": id(3), "detail": "table"}]);
    assert_eq!(answer["refused"], refused);
    let (_, row) = server.reference().audit_log().remove(0);
    assert_eq!(Some(row.person_id), server.reference().person_with(DEMO_ADA));
}

#[tokio::test]
async fn a_character_that_no_database_stores_fails_the_whole_call() {
    let server = demo().await;
    let (token, org) = (ada(&server).await, org(&server));
    let odd = with(create(1, &org), "fields", json!({"last_name": "a\u{0}b"}));
    let answer =
        call(&server, &token, "fieldpost_records_push", json!({"p_changes": [create(2, &org), odd]})).send().await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("22P05")));
    assert_eq!(server.reference().audit_log().len(), 0);
}

#[tokio::test]
async fn a_project_without_the_functions_does_not_have_them() {
    let reference = ReferenceServer::builder().without_records().build();
    reference.add_demo();
    let server = DevServer::builder().reference(reference).start().await.unwrap();
    let token = ada(&server).await;
    for (function, argument) in [
        ("fieldpost_records_push", "p_changes"),
        ("fieldpost_records_pull", "p_tables"),
        ("fieldpost_audit_push", "p_entries"),
    ] {
        let answer = call(&server, &token, function, json!({argument: []})).send().await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("PGRST202")), "{function}");
    }
}

#[tokio::test]
async fn a_function_that_writes_is_not_called_by_get() {
    let server = demo().await;
    let token = ada(&server).await;
    for function in ["fieldpost_records_push", "fieldpost_audit_push"] {
        let answer = ask(&server, "GET", &format!("/rest/v1/rpc/{function}")).bearer(&token).send().await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (405, Some("25006")), "{function}");
    }
}
