//! The server stops in the middle of things, answers are lost, and nothing is lost or doubled.

use crate::given::*;
use fieldpost::{Client, Error};
use fieldpost_devserver::{Endpoint, Fault};
use fieldpost_domain::ServerLimits;
use fieldpost_tests::thread;

/// Small batches and pages, so that there is a middle to stop in.
const SMALL: ServerLimits =
    ServerLimits { push_rows: 20, push_bytes: 1 << 20, page_rows: 20, page_bytes: 1 << 20, ..ServerLimits::PROTOCOL };

/// Syncs, and cuts every connection once an endpoint has been asked so often.
pub(crate) async fn sync_until(
    client: &Client,
    site: &Site,
    endpoint: Endpoint,
    times: usize,
) -> fieldpost::Result<()> {
    let cut = async {
        while site.server.requests().count(endpoint) < times {
            tokio::task::yield_now().await;
        }
        site.network.offline(true).await;
    };
    let (synced, ()) = tokio::join!(client.trigger_message_sync(), cut);
    synced.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_the_middle_of_a_push_loses_and_doubles_nothing() {
    let site = Site::with_limits(SMALL).await;
    let (_phone, ada) = site.client(ADA).await;
    let written = write(&ada, 200).await;
    site.server.requests().clear();
    assert!(matches!(sync_until(&ada, &site, Endpoint::Push, 3).await, Err(Error::Offline(_))));
    let left = ada.pending().await.unwrap().pending;
    assert!(left > 0 && left < 200, "stopped in the middle: {left} left");

    let site = site.restarted().await;
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(ada.pending().await.unwrap().pending, 0);
    assert_eq!(site.stored(adas(&ada).await, &written), vec![1; 200]);
    let order: Vec<_> = thread(&ada, adas(&ada).await).await.into_iter().map(|row| row.1).collect();
    assert_eq!(order[3..], written, "in the order in which they were written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_the_middle_of_a_pull_loses_and_doubles_nothing() {
    let site = Site::with_limits(SMALL).await;
    let (_phone, admin) = site.client(ADMIN).await;
    let conversation = adas(&admin).await;
    let contents: Vec<_> = (0..200).map(|number| format!("note {number}")).collect();
    let ada = site.reference.person_with(ADA).unwrap();
    let written: Vec<_> =
        site.reference.insert_messages(conversation, ada, &contents).into_iter().map(|message| message.id).collect();
    site.server.requests().clear();
    assert!(matches!(sync_until(&admin, &site, Endpoint::Pull, 3).await, Err(Error::Offline(_))));
    let here = thread(&admin, conversation).await.len();
    assert!(here > 3 && here < 203, "stopped in the middle: {here} are here");

    let _site = site.restarted().await;
    admin.trigger_message_sync().await.unwrap();
    let order: Vec<_> = thread(&admin, conversation).await.into_iter().map(|row| row.1).collect();
    assert_eq!(order[3..], written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_the_middle_of_a_first_load_goes_on_with_it() {
    let site = Site::with_limits(SMALL).await;
    let email = site.add_large_org(100, 10);
    let phone = site.phone();
    let client = phone.start().await;
    client.sign_in(email, fieldpost_remote::reference::DEMO_PASSWORD).await.unwrap();
    // A first screen of 20 conversations, and then more of the whole than that.
    assert!(sync_until(&client, &site, Endpoint::Bootstrap, 15).await.is_err());
    let here = client.conversations().await.unwrap().len();
    assert!(here > 20 && here < 100, "stopped in the middle: {here} are here, and can be read");
    drop(client);

    let site = site.restarted().await;
    let client = phone.start().await;
    client.trigger_message_sync().await.unwrap();
    let fetched = site.server.requests().count(Endpoint::Bootstrap);
    assert!(fetched < 45, "it went on where it was: {fetched} more pages");
    let all = client.conversations().await.unwrap();
    assert_eq!(all.len(), 100);
    for conversation in all {
        assert_eq!(thread(&client, conversation.id).await.len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_lost_or_cut_after_the_commit_double_nothing() {
    for fault in [Fault::LoseAnswer, Fault::CutAnswer, Fault::Reset] {
        let site = Site::new().await;
        let (phone, ada) = site.client(ADA).await;
        let written = write(&ada, 5).await;
        site.network.order(Endpoint::Push, 2, fault);
        let failed = ada.trigger_message_sync().await;
        assert!(failed.is_err(), "{fault:?}: {failed:?}");
        assert_eq!(ada.pending().await.unwrap().pending, 5, "{fault:?}");
        drop(ada);

        let ada = phone.start().await;
        ada.trigger_message_sync().await.unwrap();
        assert_eq!(site.stored(adas(&ada).await, &written), [1; 5], "{fault:?}");
        assert_eq!(ada.pending().await.unwrap().pending, 0, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_answers_for_a_server_that_is_down_loses_nothing() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let written = write(&ada, 2).await;
    site.network.order(None, 5, Fault::BadGateway);
    assert!(ada.trigger_message_sync().await.is_err());
    site.network.heal();
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(site.stored(adas(&ada).await, &written), [1; 2]);
}
