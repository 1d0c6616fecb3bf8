//! What projects of other people do to rows: omit fields above a limit, delete accounts, change rows by triggers, and
//! hide rows by policies.

use super::build::{
    ack, ada, bootstrap_page, conversation_id, conversation_tombstone, cursor, digest, direct, echo, history_page,
    iris, message, messages, mutation_id, new_direct, other_direct, own_message_id, pull_page, seq, session, tombstone,
};
use super::given::{
    self, acknowledged, answered, applied_history, batch, failure, loaded_thread, newest, outbox, pulled,
    pulled_messages, sent, stored, summary, texts, thread, unread,
};
use crate::{BootstrapReason, EntryState, NewDirect, Older, Store};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, BootstrapPage, Capability, Changes, Conversation, ConversationDigest,
    ConversationId, ConversationKind, Covered, Message, Metadata, Omitted, PersonId, PullPage, PushOutcome, Refusal,
    RefusalCode, SeqRange, ServerInfo, Version,
};
use serde_json::json;

fn omitted(reason: &str, bytes: u64) -> Option<Omitted> {
    Some(Omitted { reason: reason.into(), bytes })
}

/// A field above its limit is omitted; all other fields are sent.
pub async fn an_omitted_field_is_reported_in_its_place(store: &dyn Store) {
    let id = conversation_id(1);
    let large = Message { content: None, omitted: omitted("metadata_too_large", 34_000_000), ..message(id, 1, &ada()) };
    let newer = Message { content: None, omitted: omitted("a_new_reason", 7), ..message(id, 2, &ada()) };
    let kind = ConversationKind::Broadcast;
    let without_subject = Conversation { kind, omitted: omitted("subject_too_long", 34_000_001), ..direct(1, 2) };
    loaded_thread(store, without_subject.clone(), vec![large.clone(), newer.clone()]).await;

    let shown = newest(store, id, 10).await.messages;
    assert_eq!((&shown[0].omitted, &shown[1].omitted), (&large.omitted, &newer.omitted), "unknown reasons too");
    assert_eq!((shown[0].content.as_deref(), shown[0].sender_id, shown[0].seq), (None, ada().id, Some(seq(1))));
    assert_eq!(unread(store, id).await, 2, "they are there like any other");
    assert_eq!(summary(store, id).await.omitted, without_subject.omitted);

    let again = Message { version: Version::new(2), omitted: None, ..message(id, 1, &ada()) };
    let named = Conversation { version: Version::new(2), omitted: None, ..without_subject };
    pulled(store, thread(named, vec![again])).await;
    assert_eq!(
        (newest(store, id, 10).await.messages[0].omitted.clone(), summary(store, id).await.omitted),
        (None, None)
    );
}

/// The author's account was deleted: nobody is the author, in the same way for everybody.
pub async fn a_message_of_a_deleted_account_has_no_name_and_is_unread(store: &dyn Store) {
    let id = conversation_id(1);
    let orphaned = Message { sender_id: PersonId::NOBODY, ..message(id, 1, &ada()) };
    let opened = Conversation { created_by: PersonId::NOBODY, ..direct(1, 1) };
    loaded_thread(store, opened, vec![orphaned]).await;
    let shown = newest(store, id, 10).await.messages.remove(0);
    assert_eq!((shown.sender_id, shown.sender_name.as_str(), shown.mine), (PersonId::NOBODY, "", false));
    assert_eq!(unread(store, id).await, 1);
}

/// An account is deleted: its messages stay, but lose their name.
pub async fn messages_lose_their_name_when_the_account_is_deleted(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let orphaned = Message { sender_id: PersonId::NOBODY, version: Version::new(2), ..message(id, 1, &ada()) };
    pulled_messages(store, vec![orphaned]).await;
    assert_eq!(newest(store, id, 10).await.messages[0].sender_name, "");
    assert_eq!(unread(store, id).await, 1);
}

/// A trigger of the project changed the row: the result has the row, and the sender sees it like everybody else.
pub async fn a_row_changed_by_a_trigger_is_shown(store: &dyn Store) {
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

/// The same, but the result does not contain the row: the next row counts, although its version is known.
pub async fn a_known_version_with_other_values_is_applied(store: &dyn Store) {
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

/// A refusal of the project keeps its own text, and the person can decide about it.
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

/// A policy hides a message after a change: the withdrawal has the version that was shown, and wins. The same row or a
/// newer one may come back.
pub async fn a_withdrawn_message_leaves_and_may_return(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    let shown = message(id, 2, &ada());
    let withdrawn = Changes { tombstones: vec![tombstone(shown.id, id, 2, 1)], ..Changes::default() };
    assert_eq!(pulled(store, withdrawn.clone()).await.applied, 1);
    assert_eq!((texts(store, id).await, unread(store, id).await), (vec!["message 1".to_owned()], 1));
    assert!(store.missing_ranges(10).await.unwrap().is_empty());

    assert_eq!(pulled_messages(store, vec![shown.clone()]).await.applied, 0, "a late answer does not bring it back");
    pulled_messages(store, vec![Message { version: Version::new(2), ..shown }]).await;
    assert_eq!((texts(store, id).await.len(), unread(store, id).await), (2, 2));
    assert_eq!(pulled(store, withdrawn).await.applied, 0, "a late withdrawal does not remove it");
    assert_eq!(texts(store, id).await.len(), 2);
}

fn covered(conversation: ConversationId, from: u64, to: u64) -> Covered {
    Covered { conversation_id: conversation, range: SeqRange { from: seq(from), to: seq(to) } }
}

/// Seqs of hidden messages are no gaps, in a pull and in a bootstrap.
pub async fn a_hidden_message_is_no_gap(store: &dyn Store) {
    let id = conversation_id(1);
    let parts = vec![covered(id, 1, 4)];
    let page = Changes { covered: parts, ..thread(direct(1, 4), messages(id, [2], &ada())) };
    given::loaded(store, page).await;
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
    assert_eq!(newest(store, id, 10).await.older, Older::Nothing, "from its beginning to its end");
    assert_eq!(unread(store, id).await, 1, "only visible messages");

    let rows =
        Changes { conversations: vec![direct(1, 8)], messages: messages(id, [5, 7], &ada()), ..Changes::default() };
    pulled(store, Changes { covered: vec![covered(id, 6, 6), covered(id, 8, 8)], ..rows }).await;
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
    assert_eq!(given::seqs(&newest(store, id, 10).await), [2, 5, 7]);
    assert_eq!((unread(store, id).await, given::read(store, 1, id).await), (3, 8));
}

/// A covered part that does not touch the recent range leaves the hole below it missing.
pub async fn a_hole_below_what_a_page_covers_stays_missing(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    let rows = Changes { conversations: vec![direct(1, 9)], messages: messages(id, [8], &ada()), ..Changes::default() };
    pulled(store, Changes { covered: vec![covered(id, 9, 9), covered(id, 7, 7)], ..rows }).await;
    assert_eq!(given::seqs(&newest(store, id, 10).await), [8]);
    assert_eq!(store.missing_ranges(10).await.unwrap().len(), 1);

    given::history(store, id, 3, 9, messages(id, [8], &ada())).await;
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
    assert_eq!(given::seqs(&newest(store, id, 10).await), [1, 2, 8]);
}

/// The server info of a page is stored.
pub async fn the_server_info_is_kept(store: &dyn Store) {
    assert_eq!(store.sync_state().await.unwrap().server, None);
    let old = ServerInfo { sql_version: Some(1), ..ServerInfo::default() };
    let new = ServerInfo { sql_version: Some(2), capabilities: [Capability::Ranges, Capability::SetDigest].into() };
    store.save_session(&session(&iris(), 1)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let page = BootstrapPage { server: old.clone(), ..bootstrap_page(Changes::default()) };
    store.apply_bootstrap(None, page).await.unwrap();
    assert_eq!(store.sync_state().await.unwrap().server, Some(old));
    let page = PullPage { server: new.clone(), ..pull_page("1", Changes::default()) };
    store.apply_pull(&cursor("0"), page).await.unwrap();
    assert_eq!(store.sync_state().await.unwrap().server, Some(new.clone()));
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    assert_eq!(store.sync_state().await.unwrap().server, Some(new));
}

/// The digest follows every conversation that comes or goes, in any way.
pub async fn the_digest_follows_every_change_of_the_set(store: &dyn Store) {
    let sent_digest = |numbers: Vec<u64>| Some(digest(numbers));
    let mut at = 0;
    let mut page = async |changes, digest| {
        at += 1;
        let page = PullPage { digest, ..pull_page(&at.to_string(), changes) };
        store.apply_pull(&cursor(&(at - 1).to_string()), page).await.unwrap().digest_matches
    };
    given::loaded(store, thread(direct(1, 0), vec![])).await;
    assert_eq!(page(Changes::default(), sent_digest(vec![1])).await, Some(true));
    assert_eq!(page(Changes::default(), sent_digest(vec![2])).await, Some(false), "of as many");
    let others = Changes { conversations: vec![other_direct(2, 0), other_direct(3, 0)], ..Changes::default() };
    assert_eq!(page(others, sent_digest(vec![1, 2, 3])).await, Some(true));
    let gone = Changes { tombstones: vec![conversation_tombstone(conversation_id(2), 9)], ..Changes::default() };
    assert_eq!(page(gone, sent_digest(vec![1, 3])).await, Some(true));
    let change = AccessChange { conversation_id: conversation_id(3), access: Access::Revoke, version: Version::new(4) };
    assert_eq!(page(Changes { access: vec![change], ..Changes::default() }, sent_digest(vec![1])).await, Some(true));

    // An opened conversation counts once the server has it, with its canonical id.
    let new = NewDirect { medic_id: super::build::medic_id(9), ..new_direct(20) };
    store.open_direct(mutation_id(20), new.clone()).await.unwrap();
    assert_eq!(page(Changes::default(), sent_digest(vec![1])).await, Some(true));
    let opened = Conversation { medic_id: Some(new.medic_id), ..direct(21, 0) };
    acknowledged(store, 20, Acknowledgement::Opened(Box::new(opened))).await;
    assert_eq!(page(Changes::default(), sent_digest(vec![1, 21])).await, Some(true));

    let sorted = ConversationDigest::sorted([conversation_id(1), conversation_id(21)]);
    assert_eq!(page(Changes::default(), Some(sorted)).await, Some(true), "as an older server sends it");
    assert!(store.check_digest().await.unwrap());
    given::bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 0), vec![])).await;
    let page = PullPage { digest: sent_digest(vec![1]), ..pull_page("1", Changes::default()) };
    assert_eq!(store.apply_pull(&cursor("0"), page).await.unwrap().digest_matches, Some(true));
    assert!(store.check_digest().await.unwrap());
}
