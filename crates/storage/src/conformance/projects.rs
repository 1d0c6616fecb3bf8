//! What other people's projects do to rows: what is too much for one is omitted, authors are gone, triggers write something
//! else than was sent, policies hide what they have shown.

use super::build::{
    ack, ada, conversation_id, direct, echo, history_page, message, messages, mutation_id, own_message_id, seq,
    tombstone,
};
use super::given::{
    acknowledged, answered, applied_history, batch, failure, loaded_thread, newest, outbox, pulled, pulled_messages,
    sent, stored, summary, texts, thread, unread,
};
use crate::{EntryState, Store};
use fieldpost_domain::{
    Acknowledgement, Changes, Conversation, ConversationKind, Message, Metadata, Omitted, PersonId, PushOutcome,
    Refusal, RefusalCode, Version,
};
use serde_json::json;

fn omitted(reason: &str, bytes: u64) -> Option<Omitted> {
    Some(Omitted { reason: reason.into(), bytes })
}

/// A row above a limit travels without what was too much; all the rest of it is there.
pub async fn what_was_omitted_is_said_in_its_place(store: &dyn Store) {
    let id = conversation_id(1);
    let large = Message { content: None, omitted: omitted("metadata_too_large", 34_000_000), ..message(id, 1, &ada()) };
    let newer = Message { content: None, omitted: omitted("a_new_reason", 7), ..message(id, 2, &ada()) };
    let kind = ConversationKind::Broadcast;
    let untold = Conversation { kind, omitted: omitted("subject_too_long", 34_000_001), ..direct(1, 2) };
    loaded_thread(store, untold.clone(), vec![large.clone(), newer.clone()]).await;

    let shown = newest(store, id, 10).await.messages;
    assert_eq!((&shown[0].omitted, &shown[1].omitted), (&large.omitted, &newer.omitted), "unknown reasons too");
    assert_eq!((shown[0].content.as_deref(), shown[0].sender_id, shown[0].seq), (None, ada().id, Some(seq(1))));
    assert_eq!(unread(store, id).await, 2, "they are there like any other");
    assert_eq!(summary(store, id).await.omitted, untold.omitted);

    let again = Message { version: Version::new(2), omitted: None, ..message(id, 1, &ada()) };
    let named = Conversation { version: Version::new(2), omitted: None, ..untold };
    pulled(store, thread(named, vec![again])).await;
    assert_eq!(
        (newest(store, id, 10).await.messages[0].omitted.clone(), summary(store, id).await.omitted),
        (None, None)
    );
}

/// The account of an author was deleted: nobody wrote it, which is the same for everybody.
pub async fn what_nobody_wrote_has_no_name_and_is_unread(store: &dyn Store) {
    let id = conversation_id(1);
    let orphaned = Message { sender_id: PersonId::NOBODY, ..message(id, 1, &ada()) };
    let opened = Conversation { created_by: PersonId::NOBODY, ..direct(1, 1) };
    loaded_thread(store, opened, vec![orphaned]).await;
    let shown = newest(store, id, 10).await.messages.remove(0);
    assert_eq!((shown.sender_id, shown.sender_name.as_str(), shown.mine), (PersonId::NOBODY, "", false));
    assert_eq!(unread(store, id).await, 1);
}

/// An account is deleted: what she wrote stays, and loses its name on devices that had it.
pub async fn what_somebody_wrote_who_is_gone_loses_its_name(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let orphaned = Message { sender_id: PersonId::NOBODY, version: Version::new(2), ..message(id, 1, &ada()) };
    pulled_messages(store, vec![orphaned]).await;
    assert_eq!(newest(store, id, 10).await.messages[0].sender_name, "");
    assert_eq!(unread(store, id).await, 1);
}

/// A trigger of the project changed what was sent: the answer has the row, and the sender sees what everybody sees.
pub async fn what_the_project_stored_instead_is_shown(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    sent(store, 1, id).await;
    let metadata = Some(Metadata::from_stored(json!({"seen_by": "filter"}).as_object().cloned().unwrap()));
    let row = Message { content: Some("own ****".to_owned()), metadata: metadata.clone(), ..echo(1, id, 1) };

    acknowledged(store, 1, Acknowledgement::Stored(Box::new(row))).await;

    let shown = store.message(own_message_id(1)).await.unwrap().unwrap();
    assert_eq!((shown.content.as_deref(), shown.metadata), (Some("own ****"), metadata));
    assert_eq!((shown.seq, shown.status.as_str()), (Some(seq(1)), "sent"));
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own ****"));
    assert!(outbox(store).await.is_empty());
}

/// The same, and the answer did not tell: whatever brings the row next is believed, although its version is known.
pub async fn a_known_version_that_says_something_else_is_believed(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    sent(store, 1, id).await;
    stored(store, 1, ack(1, id, 1)).await;
    let row = Message { content: Some("own ****".to_owned()), ..echo(1, id, 1) };
    let report = pulled_messages(store, vec![row.clone()]).await;
    assert_eq!((report.applied, report.new_messages), (1, 0));
    assert_eq!(texts(store, id).await, ["own ****"]);
    assert_eq!(pulled_messages(store, vec![row.clone()]).await.applied, 0, "once");

    let other = Message { content: Some("own …".to_owned()), ..row };
    let report = applied_history(store, history_page(id, 1, 1, vec![other])).await;
    assert_eq!(report.applied, 1, "a check counts it");
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own …"));
}

/// What the project itself refuses says so in its own words, and the person can decide about it.
pub async fn a_refusal_of_the_project_keeps_its_words(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    sent(store, 1, id).await;
    batch(store).await;
    let words = "You are suspended (P0001)".to_owned();
    let refusal = Refusal { code: RefusalCode::Refused, detail: Some(words) };
    answered(store, 1, PushOutcome::Rejected(refusal.clone())).await;

    let entry = outbox(store).await.remove(0);
    assert_eq!((failure(&entry), &entry.state), (Some(&RefusalCode::Refused), &EntryState::Failed(refusal.clone())));
    assert_eq!(newest(store, id, 1).await.messages[0].failure, Some(refusal));
    store.retry(mutation_id(1), super::build::at(800)).await.unwrap();
    assert_eq!(batch(store).await, [mutation_id(1)]);
}

/// A policy hides a message after a change: the deletion has the version that was shown, and wins. The row may be shown again,
/// as it was hidden or later.
pub async fn what_a_policy_withdraws_leaves_and_may_come_back(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    let shown = message(id, 2, &ada());
    let withdrawn = Changes { tombstones: vec![tombstone(shown.id, id, 2, 1)], ..Changes::default() };
    assert_eq!(pulled(store, withdrawn.clone()).await.applied, 1);
    assert_eq!((texts(store, id).await, unread(store, id).await), (vec!["message 1".to_owned()], 1));
    assert!(store.missing_ranges(10).await.unwrap().is_empty());

    assert_eq!(pulled_messages(store, vec![shown.clone()]).await.applied, 0, "a late answer does not bring it back");
    pulled_messages(store, vec![Message { version: Version::new(2), ..shown }]).await;
    assert_eq!((texts(store, id).await.len(), unread(store, id).await), (2, 2));
    assert_eq!(pulled(store, withdrawn).await.applied, 0, "nor does a late withdrawal take it");
    assert_eq!(texts(store, id).await.len(), 2);
}
