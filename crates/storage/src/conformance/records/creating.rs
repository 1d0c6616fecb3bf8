//! Creating records.

use super::RecordDevice;
use super::build::{change, column, deep, field, moment, new_visit, record_id, table};
use super::given::{
    all_places, answered, batch, buried, counts, create, created, deleted, loaded, names_the_field, pulled, queue,
    seen, stored, taken, visit,
};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{at, iris, mutation_id, org, other_org, session},
    given::mutations,
};
use crate::records::{RecordEntryState, RecordQueueEntry, RecordStore};
use fieldpost_domain::{
    Changes, Version,
    metadata::METADATA_DEPTH,
    records::{Fields, NewRecord, Priority, RECORD_LIMIT, Record, RecordMutation, RecordOperation, RecordState},
};
use serde_json::{Value, json};

/// `Records::create_record`: it is shown and queued.
pub async fn a_created_record_is_shown_and_queued(store: &dyn RecordStore) {
    let made = created(store, 1).await;

    let expected = Record {
        id: record_id(1),
        table: table("visits"),
        server_id: None,
        org_id: org(),
        fields: field("place", "Gate 1"),
        extra: Fields::new(),
        created_at: at(1),
        modified_at: at(1),
        version: Version::default(),
        state: RecordState::Queued,
    };
    assert_eq!(made, expected);
    assert_eq!(visit(store, 1).await, expected);
    assert_eq!(all_places(store).await, ["Gate 1"]);
    assert_eq!(store.count_records(&table("visits")).await.unwrap(), 1);
    assert_eq!(store.last_record_change().await.unwrap(), Some(at(1)));
    let entry = RecordQueueEntry {
        mutation_id: mutation_id(1),
        table: table("visits"),
        record_id: record_id(1),
        operation: RecordOperation::Create,
        fields: field("place", "Gate 1"),
        priority: Priority::Normal,
        state: RecordEntryState::Queued { failures: 0, next_at: None, last_retry: None },
        recorded_at: at(1),
    };
    assert_eq!(queue(store).await, [entry]);
    let mutation = RecordMutation {
        id: mutation_id(1),
        table: table("visits"),
        record_id: record_id(1),
        operation: RecordOperation::Create,
        org_id: Some(org()),
        fields: field("place", "Gate 1"),
        priority: Priority::Normal,
        modified_at: moment(1),
        ahead_micros: None,
    };
    assert_eq!(taken(store, super::build::everything()).await, [mutation]);
}

/// `Records::create_record`, rule 1.
pub async fn a_record_is_checked_against_its_declaration(store: &dyn RecordStore) {
    let good = new_visit(1).fields;
    let faulty = [
        Fields::new(),
        good.clone().with("place", Value::Null),
        good.clone().with("colour", "red"),
        good.clone().with("place", 7),
        good.clone().with("place", "a\0b"),
        good.clone().with("count", 1.5),
        good.clone().with("count", "7"),
        good.clone().with("share", "half"),
        good.clone().with("urgent", 1),
        good.clone().with("at", "yesterday"),
        good.clone().with("at", "2026-01-31T08:15:00"),
        good.clone().with("day", "31.01.2026"),
        good.clone().with("badge", "A-17"),
        good.clone().with("site", "Site 1"),
        good.clone().with("id", record_id(3).to_string()),
        good.clone().with("notes", "x".repeat(RECORD_LIMIT)),
        good.clone().with("notes", deep(METADATA_DEPTH + 1)),
        good.clone().with("notes", deep(128)),
        good.clone().with("share", f64::NAN),
        good.clone().with("share", f64::INFINITY),
        good.clone().with("share", f32::NEG_INFINITY),
        good.clone().with("at", "0000-12-31T23:59:59Z"),
    ];
    for fields in faulty {
        let named = format!("{:.80?}", fields);
        let error = store.create_record(mutation_id(1), NewRecord { fields, ..new_visit(1) }).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::InvalidRecord, "create_record"), "{named}");
        assert!(names_the_field(&error), "{named}: an app shows which field is wrong");
    }
    assert!(all_places(store).await.is_empty() && queue(store).await.is_empty(), "nothing is stored");
}

/// A value of each kind comes back in the one spelling that is kept; null is no value.
pub async fn values_come_back_in_one_spelling(store: &dyn RecordStore) {
    let written = new_visit(1)
        .fields
        .with("count", i64::MIN)
        .with("share", 2)
        .with("urgent", false)
        .with("at", "2026-01-31T09:15:00.1234567+01:00")
        .with("day", "2026-01-31")
        .with("notes", json!({"z": [1, null, 2.5], "a": "ü\u{1f6a7}"}))
        .with("badge", "0198C0DE00007000800000000000000A")
        .with("site", Value::Null);
    let made = create(store, 1, NewRecord { fields: written, ..new_visit(1) }).await;

    let kept = new_visit(1)
        .fields
        .with("count", i64::MIN)
        .with("share", 2.0)
        .with("urgent", false)
        .with("at", "2026-01-31T08:15:00.123456Z")
        .with("day", "2026-01-31")
        .with("notes", json!({"z": [1, null, 2.5], "a": "ü\u{1f6a7}"}))
        .with("badge", "0198c0de-0000-7000-8000-00000000000a");
    assert_eq!(made.fields, kept);
    assert_eq!(visit(store, 1).await.fields, kept);
    let sent = taken(store, super::build::everything()).await.remove(0).fields;
    assert_eq!(sent, kept.clone().with("site", Value::Null), "a null that was written is sent");
    answered(store, 1, super::build::won(1, 1)).await;
    assert_eq!(visit(store, 1).await.fields, kept, "settled, it has the same values");
}

/// `Records::create_record`, rule 2.
pub async fn a_record_belongs_to_the_org_of_its_author(store: &dyn RecordStore) {
    assert_eq!(created(store, 1).await.org_id, org());
    let elsewhere = create(store, 2, NewRecord { org_id: Some(other_org()), ..new_visit(2) }).await;
    assert_eq!(elsewhere.org_id, other_org());
    let orgs: Vec<_> = taken(store, super::build::everything()).await.into_iter().map(|it| it.org_id).collect();
    assert_eq!(orgs, [Some(org()), Some(other_org())]);
}

/// `Records::create_record`: the errors that say who is missing.
pub async fn a_record_needs_an_author_and_an_org(device: &dyn RecordDevice) {
    let phone = device.open().await;
    let records = &*phone.records;
    records.declare(&super::build::tables()).await.unwrap();
    let stranger = records.create_record(mutation_id(1), new_visit(1)).await.unwrap_err();
    assert_eq!(stranger.kind(), StorageErrorKind::NoAccount);
    let stranger = records.update_record(mutation_id(1), change(1, Fields::new(), moment(1))).await.unwrap_err();
    assert_eq!(stranger.kind(), StorageErrorKind::NoAccount);

    phone.store.save_session(&session(&iris(), 1)).await.unwrap();
    let early = records.create_record(mutation_id(1), new_visit(1)).await.unwrap_err();
    assert_eq!(early.kind(), StorageErrorKind::NotSynced);
    let told = NewRecord { org_id: Some(org()), ..new_visit(1) };
    assert_eq!(records.create_record(mutation_id(1), told).await.unwrap().org_id, org());

    crate::conformance::given::loaded(&*phone.store, Changes::default()).await;
    assert_eq!(created(records, 2).await.org_id, org());
}

/// `Records::create_record`, rule 4.
pub async fn creating_twice_changes_nothing(store: &dyn RecordStore) {
    let first = created(store, 1).await;
    let other = NewRecord { fields: field("place", "Elsewhere"), ..new_visit(1) };
    assert_eq!(create(store, 2, other.clone()).await, first);
    assert_eq!(queue(store).await.len(), 1);

    batch(store).await;
    answered(store, 1, super::build::won(1, 1)).await;
    assert_eq!(create(store, 3, other.clone()).await, visit(store, 1).await, "also when the server has it");
    assert!(queue(store).await.is_empty());
    let site = NewRecord { table: table("sites"), fields: field("name", "Site 1"), ..other };
    assert_eq!(create(store, 4, site).await.table, table("sites"), "an id is one of a table");
}

/// `Records::create_record`: a deleted record stays deleted.
pub async fn a_deleted_record_is_not_created_again(store: &dyn RecordStore) {
    stored(store, 1).await;
    deleted(store, 2, 1).await;
    pulled(store, vec![super::build::row(3, 1)]).await;
    buried(store, vec![super::build::tombstone(3, 2)]).await;
    for n in [1, 3] {
        let error = store.create_record(mutation_id(9), new_visit(n)).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::InvalidRecord);
    }
    batch(store).await;
    answered(store, 2, super::build::won_deleted(1)).await;
    let error = store.create_record(mutation_id(9), new_visit(1)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::InvalidRecord, "also when the server has deleted it");
    assert!(queue(store).await.is_empty());
}

/// A change whose id is in the queue was made before.
pub async fn the_same_mutation_again_changes_nothing(store: &dyn RecordStore) {
    loaded(store, vec![super::build::row(1, 1), super::build::row(2, 1)]).await;
    let first = super::given::updated(store, 5, 1, field("place", "Roof")).await;
    batch(store).await;

    assert_eq!(super::given::updated(store, 5, 1, field("place", "Cellar")).await, first);
    deleted(store, 5, 2).await;

    assert_eq!(super::given::queued(store).await, mutations([5]));
    assert!(seen(store, 2).await.is_some());
}

/// A person who has signed out still works: what is made is sent at the next sign-in.
pub async fn work_goes_on_after_signing_out(device: &dyn RecordDevice) {
    let phone = device.open().await;
    super::given::ready(&phone).await;
    phone.store.clear_session().await.unwrap();
    created(&*phone.records, 1).await;
    assert_eq!(counts(&*phone.records, 600).await.pending, 1);
}

/// The column that makes a record immediate.
pub async fn a_flag_makes_a_record_immediate(store: &dyn RecordStore) {
    created(store, 1).await;
    create(store, 2, super::build::urgent(new_visit(2))).await;
    assert_eq!(taken(store, super::build::immediate()).await[0].id, mutation_id(2));
    assert_eq!(counts(store, 600).await.immediate, 1);
    let query = super::build::all_visits().filter(column("urgent"), fieldpost_domain::records::Comparison::Is, true);
    assert_eq!(super::given::places(store, &query).await, ["Gate 2"]);
}

/// JSON as deep as it may be is created, changed, sent and settled.
pub async fn the_deepest_json_that_is_accepted_survives(store: &dyn RecordStore) {
    let notes = deep(METADATA_DEPTH);
    create(store, 1, NewRecord { fields: new_visit(1).fields.with("notes", notes.clone()), ..new_visit(1) }).await;
    assert_eq!(taken(store, super::build::everything()).await[0].fields.get("notes"), Some(&notes));
    answered(store, 1, super::build::won(1, 1)).await;
    super::given::updated(store, 2, 1, field("place", "Roof")).await;
    assert_eq!(visit(store, 1).await.fields, field("place", "Roof").with("notes", notes));
}

/// Times before 2000 are times: births, certificates, the day on which somebody was hired.
pub async fn a_time_may_be_of_any_year_with_four_digits(store: &dyn RecordStore) {
    let times = [
        "0001-01-01T00:00:00.000000Z",
        "1899-12-31T23:59:59.999999Z",
        "1987-05-04T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    for (n, time) in (1..).zip(times) {
        let made = create(store, n, NewRecord { fields: new_visit(n).fields.with("at", time), ..new_visit(n) }).await;
        assert_eq!(made.fields.get("at"), Some(&time.into()));
        assert_eq!(visit(store, n).await.fields.get("at"), Some(&time.into()));
        pulled(store, vec![super::build::row_with(10 + n, 1, field("at", time))]).await;
        assert_eq!(visit(store, 10 + n).await.fields.get("at"), Some(&time.into()), "from the server");
    }
    let by_time = fieldpost_domain::records::RecordQuery::new(table("visits")).order(column("at"), false).limit(3);
    let found = store.records(&by_time).await.unwrap();
    let found: Vec<_> = found.iter().filter_map(|visit| visit.fields.get("at")?.as_str()).collect();
    assert_eq!(found, [times[0], times[0], times[1]]);
}
