//! Items of an older app follow the records that they name, and are touched in no other way.

use crate::{
    SqliteStore,
    db::Durability,
    entity::carried_items::{ActiveModel, Entity},
};
use fieldpost_storage::{
    conformance::records::{Phone, build, given},
    records::RecordQueue,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait,
};
use std::sync::Arc;

#[tokio::test]
async fn carried_items_follow_a_re_keyed_record() {
    // Given
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("fieldpost.db")).await.unwrap());
    given::ready(&Phone { store: store.clone(), records: store.clone() }).await;
    let payload = |of: u64| format!("{{\"treatment_id\":\"{}\",  \"path\":\"a.jpg\"}}", build::record_id(of));
    let photo = ActiveModel {
        pk: NotSet,
        id: Set("q7".to_owned()),
        table_name: Set("photo_uploads".to_owned()),
        record_id: Set(build::record_id(1).to_string()),
        operation: Set("upload".to_owned()),
        idempotency_key: Set("k7".to_owned()),
        payload: Set(payload(1)),
        priority: Set(3),
        retry_count: Set(2),
        created_at: Set(None),
    };
    let write = store.db.write("test", Durability::PowerCut).await.unwrap();
    let carried = write.tx().execute(&Entity::insert(photo)).await;
    write.finish(carried).await.unwrap();

    // When
    given::created(&*store, 1).await;
    given::batch(&*store).await;
    given::answered(&*store, 1, build::won(8, 1)).await;

    // Then
    let [item] = &store.carried_items().await.unwrap()[..] else { panic!("one item is carried") };
    assert_eq!((item.record_id.as_str(), item.payload.as_str()), (&*build::record_id(8).to_string(), &*payload(8)));
    assert_eq!(given::counts(&*store, 600).await.carried, 1);
    assert!(store.remove_carried_item("q7").await.unwrap());
    assert!(!store.remove_carried_item("q7").await.unwrap());
    assert_eq!(given::counts(&*store, 600).await.carried, 0);
}
