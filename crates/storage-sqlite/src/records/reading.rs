//! A change that nobody can read blocks nothing.

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
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use std::sync::Arc;

#[tokio::test]
async fn a_change_that_nobody_can_read_is_a_dead_letter_and_holds_no_other() {
    // Given
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap());
    given::ready(&Phone { store: store.clone(), records: store.clone() }).await;
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
