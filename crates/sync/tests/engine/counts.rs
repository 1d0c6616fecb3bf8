//! How many requests a sync takes.

use crate::given::*;
use fieldpost_remote::reference::ReferenceServer;

#[tokio::test]
async fn a_sync_with_nothing_new_is_one_request() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.sync().await;
    assert_eq!(ada.network.take_calls(), ["pull"]);
}

#[tokio::test]
async fn five_hundred_messages_of_a_kilobyte_leave_in_at_most_five_requests() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    for number in 0..500 {
        ada.write(&format!("{number} {}", "x".repeat(1000))).await;
    }
    let report = ada.sync().await;
    assert_eq!(report.pushed, 500);
    let pushes = ada.network.take_calls().iter().filter(|call| **call == "push").count();
    assert!(pushes <= 5, "{pushes} pushes");
}

#[tokio::test]
async fn concurrent_triggers_share_passes() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let many = futures::future::join_all((0..10).map(|_| ada.engine.sync())).await;
    assert!(many.iter().all(Result::is_ok));
    let calls = ada.network.take_calls().len();
    assert!(calls <= 2, "ten triggers made {calls} passes");
}

#[tokio::test]
async fn a_sync_requested_during_a_pass_sends_the_new_write() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    ada.write("first").await;
    let late = async {
        ada.write("second").await;
        ada.sync().await
    };
    let (first, _) = futures::future::join(ada.engine.sync(), late).await;
    assert!(first.is_ok());
    assert_eq!(ada.pending().await, 0);
}
