//! Queries.

use super::build::{all_visits, column, field, new_visit, record_id, row_with, table};
use super::given::{create, created, deleted, loaded, names_the_field, places, stored, updated};
use crate::StorageErrorKind;
use crate::conformance::build::{at, org, other_org};
use crate::records::RecordStore;
use fieldpost_domain::records::{
    Comparison::{self, Above, AtLeast, AtMost, Below, Contains, Is, IsNot},
    Fields, NewRecord, RecordQuery,
};
use serde_json::{Value, json};

/// Visits 1 to 5, created in that order; 5 has nothing but its place.
async fn five(store: &dyn RecordStore) {
    let value = |n: u64, name: &str| -> Value {
        match name {
            "count" => json!([3, -1, 10, 3][n as usize - 1]),
            "share" => json!([0.5, 2, -0.25, 10])[n as usize - 1].clone(),
            "urgent" => json!(n.is_multiple_of(2)),
            "at" => json!(
                ["2026-01-31T10:00:00+02:00", "2026-01-31T08:30:00Z", "2030-01-01T00:00:00.5Z", "2000-01-01T00:00:00Z"]
                    [n as usize - 1]
            ),
            "day" => json!(format!("2026-0{n}-01")),
            "notes" => json!({ "n": n }),
            _ => json!(record_id(10 + n).to_string()),
        }
    };
    for n in 1..=5 {
        let mut new = new_visit(n);
        if n < 5 {
            for name in ["count", "share", "urgent", "at", "day", "notes", "badge", "site"] {
                new.fields.set(name, value(n, name));
            }
        }
        let fields = new.fields.with("place", ["alpha", "Beta 50%", "gamma_x", "ärger", "BETA"][n as usize - 1]);
        create(store, n, NewRecord { fields, ..new_visit(n) }).await;
    }
}

async fn found(store: &dyn RecordStore, name: &str, comparison: Comparison, value: impl Into<Value>) -> Vec<u64> {
    numbers(store, &all_visits().filter(column(name), comparison, value).order(column("id"), false)).await
}

async fn numbers(store: &dyn RecordStore, query: &RecordQuery) -> Vec<u64> {
    let found = store.records(query).await.unwrap();
    found.into_iter().map(|visit| (visit.id.as_uuid().as_u128() & 0xff) as u64).collect()
}

/// `Records::records`: conditions of each kind.
pub async fn a_query_compares_by_the_kind_of_the_column(store: &dyn RecordStore) {
    five(store).await;
    assert_eq!(found(store, "count", Is, 3).await, [1, 4]);
    assert_eq!(found(store, "count", IsNot, 3).await, [2, 3, 5], "no value is not 3");
    assert_eq!(found(store, "count", Below, 3).await, [2], "no value is not below");
    assert_eq!(found(store, "count", AtMost, 3).await, [1, 2, 4]);
    assert_eq!(found(store, "count", Above, 3).await, [3]);
    assert_eq!(found(store, "count", AtLeast, 3).await, [1, 3, 4]);
    assert_eq!(found(store, "count", Is, Value::Null).await, [5]);
    assert_eq!(found(store, "count", IsNot, Value::Null).await, [1, 2, 3, 4]);
    assert_eq!(found(store, "share", Is, 2).await, [2], "a whole number is a number");
    assert_eq!(found(store, "share", Above, 0.5).await, [2, 4]);
    assert_eq!(found(store, "urgent", Is, true).await, [2, 4]);
    assert_eq!(found(store, "urgent", Below, true).await, [1, 3]);
    assert_eq!(found(store, "at", Is, "2026-01-31T09:00:00+01:00").await, [1], "as a moment");
    assert_eq!(found(store, "at", Above, "2026-01-31T08:15:00Z").await, [2, 3]);
    assert_eq!(found(store, "day", AtLeast, "2026-03-01").await, [3, 4]);
    assert_eq!(found(store, "notes", Is, Value::Null).await, [5]);
    assert_eq!(found(store, "badge", Is, record_id(12).to_string().to_uppercase()).await, [2]);
    assert_eq!(found(store, "site", Is, record_id(13).to_string()).await, [3]);
}

/// `Records::records`: text.
pub async fn a_query_finds_parts_of_text(store: &dyn RecordStore) {
    five(store).await;
    assert_eq!(found(store, "place", Contains, "bEta").await, [2, 5]);
    assert_eq!(found(store, "place", Contains, "%").await, [2], "nothing is a wildcard");
    assert_eq!(found(store, "place", Contains, "_").await, [3]);
    assert_eq!(found(store, "place", Contains, "Ä").await, [] as [u64; 0], "only the case of ASCII does not count");
    assert_eq!(found(store, "place", Contains, "").await, [1, 2, 3, 4, 5]);
    assert_eq!(found(store, "place", Contains, "' OR 1=1 --").await, [] as [u64; 0]);
    assert_eq!(found(store, "place", Below, "a").await, [2, 5], "by bytes");
    assert_eq!(found(store, "place", Is, "beta").await, [] as [u64; 0]);
}

/// `Records::records`: what every record has.
pub async fn a_query_knows_what_every_record_has(store: &dyn RecordStore) {
    five(store).await;
    loaded(store, vec![]).await;
    create(store, 6, NewRecord { org_id: Some(other_org()), ..new_visit(6) }).await;
    assert_eq!(found(store, "id", Is, record_id(3).to_string()).await, [3]);
    assert_eq!(found(store, "id", AtMost, record_id(2).to_string()).await, [1, 2]);
    assert_eq!(found(store, "org_id", IsNot, org().to_string()).await, [6]);
    assert_eq!(found(store, "created_at", Above, at(4).to_rfc3339()).await, [5, 6]);
    updated(store, 50, 1, field("count", 9)).await;
    assert_eq!(found(store, "modified_at", AtLeast, at(50).to_rfc3339()).await, [1]);
}

/// `Records::records`.
pub async fn a_query_filters_orders_and_limits(store: &dyn RecordStore) {
    five(store).await;
    let ordered = |name: &str, descending| all_visits().order(column(name), descending);
    assert_eq!(numbers(store, &all_visits()).await, [5, 4, 3, 2, 1], "the newest first");
    assert_eq!(numbers(store, &ordered("count", false)).await, [2, 1, 4, 3, 5], "equal ones by id, none last");
    assert_eq!(numbers(store, &ordered("count", true)).await, [3, 1, 4, 2, 5], "in either direction");
    assert_eq!(numbers(store, &ordered("share", false)).await, [3, 1, 2, 4, 5]);
    assert_eq!(numbers(store, &ordered("urgent", true)).await, [2, 4, 1, 3, 5]);
    assert_eq!(numbers(store, &ordered("at", false)).await, [4, 1, 2, 3, 5]);
    assert_eq!(numbers(store, &ordered("place", false)).await, [5, 2, 1, 3, 4]);
    assert_eq!(numbers(store, &ordered("id", true)).await, [5, 4, 3, 2, 1]);
    let some = ordered("count", false).filter(column("urgent"), IsNot, true).filter(column("count"), Above, 0);
    assert_eq!(numbers(store, &some).await, [1, 3]);
    assert_eq!(numbers(store, &ordered("count", false).limit(2)).await, [2, 1]);
    let second = RecordQuery { offset: 2, ..ordered("count", false).limit(2) };
    assert_eq!(numbers(store, &second).await, [4, 3]);
    assert_eq!(numbers(store, &RecordQuery { offset: 4, ..all_visits() }).await, [1]);
    assert_eq!(numbers(store, &RecordQuery { offset: 9, ..all_visits() }).await, [] as [u64; 0]);
    assert_eq!(numbers(store, &all_visits().limit(0)).await, [] as [u64; 0]);
}

/// Queries see queued changes, and nothing of what is deleted here.
pub async fn a_query_sees_what_is_shown(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 1, field("visitors", 1)), row_with(2, 1, field("visitors", 1))]).await;
    updated(store, 3, 1, Fields::new().with("count", 5)).await;
    stored(store, 4).await;
    created(store, 5).await;
    deleted(store, 6, 4).await;
    assert_eq!(found(store, "count", Is, 5).await, [1]);
    assert_eq!(found(store, "count", Is, 1).await, [2]);
    assert_eq!(places(store, &all_visits().filter(column("count"), Is, Value::Null)).await, ["Gate 5"]);
    assert_eq!(store.count_records(&table("visits")).await.unwrap(), 3);
}

/// `Records::records`: the errors.
pub async fn a_faulty_query_is_refused(store: &dyn RecordStore) {
    let with = |name: &str, comparison, value: Value| all_visits().filter(column(name), comparison, value);
    let faulty = [
        with("colour", Is, json!("red")),
        with("visitors", Is, json!(1)),
        with("version", Is, json!(1)),
        with("count", Is, json!("3")),
        with("count", Is, json!(1.5)),
        with("count", Below, Value::Null),
        with("place", Contains, Value::Null),
        with("count", Contains, json!(3)),
        with("badge", Contains, json!(record_id(1).to_string())),
        with("badge", Is, json!("A-17")),
        with("at", Above, json!("yesterday")),
        with("notes", Is, json!({"n": 1})),
        with("id", Is, json!(7)),
        all_visits().order(column("notes"), false),
        all_visits().order(column("colour"), false),
    ];
    for query in faulty {
        let error = store.records(&query).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::InvalidRecord, "records"), "{query:?}");
        assert!(names_the_field(&error), "{query:?}");
    }
}
