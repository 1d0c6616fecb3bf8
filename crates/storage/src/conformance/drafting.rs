//! Drafts: what a person has begun to write stays on her device until she sends or removes it.

use super::Device;
use super::build::{
    ada, at, composed, conversation_id, direct, iris, messages, mutation_id, new_direct, own_message_id, session,
};
use super::given::{
    acknowledged, failure, loaded, loaded_thread, outbox, pulled, refused, send, summary, texts, unread,
};
use crate::{NotPossible, StorageErrorKind, Store, StoredDraft};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Changes, ConversationId, Mentions, Metadata, RefusalCode, Version,
};

async fn given_thread(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await
}

fn draft(conversation: ConversationId, text: &str) -> StoredDraft {
    StoredDraft::new(conversation, text, at(500))
}

/// A draft with everything in it.
fn full(conversation: ConversationId) -> StoredDraft {
    StoredDraft {
        reply_to: Some(super::build::message_id(conversation, 1)),
        mentions: Mentions::from([ada().id]),
        metadata: Metadata::new([("site".to_owned(), 7.into())].into_iter().collect()).ok(),
        ..draft(conversation, "  on my\nway ")
    }
}

async fn text(store: &dyn Store, conversation: ConversationId) -> Option<String> {
    store.draft(conversation).await.unwrap().map(|draft| draft.text)
}

/// `set_draft`: the list shows its first line, and nothing is queued.
pub async fn a_draft_shows_in_the_list(store: &dyn Store) {
    let id = given_thread(store).await;
    assert_eq!((store.draft(id).await.unwrap(), summary(store, id).await.draft), (None, None));

    store.set_draft(full(id)).await.unwrap();

    assert_eq!(store.draft(id).await.unwrap(), Some(full(id)));
    assert_eq!(store.drafts().await.unwrap(), [full(id)]);
    assert_eq!(summary(store, id).await.draft.as_deref(), Some("on my"));
    assert!(outbox(store).await.is_empty());
    assert_eq!(unread(store, id).await, 2);
    store.set_draft(draft(id, "\n \nanother")).await.unwrap();
    assert_eq!(summary(store, id).await.draft.as_deref(), Some("another"));
    store.set_draft(draft(id, "")).await.unwrap();
    assert_eq!((store.draft(id).await.unwrap(), summary(store, id).await.draft), (None, None), "an empty one is none");
    store.set_draft(draft(id, "again")).await.unwrap();
    store.clear_draft(id).await.unwrap();
    store.clear_draft(id).await.unwrap();
    assert!(store.drafts().await.unwrap().is_empty());
    let error = store.set_draft(draft(conversation_id(9), "to nobody")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
}

/// `send_draft`: one transaction.
pub async fn sending_a_draft_removes_it(store: &dyn Store) {
    let id = given_thread(store).await;
    store.set_draft(full(id)).await.unwrap();

    let sent = store.send_draft(mutation_id(1), own_message_id(1), id, at(600)).await.unwrap();

    assert_eq!(sent.content.as_deref(), Some("on my\nway"));
    assert_eq!(
        (sent.reply_to, &sent.mentions, &sent.metadata),
        (full(id).reply_to, &full(id).mentions, &full(id).metadata)
    );
    assert_eq!((store.draft(id).await.unwrap(), summary(store, id).await.draft), (None, None));
    assert_eq!(outbox(store).await.len(), 1);
    let error = store.send_draft(mutation_id(2), own_message_id(2), id, at(600)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert_eq!(outbox(store).await.len(), 1);
}

/// `send_draft`: a text that is no message's.
pub async fn a_draft_that_cannot_be_sent_stays(store: &dyn Store) {
    let id = given_thread(store).await;
    for text in [" \u{200b} ".to_owned(), "x".repeat(5001), "a\0b".to_owned()] {
        store.set_draft(draft(id, &text)).await.unwrap();
        let error = store.send_draft(mutation_id(1), own_message_id(1), id, at(600)).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::NotSendable));
        assert_eq!(store.draft(id).await.unwrap(), Some(draft(id, &text)));
    }
    assert!(outbox(store).await.is_empty());
}

/// The next start of the app finds it.
pub async fn a_draft_survives_a_restart(device: &dyn Device) {
    let store = device.open().await;
    let id = given_thread(&*store).await;
    store.set_draft(full(id)).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let store = device.open().await;
    assert_eq!(store.draft(id).await.unwrap(), Some(full(id)));
    assert_eq!(summary(&*store, id).await.draft.as_deref(), Some("on my"));
}

/// Signing out keeps what a person has not sent.
pub async fn a_draft_outlives_the_session(store: &dyn Store) {
    let id = given_thread(store).await;
    store.set_draft(draft(id, "unsaid")).await.unwrap();
    store.clear_session().await.unwrap();
    assert_eq!(text(store, id).await.as_deref(), Some("unsaid"));
    store.save_session(&session(&iris(), 2)).await.unwrap();
    assert_eq!(text(store, id).await.as_deref(), Some("unsaid"));
}

/// `apply_pull`: a revocation takes what others wrote, and not what the person is writing.
pub async fn a_draft_survives_the_loss_of_its_conversation(store: &dyn Store) {
    let id = given_thread(store).await;
    store.set_draft(draft(id, "unsaid")).await.unwrap();
    let access = vec![AccessChange { conversation_id: id, access: Access::Revoke, version: Version::new(1) }];
    pulled(store, Changes { access, ..Changes::default() }).await;

    assert_eq!(store.conversation(id).await.unwrap(), None);
    assert_eq!(text(store, id).await.as_deref(), Some("unsaid"));
    assert_eq!(store.drafts().await.unwrap().len(), 1);
    store.set_draft(draft(id, "still")).await.unwrap();
    let error = store.send_draft(mutation_id(1), own_message_id(1), id, at(600)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert_eq!(text(store, id).await.as_deref(), Some("still"));
}

/// `wipe`.
pub async fn a_wipe_takes_drafts_along(store: &dyn Store) {
    let id = given_thread(store).await;
    store.set_draft(draft(id, "unsaid")).await.unwrap();
    store.wipe().await.unwrap();
    assert!(store.drafts().await.unwrap().is_empty());
}

/// Opened offline: the draft moves to the canonical id.
pub async fn a_draft_follows_its_conversation(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let local = store.open_direct(mutation_id(1), new_direct(7)).await.unwrap().id;
    store.set_draft(draft(local, "unsaid")).await.unwrap();
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(30, 0)))).await;
    assert_eq!(store.drafts().await.unwrap(), [draft(conversation_id(30), "unsaid")]);
    store.set_draft(draft(local, "by the old id")).await.unwrap();
    assert_eq!(text(store, conversation_id(30)).await.as_deref(), Some("by the old id"));
}

/// The newer one is on top, and nothing of the other is lost.
pub async fn two_drafts_of_one_conversation_become_one(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let local = store.open_direct(mutation_id(1), new_direct(7)).await.unwrap().id;
    // The server's conversation is known, and was revoked: its draft has stayed.
    let canonical = conversation_id(30);
    let other = fieldpost_domain::Conversation { medic_id: Some(super::build::medic_id(9)), ..direct(30, 0) };
    pulled(store, Changes { conversations: vec![other], ..Changes::default() }).await;
    store.set_draft(StoredDraft { updated_at: at(501), ..draft(canonical, "newer") }).await.unwrap();
    store.set_draft(full(local)).await.unwrap();

    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(30, 0)))).await;

    let joined = store.draft(local).await.unwrap().unwrap();
    assert_eq!((joined.text.as_str(), joined.updated_at), ("newer\n  on my\nway ", at(501)));
    assert_eq!((joined.conversation_id, joined.reply_to), (canonical, full(local).reply_to));
    assert_eq!(store.drafts().await.unwrap(), [joined]);
}

/// A refused open parks what is sent, and the draft is a message like others by then.
pub async fn a_draft_for_a_refused_conversation_parks_when_it_is_sent(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let local = store.open_direct(mutation_id(1), new_direct(7)).await.unwrap().id;
    send(store, 2, composed(2, local)).await;
    refused(store, 1, RefusalCode::Forbidden).await;
    store.set_draft(draft(local, "unsaid")).await.unwrap();
    store.send_draft(mutation_id(3), own_message_id(3), local, at(600)).await.unwrap();
    assert_eq!(failure(&outbox(store).await[2]), Some(&RefusalCode::OpenRefused));
    assert_eq!(texts(store, local).await.last().map(String::as_str), Some("unsaid"));
    assert_eq!(text(store, local).await, None);
}
