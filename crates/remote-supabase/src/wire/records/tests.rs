//! Good, unusual and unreadable answers.

use super::{answer, audit, page, request, result};
use crate::http::Reply;
use fieldpost_domain::{
    RetryCode, Version,
    records::{
        AuditOperation, ConflictRule, Fields, Modified, RecordOperation, RecordOutcome, RecordPage, RecordRefusalCode,
        TableName,
    },
};
use fieldpost_remote::{AuditAnswer, OutgoingAudit, OutgoingRecord, RecordPushAnswer, RemoteErrorKind, RemoteResult};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

const A: &str = "0198c0de-0000-7000-8000-00000000000a";
const B: &str = "0198c0de-0000-7000-8000-00000000000b";
const C: &str = "0198c0de-0000-7000-8000-00000000000c";
const T: &str = "2026-01-31T08:15:00.123456+00:00";

fn read(fields: Value) -> RemoteResult<answer::Read> {
    let mut body = json!({"protocol": 1, "min_protocol": 1, "server_time": T});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let (html, json, date, retry_after) = (false, true, None, None);
    let body = body.to_string().into_bytes();
    answer::read(
        "pull_records",
        &Reply { status: StatusCode::OK, html, json, date, retry_after, body, took: Duration::ZERO },
    )
}

fn pulled(fields: Value) -> RemoteResult<RecordPage> {
    let mut page = json!({"cursor": "c", "more": false, "loading": false});
    page.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    page::pull("pull_records", read(page)?)
}

fn row() -> Value {
    json!({"table": "visits", "id": A, "client_id": B, "org_id": C, "version": 3, "created_at": T, "modified_at": T,
           "last_mutation_id": B, "fields": {"site": "Hall A", "minutes": null}})
}

fn with(mut row: Value, field: &str, value: Value) -> Value {
    row[field] = value;
    row
}

fn table() -> TableName {
    TableName::new("visits").unwrap()
}

fn update() -> OutgoingRecord {
    OutgoingRecord {
        id: A.parse().unwrap(),
        table: table(),
        record_id: B.parse().unwrap(),
        operation: RecordOperation::Update,
        org_id: None,
        fields: Fields::new().with("site", "Hall B"),
        modified: Modified::Ago(Duration::from_micros(7_200_000_900)),
        after: None,
        rule: ConflictRule::LastWriteWins,
    }
}

fn pushed(result: Value) -> RemoteResult<RecordPushAnswer> {
    result::push("push_records", &[update()], read(json!({"results": [result]}))?)
}

fn outcome(result: Value) -> RecordOutcome {
    pushed(result).unwrap().results.remove(0).outcome
}

#[test]
fn a_whole_page_is_read() {
    let page = pulled(
        json!({"records": [row()], "more": true, "loading": true, "epoch": "e", "unknown_tables": ["none_such"],
        "tombstones": [{"table": "visits", "id": B, "client_id": C, "version": 4}]}),
    )
    .unwrap();
    let [row] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!((row.table.as_str(), row.id.to_string(), row.version), ("visits", A.to_owned(), Version::new(3)));
    assert_eq!(row.fields, Fields::new().with("site", "Hall A").with("minutes", Value::Null), "null is a value");
    assert_eq!(row.created_at, Some(row.modified_at));
    assert_eq!(page.tombstones[0].client_id.map(|id| id.to_string()).as_deref(), Some(C));
    assert_eq!((page.more, page.loading, page.unreadable, page.unknown_tables.len()), (true, true, 0, 1));
    assert_eq!(page.epoch.unwrap().as_str(), "e");
}

#[test]
fn a_page_without_what_decides_is_malformed() {
    for field in ["cursor", "more", "loading", "server_time"] {
        let error = pulled(json!({field: null})).unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Malformed, "{field}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_counted_and_the_others_stay() {
    let bad = [
        with(row(), "id", json!("no id")),
        with(row(), "table", json!("Visits; drop table workers")),
        with(row(), "version", json!(-1)),
        with(row(), "org_id", Value::Null),
        with(row(), "modified_at", Value::Null),
        with(row(), "fields", json!("none")),
        json!("no row"),
    ];
    let mut records = bad.to_vec();
    records.insert(3, row());
    let page = pulled(json!({"records": records, "tombstones": [{"table": "visits", "version": 1}]})).unwrap();
    assert_eq!((page.rows.len(), page.tombstones.len()), (1, 0));
    assert_eq!(page.unreadable as usize, bad.len() + 1);
}

#[test]
fn a_time_out_of_range_costs_no_row() {
    let odd = with(with(row(), "created_at", json!("infinity")), "modified_at", json!("294276-12-31T23:59:59Z"));
    let page = pulled(json!({"records": [odd]})).unwrap();
    assert_eq!((page.unreadable, page.rows[0].created_at), (0, None));
    assert_eq!(page.rows[0].modified_at.to_rfc3339(), "9999-12-31T23:59:59.999999+00:00");
}

/// The fields of a row, read from the text that the server sends.
fn fields_of(minutes: &str) -> Fields {
    let text = row().to_string().replace("null", minutes).replace("\"version\"", "\"mood\":[1],\"version\"");
    let body =
        format!(r#"{{"protocol":1,"server_time":"{T}","cursor":"c","more":false,"loading":false,"records":[{text}]}}"#);
    let (html, json, date, retry_after) = (false, true, None, None);
    let body = body.into_bytes();
    let reply = Reply { status: StatusCode::OK, html, json, date, retry_after, body, took: Duration::ZERO };
    let mut page = page::pull("pull_records", answer::read("pull_records", &reply).unwrap()).unwrap();
    assert_eq!(page.unreadable, 0);
    page.rows.remove(0).fields
}

#[test]
fn a_field_that_cannot_be_read_costs_only_itself_and_unknown_ones_nothing() {
    let read = Fields::new().with("site", "Hall A");
    let deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    for unreadable in ["1e400", r#""\ud800""#, &deep] {
        let expected = read.clone().with("minutes", Value::Null);
        assert_eq!(fields_of(unreadable), expected, "an older value would not be that of this row");
    }
}

#[test]
fn a_number_is_read_and_sent_to_the_last_digit() {
    let numbers = ["117.63331139400017", "94.95886283158103", "0.30000000000000004", "1.0000000000000002e-300"];
    let random = |n: u64| f64::from_bits(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & !(1 << 62));
    let numbers = numbers.map(str::to_owned).into_iter().chain((1..=20).map(|n| random(n).to_string()));
    for number in numbers {
        let exact: f64 = number.parse().unwrap();
        let text = serde_json::to_string(&exact).unwrap();
        assert_eq!(fields_of(&text).get("minutes").and_then(Value::as_f64), Some(exact));
        let change = OutgoingRecord { fields: Fields::new().with("share", exact), ..update() };
        let body = String::from_utf8(request::push("push_records", "t", &[change]).unwrap()).unwrap();
        assert!(body.contains(&format!(r#""share":{text}"#)), "{body}");
    }
}

#[test]
fn a_whole_number_of_64_bits_is_exact_both_ways() {
    for number in [9_007_199_254_740_993, i64::MIN, i64::MAX] {
        assert_eq!(fields_of(&number.to_string()).get("minutes").and_then(Value::as_i64), Some(number));
        let change = OutgoingRecord { fields: Fields::new().with("count", number), ..update() };
        let body = String::from_utf8(request::push("push_records", "t", &[change]).unwrap()).unwrap();
        assert!(body.contains(&format!(r#""count":{number}"#)), "{body}");
    }
}

#[test]
fn every_outcome_is_read() {
    let won =
        json!({"id": A, "status": "won", "record_id": C, "version": 4, "modified_at": T, "ignored": ["weather", 7]});
    let answer = pushed(won).unwrap();
    assert_eq!(answer.results[0].ignored, ["weather"]);
    let RecordOutcome::Won { server_id, version, modified_at } = &answer.results[0].outcome else {
        panic!("{answer:?}")
    };
    assert_eq!((server_id.to_string(), *version), (C.to_owned(), Some(Version::new(4))));
    assert_eq!(*modified_at, answer.server_time);
    let RecordOutcome::Lost { winner } = outcome(json!({"id": A, "status": "lost", "record": row()})) else { panic!() };
    assert_eq!(winner.id.to_string(), A, "named by the client's id");
    assert_eq!(outcome(json!({"id": A, "status": "missing"})), RecordOutcome::Missing);
    assert_eq!(outcome(json!({"id": A, "status": "retry", "code": "busy"})), RecordOutcome::Retry(RetryCode::Busy));
    let refused = json!({"id": A, "status": "refused", "code": "a_new_code", "detail": "why"});
    let RecordOutcome::Refused(refusal) = outcome(refused) else { panic!() };
    assert_eq!((refusal.code.as_str(), refusal.detail.as_deref()), ("a_new_code", Some("why")));
}

#[test]
fn what_is_missing_in_a_clear_result_holds_up_nothing() {
    let RecordOutcome::Won { server_id, version, .. } = outcome(json!({"id": A, "status": "won"})) else { panic!() };
    assert_eq!((server_id, version), (update().record_id, None));
    for record in [Value::Null, json!(7), with(row(), "version", Value::Null)] {
        let RecordOutcome::Refused(refusal) = outcome(json!({"id": A, "status": "lost", "record": record})) else {
            panic!()
        };
        assert_eq!(refusal.code, RecordRefusalCode::Unreadable, "{record}");
    }
}

#[test]
fn a_result_that_belongs_to_something_else_is_malformed() {
    let other = with(with(row(), "id", json!(C)), "client_id", json!(C));
    for result in [
        json!({"id": B, "status": "won"}),
        json!({"status": "won"}),
        json!({"id": A, "status": "perhaps"}),
        json!({"id": A, "status": "lost", "record": other}),
        json!({"id": A, "status": "lost", "record": with(row(), "table", json!("workers"))}),
    ] {
        assert_eq!(pushed(result.clone()).unwrap_err().kind(), RemoteErrorKind::Malformed, "{result}");
    }
    let none = result::push("push_records", &[update()], read(json!({})).unwrap());
    assert_eq!(none.unwrap_err().kind(), RemoteErrorKind::Malformed);
}

#[test]
fn only_entries_that_were_sent_and_are_named_leave() {
    let entry = |id: &str| OutgoingAudit {
        id: id.parse().unwrap(),
        table: table(),
        record_id: A.parse().unwrap(),
        operation: AuditOperation::Read,
        context: None,
        at: Modified::Ago(Duration::ZERO),
    };
    let entries = [entry(A), entry(B)];
    let read =
        read(json!({"stored": [A, C, 7], "refused": [{"id": B, "detail": "context"}, {"id": C}, {"detail": "?"}]}));
    let AuditAnswer { stored, refused } = audit::push(&entries, read.unwrap());
    assert_eq!((stored, refused), (vec![entries[0].id], vec![(entries[1].id, "context".to_owned())]));
}

#[test]
fn a_change_is_sent_without_nulls_and_without_nul() {
    let sent = |change: OutgoingRecord| {
        let body: Value = serde_json::from_slice(&request::push("push_records", "app", &[change]).unwrap()).unwrap();
        body["p_changes"][0].clone()
    };
    let expected = json!({"id": A, "table": "visits", "record_id": B, "operation": "update",
                          "fields": {"site": "Hall B"}, "age_ms": 7_200_000});
    assert_eq!(sent(update()), expected);
    let nested = json!({"a\u{0}": ["b\u{0}", null]});
    let change = OutgoingRecord {
        fields: Fields::new().with("notes", nested),
        modified: Modified::At(T.parse().unwrap()),
        after: Some(C.parse().unwrap()),
        rule: ConflictRule::LastArrivalWins,
        org_id: Some(C.parse().unwrap()),
        operation: RecordOperation::Create,
        ..update()
    };
    let expected = json!({"id": A, "table": "visits", "record_id": B, "operation": "create", "org_id": C, "after": C,
                          "fields": {"notes": {"a": ["b", null]}}, "modified_at": "2026-01-31T08:15:00.123456Z",
                          "rule": "last_arrival_wins"});
    assert_eq!(sent(change), expected);
    let delete =
        OutgoingRecord { operation: RecordOperation::Delete, modified: Modified::Ago(Duration::MAX), ..update() };
    let expected =
        json!({"id": A, "table": "visits", "record_id": B, "operation": "delete", "age_ms": 9_007_199_254_740_991_u64});
    assert_eq!(sent(delete), expected);
}
