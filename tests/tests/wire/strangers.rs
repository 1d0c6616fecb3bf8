//! A server that is newer, or sends what cannot be read.

use crate::given::*;
use fieldpost::Error;
use fieldpost_tests::thread;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_no_longer_serves_this_protocol_says_so_and_nothing_is_lost() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    write(&ada, 1).await;
    site.reference.require_protocol(99);
    assert!(matches!(ada.trigger_message_sync().await, Err(Error::UpdateRequired)));
    assert_eq!(ada.pending().await.unwrap().pending, 1);
    site.reference.require_protocol(1);
    ada.trigger_message_sync().await.unwrap();
    assert_eq!(ada.pending().await.unwrap().pending, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_restored_from_a_backup_is_loaded_anew_and_the_outbox_goes_out() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let backup = site.reference.backup();
    write(&ada, 1).await;
    ada.trigger_message_sync().await.unwrap();
    site.reference.restore(&backup);
    write(&ada, 1).await;
    ada.trigger_message_sync().await.unwrap();
    let conversation = adas(&ada).await;
    assert_eq!(ada.pending().await.unwrap().pending, 0);
    assert_eq!(ada.pending().await.unwrap().failed, 1, "what the server lost waits for the person");
    let texts = thread(&ada, conversation).await;
    assert_eq!(texts.iter().filter(|row| row.0.is_some()).count(), 4);
}
