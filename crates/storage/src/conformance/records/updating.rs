//! Changing records.

use super::build::{change, clock, everything, field, immediate, moment, new_visit, record_id, row_with};
use super::given::{
    answered, batch, counts, created, failure, loaded, names_the_field, place, queue, queued, stored, taken, updated,
    visit,
};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{at, mutation_id},
    given::mutations,
};
use crate::records::RecordStore;
use fieldpost_domain::{
    RetryCode,
    records::{DeviceTime, Fields, Priority, RecordOperation, RecordOutcome, RecordRefusalCode, RecordState},
};
use serde_json::Value;

/// `Records::update_record`, rule 1.
pub async fn an_update_sets_its_fields_alone(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 3, Fields::new().with("visitors", 2).with("weather", "rain"))]).await;

    let changed = updated(store, 5, 1, Fields::new().with("place", "Roof").with("count", Value::Null)).await;

    assert_eq!(changed.fields, field("place", "Roof"));
    assert_eq!(changed.extra, field("weather", "rain"));
    assert_eq!((changed.created_at, changed.modified_at), (at(101), at(5)));
    assert_eq!((changed.version.get(), changed.state), (3, RecordState::Queued));
    assert_eq!(visit(store, 1).await, changed);
    let sent = taken(store, everything()).await.remove(0);
    assert_eq!(sent.fields, field("place", "Roof").with("count", Value::Null));
    assert_eq!((sent.operation, sent.org_id, sent.modified_at), (RecordOperation::Update, None, moment(5)));
}

/// `Records::update_record`, rule 2.
pub async fn an_update_is_folded_into_what_was_never_sent(store: &dyn RecordStore) {
    created(store, 1).await;
    updated(store, 2, 1, field("count", 4)).await;
    let folded = updated(store, 3, 1, field("place", "Roof")).await;

    assert_eq!(folded.fields, field("place", "Roof").with("count", 4));
    assert_eq!((folded.created_at, folded.modified_at), (at(1), at(3)));
    let sent = taken(store, everything()).await;
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].id, &sent[0].fields), (mutation_id(1), &folded.fields));
    assert_eq!(sent[0].modified_at, moment(3), "the change is as late as its latest part");

    updated(store, 4, 1, field("count", 5)).await;
    assert_eq!(queued(store).await, mutations([1, 4]), "what is under way is not touched");
    updated(store, 5, 1, field("count", 6)).await;
    assert_eq!(queued(store).await, mutations([1, 4]), "the next one is not under way");
    assert_eq!(queue(store).await[1].recorded_at, at(4));
}

/// What was sent and postponed may have arrived, so nothing is folded into it.
pub async fn an_update_is_not_folded_into_what_may_have_arrived(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    store.postpone_records(&mutations([1]), at(10)).await.unwrap();
    updated(store, 2, 1, field("count", 4)).await;
    assert_eq!(queued(store).await, mutations([1, 2]));
    assert_eq!(taken(store, everything()).await[0].fields, field("place", "Gate 1"), "it is sent again unchanged");
}

/// Times of one clock: the later one counts, whichever came last.
pub async fn a_folded_change_is_as_late_as_its_latest_part(store: &dyn RecordStore) {
    created(store, 7).await;
    let earlier = change(7, field("count", 1), moment(3));
    store.update_record(mutation_id(8), earlier).await.unwrap();
    assert_eq!(queue(store).await.len(), 1);
    let other_clock = DeviceTime { clock: clock(2), at: at(1) };
    assert_eq!(visit(store, 7).await.modified_at, at(7));
    store.update_record(mutation_id(9), change(7, field("count", 2), other_clock)).await.unwrap();
    assert_eq!(taken(store, everything()).await[0].modified_at, other_clock, "the other clock ran later");
}

/// `Records::update_record`, rule 3.
pub async fn a_record_that_becomes_immediate_takes_its_queue_along(store: &dyn RecordStore) {
    created(store, 1).await;
    created(store, 2).await;
    batch(store).await;
    store.withdraw_records(&mutations([2])).await.unwrap();
    store.postpone_records(&mutations([1]), at(10)).await.unwrap();
    updated(store, 3, 1, field("urgent", true)).await;

    assert_eq!(queued(store).await, mutations([1, 3, 2]));
    let due = super::build::due(at(11));
    let now = crate::records::RecordBatch { at_most: Priority::Immediate, ..due };
    assert_eq!(taken(store, now).await[0].id, mutation_id(1), "what becomes immediate no longer waits");

    updated(store, 4, 2, field("urgent", true)).await;
    assert_eq!(queued(store).await, mutations([1, 2, 3]), "folded, it takes its create along");
    updated(store, 5, 2, field("urgent", false)).await;
    assert_eq!(counts(store, 600).await.immediate, 3, "no priority is lowered");
    assert_eq!(taken(store, immediate()).await[0].id, mutation_id(2));
}

/// A change of a record that is immediate is immediate, whatever it sets.
pub async fn a_change_of_an_immediate_record_is_immediate(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 1, field("urgent", true))]).await;
    updated(store, 5, 1, field("count", 1)).await;
    assert_eq!(taken(store, immediate()).await.len(), 1);
}

/// `Records::update_record`, rule 4.
pub async fn a_change_behind_a_refused_one_parks(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    answered(store, 1, RecordOutcome::Refused(super::build::refusal())).await;

    let changed = updated(store, 2, 1, field("place", "Roof")).await;

    assert_eq!((place(store, 1).await, changed.state), (Some("Roof".into()), RecordState::Failed));
    assert_eq!(failure(store, 2).await, Some(RecordRefusalCode::AfterRefused));
    assert!(batch(store).await.is_empty());
}

/// `Records::update_record`, rule 5.
pub async fn an_update_of_nothing_queues_nothing(store: &dyn RecordStore) {
    let before = stored(store, 1).await;
    let same = [
        Fields::new(),
        field("place", "Gate 1"),
        field("count", Value::Null),
        field("place", "Gate 1").with("site", Value::Null),
    ];
    for fields in same {
        assert_eq!(updated(store, 5, 1, fields).await, before);
    }
    assert!(queue(store).await.is_empty());
    updated(store, 6, 1, field("at", "2026-01-31T08:15:00Z")).await;
    batch(store).await;
    updated(store, 7, 1, field("at", "2026-01-31T09:15:00+01:00")).await;
    assert_eq!(queued(store).await, mutations([6]), "the same moment in other words");
}

/// `Records::update_record`: the errors.
pub async fn a_faulty_update_changes_nothing(store: &dyn RecordStore) {
    let before = created(store, 1).await;
    for fields in [field("place", Value::Null), field("colour", "red"), field("count", "many"), field("version", 1)] {
        let error = store.update_record(mutation_id(2), change(1, fields, moment(2))).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::InvalidRecord, "update_record"));
        assert!(names_the_field(&error));
    }
    let error = store.update_record(mutation_id(2), change(9, Fields::new(), moment(2))).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert_eq!(visit(store, 1).await, before);
    assert_eq!(queued(store).await, mutations([1]));
}

/// What the server has said "retry" to was not carried out, so it can be folded into.
pub async fn an_update_is_folded_into_what_the_server_did_not_take(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    answered(store, 1, RecordOutcome::Retry(RetryCode::Busy)).await;
    updated(store, 2, 1, field("count", 4)).await;
    assert_eq!(queued(store).await, mutations([1]));
}

/// Together they would be larger than a record may be.
pub async fn an_update_is_not_folded_to_more_than_a_record(store: &dyn RecordStore) {
    let half = "x".repeat(fieldpost_domain::records::RECORD_LIMIT * 2 / 3);
    let mut new = new_visit(1);
    new.fields.set("notes", half.clone());
    store.create_record(mutation_id(1), new).await.unwrap();
    updated(store, 2, 1, field("place", half)).await;
    assert_eq!(queued(store).await, mutations([1, 2]));
    assert_eq!(visit(store, 1).await.id, record_id(1));
}

/// `Records::update_record`, rule 1: what is set to what it is already is not sent. Somebody else may have changed it meanwhile.
pub async fn an_update_sends_only_what_differs(store: &dyn RecordStore) {
    loaded(store, vec![row_with(1, 3, field("visitors", 2))]).await;
    updated(store, 5, 1, visit(store, 1).await.fields.with("share", 0.5)).await;
    updated(store, 6, 1, visit(store, 1).await.fields.with("day", "2026-01-31")).await;
    let sent = taken(store, everything()).await.remove(0);
    assert_eq!(sent.fields, field("share", 0.5).with("day", "2026-01-31"));

    let shown = visit(store, 1).await.fields;
    updated(store, 7, 1, shown.clone().with("count", 3)).await;
    assert_eq!(queue(store).await[1].fields, field("count", 3), "what is under way is shown, so it is not sent again");
    updated(store, 8, 1, shown.clone()).await;
    assert_eq!(queue(store).await[1].fields, field("count", 2), "what is shown differs from it");
    updated(store, 9, 1, shown).await;
    assert_eq!(queued(store).await, mutations([5, 7]));
}
