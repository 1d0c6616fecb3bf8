//! Applying pages of changes.

use super::build::{
    column, deep, field, load_page, moment, page, record_id, row, row_with, site_row, sites, table, tombstone, visits,
    won,
};
use super::given::{
    all_places, answered, batch, buried, conflicts, created, deleted, loaded, place, pulled, pulled_page, queue,
    queued, seen, stored, updated, visit,
};
use crate::StorageErrorKind;
use crate::conformance::{
    build::{at, cursor, mutation_id, org, other_org},
    given::mutations,
};
use crate::records::{RecordApplyReport, RecordMemory, RecordStore, RecordSyncState};
use fieldpost_domain::{
    ServerEpoch, Version,
    metadata::READABLE_DEPTH,
    records::{Column, ColumnKind, Fields, Record, RecordOutcome, RecordPage, RecordRow, RecordState, RecordTombstone},
};
use serde_json::Value;

/// A row of the server is shown with the names of the device.
pub async fn a_pulled_row_is_shown(store: &dyn RecordStore) {
    let fields = Fields::new().with("visitors", 2).with("share", Value::Null).with("site", record_id(7).to_string());
    let report = pulled(store, vec![row_with(1, 3, fields), site_row(7, 1)]).await;

    assert_eq!(report, RecordApplyReport { changed: 2, removed: 0 });
    let expected = Record {
        id: record_id(1),
        table: table("visits"),
        server_id: Some(record_id(1)),
        org_id: org(),
        fields: field("place", "Place 1").with("count", 2).with("site", record_id(7).to_string()),
        extra: Fields::new(),
        created_at: at(101),
        modified_at: at(203),
        version: Version::new(3),
        state: RecordState::Synced,
    };
    assert_eq!(visit(store, 1).await, expected);
    assert_eq!(pulled(store, vec![row_with(1, 3, field("visitors", 2))]).await.changed, 0, "the same row again");
    let moved = RecordRow { org_id: other_org(), created_at: None, ..row(1, 4) };
    assert_eq!(pulled(store, vec![moved]).await.changed, 1);
    assert_eq!((visit(store, 1).await.org_id, visit(store, 1).await.created_at), (other_org(), at(101)));
}

/// The table may not say when a row was created.
pub async fn a_row_without_a_time_of_creation_has_that_of_its_change(store: &dyn RecordStore) {
    pulled(store, vec![RecordRow { created_at: None, ..row(1, 3) }]).await;
    assert_eq!(visit(store, 1).await.created_at, at(203));
}

/// `RecordReplica::apply_records`, rule 1: versions.
pub async fn an_older_row_replaces_nothing(store: &dyn RecordStore) {
    pulled(store, vec![row_with(1, 5, field("place", "New"))]).await;
    assert_eq!(pulled(store, vec![row_with(1, 4, field("place", "Old"))]).await.changed, 0);
    assert_eq!(place(store, 1).await, Some("New".into()));
    pulled(store, vec![row_with(1, 5, field("place", "Same"))]).await;
    assert_eq!(place(store, 1).await, Some("Same".into()), "the row of this version is the row");
    buried(store, vec![tombstone(1, 4)]).await;
    assert_eq!(place(store, 1).await, Some("Same".into()), "it was brought back since");
}

/// `RecordReplica::apply_records`, rule 1: tombstones.
pub async fn a_late_page_does_not_resurrect_a_record(store: &dyn RecordStore) {
    pulled(store, vec![row(1, 5)]).await;
    buried(store, vec![tombstone(1, 6), tombstone(2, 3)]).await;
    pulled(store, vec![row(1, 5), row(2, 3)]).await;
    assert!(all_places(store).await.is_empty());
    pulled(store, vec![row(1, 6)]).await;
    assert!(all_places(store).await.is_empty());
    pulled(store, vec![row(1, 7)]).await;
    assert_eq!(all_places(store).await, ["Place 1"], "it came back");
}

/// `RecordReplica::apply_records`, rule 2.
pub async fn a_queued_change_stays_over_a_pulled_row(store: &dyn RecordStore) {
    pulled(store, vec![row_with(1, 1, field("visitors", 1))]).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    pulled(store, vec![row_with(1, 2, field("place", "Theirs").with("visitors", 9))]).await;

    let shown = visit(store, 1).await;
    assert_eq!(shown.fields, field("place", "Roof").with("count", 9));
    assert_eq!((shown.modified_at, shown.version.get(), shown.state), (at(2), 2, RecordState::Queued));
    store.cancel_record(mutation_id(2)).await.unwrap();
    assert_eq!(place(store, 1).await, Some("Theirs".into()));
}

/// `RecordReplica::apply_records`, rule 3.
pub async fn a_pulled_row_finds_the_record_that_it_is(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    store.postpone_records(&mutations([1]), at(10)).await.unwrap();
    updated(store, 2, 1, field("place", "Roof")).await;
    let echo = RecordRow { client_id: Some(record_id(1)), ..row(8, 1) };
    pulled(store, vec![echo.clone()]).await;

    let shown = visit(store, 1).await;
    assert_eq!((shown.id, shown.server_id), (record_id(8), Some(record_id(8))));
    assert_eq!(all_places(store).await, ["Roof"], "it is one record");
    assert!(queue(store).await.iter().all(|entry| entry.record_id == record_id(8)));
    batch(store).await;
    assert_eq!(answered(store, 1, won(8, 1)).await.won, 1);
    pulled(store, vec![echo]).await;
    assert_eq!(all_places(store).await, ["Roof"]);
}

/// A row that names the id of this device as both: nothing is re-keyed.
pub async fn an_echo_is_the_record(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    pulled(store, vec![RecordRow { client_id: Some(record_id(1)), ..row(1, 1) }]).await;
    assert_eq!(all_places(store).await, ["Gate 1"], "the create still lies over it");
    answered(store, 1, won(1, 1)).await;
    assert_eq!(all_places(store).await, ["Place 1"], "the row of this version is known");
}

/// `RecordReplica::apply_records`, rule 5.
pub async fn a_tombstone_removes_the_record(store: &dyn RecordStore) {
    pulled(store, (1..=3).map(|n| row(n, 1)).collect()).await;
    updated(store, 5, 2, field("place", "Roof")).await;
    batch(store).await;
    updated(store, 6, 2, field("count", 6)).await;
    created(store, 7).await;
    let report = buried(store, vec![tombstone(1, 2), tombstone(2, 2), tombstone(9, 2)]).await;

    assert_eq!(report, RecordApplyReport { changed: 0, removed: 2 });
    assert_eq!(all_places(store).await, ["Place 3", "Gate 7"]);
    let kept = conflicts(store).await;
    assert_eq!(kept.iter().map(|it| it.mutation_id).collect::<Vec<_>>(), mutations([6, 5]));
    assert_eq!((&kept[1].lost, &kept[1].won), (&field("place", "Roof"), &Fields::new()));
    assert_eq!((kept[1].noticed_at, kept[1].won_modified_at), (at(1000), at(1000)));
    assert_eq!(queued(store).await, mutations([7]));
    assert_eq!(answered(store, 5, RecordOutcome::Missing).await.unknown, 1, "a late answer changes nothing");
}

/// `RecordReplica::apply_records`, rule 5: both wanted it gone.
pub async fn a_tombstone_of_what_was_deleted_here_is_no_conflict(store: &dyn RecordStore) {
    pulled(store, vec![row(1, 1)]).await;
    updated(store, 2, 1, field("place", "Roof")).await;
    batch(store).await;
    deleted(store, 3, 1).await;
    buried(store, vec![tombstone(1, 2)]).await;
    assert!(queue(store).await.is_empty() && conflicts(store).await.is_empty());
}

/// A tombstone may name the id that a device made.
pub async fn a_tombstone_finds_the_record_by_the_id_of_the_device(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    let gone = RecordTombstone { client_id: Some(record_id(1)), ..tombstone(8, 2) };
    buried(store, vec![gone]).await;
    assert_eq!(seen(store, 1).await, None);
    assert_eq!(conflicts(store).await[0].lost, field("place", "Gate 1"), "what was written here is kept");
    pulled(store, vec![RecordRow { client_id: Some(record_id(1)), ..row(8, 1) }]).await;
    assert!(all_places(store).await.is_empty());
}

/// An older app has created the record twice, and somebody has deleted the first row: the second one is the record.
pub async fn a_tombstone_of_an_earlier_row_leaves_the_record(store: &dyn RecordStore) {
    let of_client = Some(record_id(1));
    pulled(store, vec![RecordRow { client_id: of_client, ..row(9, 1) }]).await;
    buried(store, vec![RecordTombstone { client_id: of_client, ..tombstone(8, 2) }]).await;
    assert_eq!(all_places(store).await, ["Place 9"]);
    buried(store, vec![RecordTombstone { client_id: of_client, ..tombstone(9, 2) }]).await;
    assert!(all_places(store).await.is_empty(), "the row keeps its id");
    stored(store, 2).await;
    pulled(store, vec![RecordRow { client_id: Some(record_id(2)), ..row(7, 1) }]).await;
    buried(store, vec![tombstone(2, 2)]).await;
    assert_eq!(all_places(store).await, ["Place 7"], "the first row had the id that the device made");
}

/// The same of a record that was created here and that the server had under another id.
pub async fn a_tombstone_of_an_earlier_row_leaves_a_re_keyed_record(store: &dyn RecordStore) {
    created(store, 1).await;
    batch(store).await;
    answered(store, 1, won(9, 1)).await;
    buried(store, vec![RecordTombstone { client_id: Some(record_id(1)), ..tombstone(8, 2) }]).await;
    assert_eq!(all_places(store).await, ["Gate 1"]);
    pulled(store, vec![RecordRow { client_id: Some(record_id(1)), ..row(10, 3) }]).await;
    assert_eq!(all_places(store).await, ["Place 10"], "a row of the record is the record");
}

/// `RecordReplica::apply_records`, rule 6.
pub async fn unknown_fields_are_kept(store: &dyn RecordStore) {
    let odd = Fields::new().with("weather", "rain").with("visitors", "many").with("tide", Value::Null);
    let tool = RecordRow { table: table("tools"), ..row(5, 1) };
    pulled(store, vec![row_with(1, 1, odd), tool]).await;
    let shown = visit(store, 1).await;
    assert_eq!(shown.fields, field("place", "Place 1"));
    assert_eq!(shown.extra, Fields::new().with("weather", "rain").with("visitors", "many"));

    pulled(store, vec![row_with(1, 2, Fields::new().with("visitors", 3).with("weather", "sun"))]).await;
    assert_eq!(visit(store, 1).await.fields, field("place", "Place 1").with("count", 3));
    assert_eq!(visit(store, 1).await.extra, field("weather", "sun"), "what fits by now leaves");
    pulled(store, vec![row_with(1, 3, Fields::new().with("visitors", true).with("weather", Value::Null))]).await;
    assert_eq!(visit(store, 1).await.fields, field("place", "Place 1"), "the row has no number now");
    assert_eq!(visit(store, 1).await.extra, field("visitors", true));
    pulled(store, vec![row_with(1, 4, field("visitors", Value::Null))]).await;
    assert_eq!(visit(store, 1).await.extra, Fields::new());
}

/// The declaration has a column that the server's table has not: a row takes nothing away.
pub async fn a_field_that_a_row_does_not_name_keeps_its_value(store: &dyn RecordStore) {
    pulled(store, vec![row_with(1, 1, Fields::new().with("visitors", 3).with("weather", "rain"))]).await;
    pulled(store, vec![row(1, 2)]).await;
    assert_eq!(visit(store, 1).await.fields.get("count"), Some(&3.into()));
    assert_eq!(visit(store, 1).await.extra, field("weather", "rain"));
}

/// `RecordReplica::apply_records`, rule 7.
pub async fn after_a_restore_any_row_counts(store: &dyn RecordStore) {
    let of = |epoch: &str, rows| RecordPage { epoch: Some(ServerEpoch::new(epoch)), ..page("0", rows) };
    pulled_page(store, of("a", vec![row(1, 9), row(2, 9), row(3, 9)])).await;
    buried(store, vec![tombstone(2, 10)]).await;
    pulled_page(store, of("a", vec![row_with(1, 5, field("place", "Older"))])).await;
    assert_eq!(place(store, 1).await, Some("Place 1".into()));

    let restored = vec![row_with(1, 5, field("place", "Restored")), row(2, 4)];
    pulled_page(store, of("b", restored)).await;

    assert_eq!(place(store, 1).await, Some("Restored".into()));
    assert_eq!(place(store, 2).await, Some("Place 2".into()), "its deletion never happened there");
    assert_eq!(place(store, 3).await, Some("Place 3".into()), "only a load says what is gone");
}

/// `RecordReplica::apply_records`: another process was faster.
pub async fn a_page_for_another_position_is_superseded(store: &dyn RecordStore) {
    loaded(store, vec![row(1, 1)]).await;
    for from in [None, Some(cursor("7"))] {
        let error = store.apply_records(from, &page("1", vec![row(2, 1)])).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (StorageErrorKind::Superseded, "apply_records"));
    }
    assert_eq!(seen(store, 2).await, None);
    assert_eq!(store.record_state().await.unwrap().cursor, Some(cursor("0")));
}

/// `RecordReplica::remember_records`.
pub async fn what_a_pass_has_learned_is_remembered(store: &dyn RecordStore) {
    assert_eq!(store.record_state().await.unwrap(), RecordSyncState::default());
    let memory = RecordMemory { lost: 3, unreadable: 1, ..RecordMemory::default() };
    store.remember_records(&memory, Some(at(50))).await.unwrap();
    store.remember_records(&memory, None).await.unwrap();
    let state = store.record_state().await.unwrap();
    assert_eq!((state.memory, state.last_success_at), (memory, Some(at(50))));
}

/// Two tables may have rows of one id, and a row only matches its own table.
pub async fn an_id_is_one_of_a_table(store: &dyn RecordStore) {
    created(store, 1).await;
    pulled(store, vec![site_row(1, 1)]).await;
    let moved = RecordTombstone { table: table("sites"), ..tombstone(1, 2) };
    buried(store, vec![moved]).await;
    assert_eq!(all_places(store).await, ["Gate 1"]);
    assert_eq!(store.count_records(&table("sites")).await.unwrap(), 0);
}

/// A column gets the values that rows had before it was declared, and rows that come later.
pub async fn a_renamed_column_follows_the_server(store: &dyn RecordStore) {
    pulled(store, vec![row_with(1, 1, field("sky", "rain"))]).await;
    let sky = Column::new(column("weather"), ColumnKind::Text).on_server(column("sky"));
    store.declare(&[visits().column(sky), sites()]).await.unwrap();
    assert_eq!(visit(store, 1).await.fields.get("weather"), Some(&"rain".into()));
    stored(store, 2).await;
    updated(store, 3, 1, field("weather", "sun")).await;
    pulled(store, vec![row_with(1, 2, field("sky", "fog"))]).await;
    assert_eq!(visit(store, 1).await.fields.get("weather"), Some(&"sun".into()));
    assert_eq!(visit(store, 1).await.modified_at, moment(3).at);
}

/// `RecordReplica::apply_records`, rule 6: what is nested too deep to be read again from a file is no value, and harms nothing else.
pub async fn deep_json_of_a_row_harms_no_query(store: &dyn RecordStore) {
    let calm = Fields::new().with("weather", "rain").with("notes", 1);
    pulled(store, vec![row_with(1, 1, calm.clone()), row_with(3, 1, calm)]).await;
    let deepest = Fields::new().with("weather", deep(READABLE_DEPTH)).with("notes", deep(READABLE_DEPTH));
    let deeper = Fields::new().with("weather", deep(127)).with("notes", deep(126));
    pulled(store, vec![row_with(1, 2, deeper), row(2, 1), row_with(3, 2, deepest)]).await;

    assert_eq!(all_places(store).await, ["Place 3", "Place 2", "Place 1"]);
    let shown = visit(store, 1).await;
    assert_eq!((shown.fields, shown.extra), (field("place", "Place 1"), Fields::new()), "the old values are not these");
    updated(store, 5, 1, field("place", "Roof")).await;
    updated(store, 6, 3, field("place", "Shed")).await;
    assert_eq!(all_places(store).await, ["Shed", "Place 2", "Roof"], "the rows below changes are kept, too");
    pulled(store, vec![row_with(1, 3, field("weather", "sun")), row_with(3, 3, field("notes", 2))]).await;
    assert_eq!(visit(store, 1).await.extra, field("weather", "sun"), "and it can be repaired");
    assert_eq!(visit(store, 3).await.fields, field("place", "Shed").with("notes", 2));
    assert_eq!(visit(store, 3).await.extra, field("weather", deep(READABLE_DEPTH)));
}

/// `RecordReplica::apply_records`, rule 1: a page may have both a row and a tombstone of a record. The versions decide, not the order.
pub async fn a_row_and_a_tombstone_of_one_page_are_told_apart_by_their_versions(store: &dyn RecordStore) {
    let both =
        RecordPage { tombstones: vec![tombstone(1, 2), tombstone(2, 1)], ..page("0", vec![row(1, 1), row(2, 2)]) };
    pulled_page(store, both).await;
    assert_eq!(all_places(store).await, ["Place 2"]);
    store.begin_record_load().await.unwrap();
    let load = RecordPage { tombstones: vec![tombstone(3, 2)], ..load_page("l", vec![row(2, 2), row(3, 1)]) };
    store.apply_records(None, &load).await.unwrap();
    assert_eq!(all_places(store).await, ["Place 2"], "the last page of a load brings nothing back");
}
