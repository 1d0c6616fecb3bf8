//! What nobody can read blocks nothing.

use super::sql::{col, name, run};
use crate::{
    SqliteStore,
    db::Durability,
    entity::{
        record_queue::{Column as Q, Entity},
        value::Id,
    },
};
use fieldpost_domain::records::{Fields, RecordRefusalCode};
use fieldpost_storage::{
    NotPossible, StorageErrorKind,
    conformance::{
        build::mutation_id,
        records::{Phone, build, given},
    },
    records::RecordQueue,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use serde_json::Value;
use std::sync::Arc;

async fn ready() -> (tempfile::TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap());
    given::ready(&Phone { store: store.clone(), records: store.clone() }).await;
    (folder, store)
}

#[tokio::test]
async fn a_change_that_nobody_can_read_is_a_dead_letter_and_holds_no_other() {
    // Given
    let (_folder, store) = ready().await;
    given::stored(&*store, 1).await;
    given::updated(&*store, 2, 1, Fields::new().with("place", "Roof")).await;
    given::created(&*store, 3).await;
    let write = store.db.write("test", Durability::PowerCut).await.unwrap();
    let damaged = Entity::update_many()
        .col_expr(Q::Fields, Expr::value("{\"place\":"))
        .filter(Q::Id.eq(Id(mutation_id(2).as_uuid())));
    let damaged = write.tx().execute(&damaged).await;
    write.finish(damaged).await.unwrap();

    // Then it is shown as what it is before anybody sends
    assert_eq!(given::failure(&*store, 2).await, Some(RecordRefusalCode::Unreadable));

    // When
    let sent = given::batch(&*store).await;

    // Then
    assert_eq!(sent, [mutation_id(3)]);
    assert_eq!(given::counts(&*store, 600).await.failed, 1);
    assert_eq!(given::place(&*store, 1).await, Some("Gate 1".into()), "it is not shown");
    let retried = store.retry_record(mutation_id(2)).await.unwrap_err();
    assert_eq!(retried.kind(), StorageErrorKind::NotApplicable(NotPossible::Unreadable));
    store.cancel_record(mutation_id(2)).await.unwrap();
    assert_eq!(given::queued(&*store).await, [mutation_id(3)]);
    assert_eq!(build::record_id(1), given::visit(&*store, 1).await.id);
}

/// Another version, or a fault, has written this into visit number `n`.
async fn write_into(store: &SqliteStore, n: u64, column: &str, text: &str) {
    let write = store.db.write("test", Durability::PowerCut).await.unwrap();
    let written = Query::update()
        .table(name(super::tables::physical(&build::table("visits"))))
        .value(name(column), text)
        .and_where(col("id").eq(Id(build::record_id(n).as_uuid())))
        .to_owned();
    let written = run(write.tx(), &written).await;
    assert_eq!(write.finish(written).await.unwrap(), 1);
}

/// The number 1 in this many arrays.
fn deep(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test]
async fn what_is_nested_deeper_than_parsers_go_is_read_again() {
    // Given a file of an earlier version, which took anything
    let (_folder, store) = ready().await;
    given::pulled(&*store, vec![build::row_with(1, 1, Fields::new().with("weather", "rain")), build::row(2, 1)]).await;
    given::updated(&*store, 3, 2, Fields::new().with("count", 7)).await;
    write_into(&store, 1, "extra", &format!(r#"{{"weather":{}}}"#, deep(127))).await;
    write_into(&store, 1, "notes", &deep(256)).await;

    // Then
    assert_eq!(given::all_places(&*store).await, ["Place 2", "Place 1"]);
    let shown = given::visit(&*store, 1).await;
    assert_eq!(shown.fields.get("notes"), Some(&build::deep(256)), "nothing is lost");
    assert_eq!(shown.extra.get("weather"), Some(&build::deep(127)));
    given::updated(&*store, 4, 1, Fields::new().with("place", "Roof")).await;
    given::pulled(&*store, vec![build::row_with(1, 2, Fields::new().with("weather", "sun").with("notes", 1))]).await;
    let shown = given::visit(&*store, 1).await;
    assert_eq!((shown.fields.get("notes"), shown.extra.get("weather")), (Some(&1.into()), Some(&"sun".into())));
}

#[tokio::test]
async fn what_nobody_can_read_beside_a_record_costs_nothing_else() {
    // Given
    let (_folder, store) = ready().await;
    given::pulled(&*store, (1..=4).map(|n| build::row_with(n, 5, Fields::new().with("weather", "rain"))).collect())
        .await;
    given::updated(&*store, 6, 3, Fields::new().with("count", 7)).await;
    write_into(&store, 1, "extra", &deep(5_000)).await;
    write_into(&store, 2, "notes", &deep(5_000)).await;
    write_into(&store, 3, "base", &deep(5_000)).await;

    // Then
    assert_eq!(given::all_places(&*store).await, ["Place 4", "Place 3", "Place 2", "Place 1"]);
    assert_eq!(given::visit(&*store, 1).await.extra, Fields::new());
    assert_eq!(given::visit(&*store, 2).await.fields, Fields::new().with("place", "Place 2"));
    let fields = Fields::new().with("weather", "sun").with("notes", 1).with("visitors", Value::Null);
    let whole = (1..=4).map(|n| build::row_with(n, 5, fields.clone()));
    given::loaded(&*store, whole.collect()).await;
    for n in 1..=4 {
        let shown = given::visit(&*store, n).await;
        assert_eq!((shown.fields.get("notes"), shown.extra.get("weather")), (Some(&1.into()), Some(&"sun".into())));
    }
    assert_eq!(given::visit(&*store, 3).await.fields.get("count"), Some(&7.into()), "the change lies over the row");
    store.cancel_record(mutation_id(6)).await.unwrap();
    assert_eq!(given::visit(&*store, 3).await.fields, Fields::new().with("place", "Place 3").with("notes", 1));
}

#[tokio::test]
async fn a_deep_change_of_an_earlier_version_is_sent() {
    // Given
    let (_folder, store) = ready().await;
    given::created(&*store, 1).await;
    let fields = format!(r#"{{"place":"Roof","notes":{}}}"#, deep(127));
    let write = store.db.write("test", Durability::PowerCut).await.unwrap();
    let deepened =
        Entity::update_many().col_expr(Q::Fields, Expr::value(fields)).filter(Q::Id.eq(Id(mutation_id(1).as_uuid())));
    let deepened = write.tx().execute(&deepened).await;
    write.finish(deepened).await.unwrap();

    // Then
    let sent = given::taken(&*store, build::everything()).await;
    assert_eq!(sent[0].fields.get("notes"), Some(&build::deep(127)));
    given::answered(&*store, 1, build::won(1, 1)).await;
    assert_eq!(given::visit(&*store, 1).await.fields.get("notes"), Some(&build::deep(127)));
}
