//! An app that goes to the background, is suspended and comes back, over real sockets and files.

use crate::given::*;
use fieldpost::{Client, Error, SyncStatus};
use std::time::Duration;

/// Waits until everything is on the server.
async fn synced(client: &Client) {
    let mut status = client.status();
    status.wait_for(|status| status.sync_status() == SyncStatus::Synced).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_client_sends_and_fetches_by_itself_until_it_is_stopped() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    ada.start().await;
    ada.start().await;
    let written = write(&ada, 3).await;
    synced(&ada).await;
    assert_eq!(site.stored(adas(&ada).await, &written), [1, 1, 1]);
    ada.stop().await;
    let late = write(&ada, 1).await;
    assert_eq!(ada.pending().await.unwrap().pending, 1);
    assert_eq!(site.stored(adas(&ada).await, &late), [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_app_has_no_hand_on_its_file_and_goes_on_when_it_is_back() {
    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    ada.start().await;
    ada.conversation(thread).send("before").await.unwrap();

    ada.pause().await.unwrap();
    ada.pause().await.unwrap();

    #[cfg(target_os = "linux")]
    assert_eq!(open_files(phone.file().parent().unwrap()), 0);
    assert!(matches!(ada.conversation(thread).send("while suspended").await, Err(Error::Paused)));
    assert!(matches!(ada.conversations().await, Err(Error::Paused)));
    assert!(matches!(ada.trigger_message_sync().await, Err(Error::Paused)));

    // Meanwhile the notification extension works on the same file.
    let extension = phone.start().await;
    extension.conversation(thread).send("answered from the notification").await.unwrap();
    extension.trigger_message_sync().await.unwrap();
    extension.close().await.unwrap();

    ada.resume().await.unwrap();
    let after = ada.conversation(thread).send("after").await.unwrap();
    synced(&ada).await;
    let texts: Vec<_> = fieldpost_tests::thread(&ada, thread).await.into_iter().filter_map(|row| row.2).collect();
    assert_eq!(texts[texts.len() - 3..], ["before", "answered from the notification", "after"]);
    assert_eq!(site.stored(thread, &[after.id()]), [1]);
}

/// How many files in this folder this process has open.
#[cfg(target_os = "linux")]
fn open_files(folder: &std::path::Path) -> usize {
    let handles = std::fs::read_dir("/proc/self/fd").unwrap();
    let files = handles.filter_map(|handle| std::fs::read_link(handle.unwrap().path()).ok());
    files.filter(|file| file.starts_with(folder)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn going_to_the_background_sends_what_waits_and_says_what_is_left() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let written = write(&ada, 2).await;
    assert_eq!(ada.background(Duration::from_secs(20)).await.unwrap().pending, 0);
    assert_eq!(site.stored(adas(&ada).await, &written), [1, 1]);
    site.network.offline(true).await;
    write(&ada, 2).await;
    assert_eq!(ada.background(Duration::from_secs(20)).await.unwrap().pending, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_its_extension_at_the_same_time_send_everything_once() {
    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    let extension = phone.start().await;
    let (mine, theirs) = tokio::join!(write(&ada, 20), write(&extension, 20));
    let (one, two) = tokio::join!(ada.trigger_message_sync(), extension.trigger_message_sync());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.pushed + two.pushed, one.repeated + two.repeated), (40, 0));
    let stored = site.stored(adas(&ada).await, &[mine, theirs].concat());
    assert!(stored.iter().all(|times| *times == 1), "{stored:?}");
}
