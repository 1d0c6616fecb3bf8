//! Older messages, fetched beside passes.

use crate::given::*;
use fieldpost_domain::Seq;
use fieldpost_remote::reference::ReferenceServer;
use fieldpost_storage::{BootstrapReason, Replica};

#[tokio::test]
async fn a_page_of_history_that_a_bootstrap_overtook_is_asked_for_anew() {
    let server = ReferenceServer::demo();
    let ada = Phone::of(&server, ADA, 1).await;
    let thread = ada.thread().await;
    let overtake = async {
        // The call has left by now, and its answer is not here yet.
        while ada.network.take_calls().is_empty() {
            tokio::task::yield_now().await;
        }
        ada.store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    };
    let (loaded, ()) = futures::future::join(ada.engine.load_older(thread, Seq::new(3)), overtake).await;
    loaded.unwrap();
    assert_eq!(ada.network.take_calls(), ["history"], "once more");
    assert!(ada.bootstraps_again().await);
}
