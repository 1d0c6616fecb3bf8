//! Older messages, fetched while passes run.

use crate::given::*;
use fieldpost_domain::Seq;
use fieldpost_remote::{RemoteErrorKind, reference::ReferenceServer};
use fieldpost_storage::{BootstrapReason, Replica};

#[tokio::test]
async fn a_history_page_overtaken_by_a_bootstrap_is_requested_again() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let thread = ada.thread().await;
    let overtake = async {
        // Wait until the request is sent; its response is held back.
        while ada.network.take_calls().is_empty() {
            tokio::task::yield_now().await;
        }
        ada.store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    };
    let (loaded, ()) = futures::future::join(ada.engine.load_older(thread, Seq::new(3)), overtake).await;
    loaded.unwrap();
    assert_eq!(ada.network.take_calls(), ["history"], "requested again");
    assert!(ada.is_bootstrapping().await);
}

#[tokio::test]
async fn a_page_of_older_messages_that_is_too_much_is_requested_again_and_smaller() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let thread = ada.thread().await;
    for kind in [RemoteErrorKind::StatementTimeout, RemoteErrorKind::TimedOut] {
        ada.network.take_calls();
        ada.network.fail_next(kind);
        ada.engine.load_older(thread, Seq::new(3)).await.unwrap();
        assert_eq!(ada.network.take_calls(), ["history", "history"], "{kind:?}");
    }
}
