//! Typed models: only the fields that a model has are sent.

use fieldpost::{
    Client, Error, Fieldpost,
    records::{Fields, NearMiss, Severity, TableName, Value},
};
use fieldpost_domain::Changes;
use fieldpost_storage::{conformance::given, memory::MemoryStore};
use std::sync::Arc;

/// Iris has signed in and synced.
async fn client() -> Client {
    let store = Arc::new(MemoryStore::new());
    given::loaded(&*store, Changes::default()).await;
    let builder = Fieldpost::builder().store(store.clone()).record_store(store).clinical().local_only();
    builder.open().await.unwrap()
}

fn plank() -> NearMiss {
    NearMiss::new(uuid::Uuid::nil(), "fall", Severity::Minor, "a loose plank")
}

/// The fields of the only change that waits.
async fn queued(client: &Client) -> Fields {
    let queue = client.record_queue(10).await.unwrap();
    assert_eq!(queue.len(), 1);
    queue[0].fields.clone()
}

/// A null would take the place of the default that the server's table has.
#[tokio::test]
async fn what_a_new_record_does_not_have_is_not_sent_as_null() {
    let client = client().await;
    let near_misses = client.clinical().near_misses();
    let made = near_misses.create(&plank()).await.unwrap();
    let sent = queued(&client).await;
    assert!(sent.get("location").is_none() && sent.iter().all(|(_, value)| !value.is_null()), "{sent:?}");

    near_misses.update(made.id, |it| it.location = Some("Roof".into())).await.unwrap();
    near_misses.update(made.id, |it| it.location = None).await.unwrap();
    assert_eq!(queued(&client).await.get("location"), Some(&Value::Null), "what is cleared is");
}

#[tokio::test]
async fn a_number_that_is_not_finite_is_refused_and_clears_nothing() {
    let client = client().await;
    let near_misses = client.clinical().near_misses();
    let made = near_misses.create(&NearMiss { gps_lat: Some(51.5), ..plank() }).await.unwrap();
    let typed = near_misses.update(made.id, |it| it.gps_lat = Some(f64::NAN)).await;
    let untyped = client.records(&TableName::new("near_misses").unwrap());
    let untyped = untyped.update(made.id, Fields::new().with("gps_lat", f64::INFINITY)).await.map(drop);
    for refused in [typed.map(drop), untyped] {
        assert!(matches!(refused, Err(Error::InvalidRecord(_))), "{refused:?}");
    }
    assert_eq!(near_misses.get(made.id).await.unwrap().unwrap().model.gps_lat, Some(51.5));
}
