//! Signing out, and what stays on the device.

use crate::given::*;
use fieldpost::{Error, Wipe};
use fieldpost_remote::reference::DEMO_PASSWORD;

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_says_what_was_never_sent_and_keeps_it() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let written = write(&ada, 2).await;
    let unsent = ada.sign_out(Wipe::Keep).await.unwrap();
    let ids: Vec<_> = unsent.iter().filter_map(|entry| entry.message_id).collect();
    assert_eq!(ids, written);
    assert_eq!(unsent[0].content.as_deref(), Some("note 0"));
    assert!(matches!(ada.trigger_message_sync().await, Err(Error::SignedOut)));
    assert!(matches!(ada.sign_in(ADMIN, DEMO_PASSWORD).await, Err(Error::WrongAccount)));
    ada.sign_in(ADA, DEMO_PASSWORD).await.unwrap();
    assert_eq!(ada.trigger_message_sync().await.unwrap().pushed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_wiped_is_anybodys() {
    let site = Site::new().await;
    let (phone, ada) = site.client(ADA).await;
    ada.start().await;
    ada.set_online(false);
    write(&ada, 1).await;
    assert_eq!(ada.sign_out(Wipe::Everything).await.unwrap().len(), 1);
    assert!(ada.conversations().await.unwrap().is_empty());
    assert!(ada.outbox(10).await.unwrap().is_empty());
    assert_eq!((ada.status().borrow().pending, ada.status().borrow().signed_in), (0, false));
    for entry in std::fs::read_dir(phone.file().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"note 0"));
    }

    ada.set_online(true);
    ada.sign_in(ADMIN, DEMO_PASSWORD).await.unwrap();
    let admin = ada;
    admin.trigger_message_sync().await.unwrap();
    assert!(admin.conversations().await.unwrap().len() > 1);
}
