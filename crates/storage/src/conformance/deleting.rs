//! Deleted messages: their content leaves at once, and the deletion is queued until the server has it.

use super::build::{
    ack, ada, at, conversation_id, deleted, direct, echo, iris, message, message_id, mutation_id, own_message_id,
};
use super::given::{
    acknowledged, answered, batch, bootstrapped, failure, loaded_thread, mutations, newest, outbox, pulled,
    pulled_messages, refused, sent, stored, summary, thread, unread,
};
use crate::{BootstrapReason, NotPossible, StorageErrorKind, StorageResult, Store, ThreadMessage};
use fieldpost_domain::{
    Acknowledgement, Capability, Changes, ConversationId, DeleteMessage, EditMessage, Intent, Mentions, Message,
    MessageContent, MessageId, Metadata, Mutation, Person, PullPage, PushOutcome, RefusalCode, Role, ServerInfo,
    Version,
};

/// One thread with a message of Ada and one of Iris, who is an admin.
async fn given_thread(store: &dyn Store) -> ConversationId {
    let one = conversation_id(1);
    let metadata = Metadata::new([("site".to_owned(), 7.into())].into_iter().collect()).ok();
    let own = Message { metadata, mentions: Mentions::from([ada().id]), ..echo(1, one, 2) };
    let id = loaded_thread(store, direct(1, 2), vec![message(one, 1, &ada()), own]).await;
    let server =
        ServerInfo { sql_version: Some(2), capabilities: [Capability::EditMessage, Capability::DeleteMessage].into() };
    let page = PullPage { server, ..super::build::pull_page("1", Changes::default()) };
    store.apply_pull(&super::build::cursor("0"), page).await.unwrap();
    id
}

/// Deletes a message with mutation `n`.
async fn delete(store: &dyn Store, n: u64, message_id: MessageId) -> StorageResult<ThreadMessage> {
    // The store uses the conversation of the message instead.
    let deletion = DeleteMessage { conversation_id: conversation_id(77), message_id, deleted_at: at(600 + n) };
    store.change(Mutation { id: mutation_id(n), intent: Intent::DeleteMessage(deletion) }, at(600 + n)).await
}

async fn edit(store: &dyn Store, n: u64, message_id: MessageId) -> StorageResult<ThreadMessage> {
    let content = MessageContent::new("another text").unwrap();
    let edit = EditMessage { conversation_id: conversation_id(77), message_id, content, mentions: Mentions::new() };
    store.change(Mutation { id: mutation_id(n), intent: Intent::EditMessage(edit) }, at(600 + n)).await
}

fn mine() -> MessageId {
    own_message_id(1)
}

async fn shown(store: &dyn Store, message: MessageId) -> ThreadMessage {
    store.message(message).await.unwrap().unwrap()
}

/// Whether it shows as deleted, with nothing of its content, and whether that is pending.
async fn gone(store: &dyn Store, message: MessageId) -> (bool, bool) {
    let message = shown(store, message).await;
    let empty = message.content.is_none() && message.metadata.is_none() && message.mentions.is_empty();
    assert_eq!(message.deleted, empty, "{message:?}");
    (message.deleted, message.changing)
}

/// `change`: the content leaves at once, in thread and list; the message keeps its place.
pub async fn a_deleted_message_loses_its_content_at_once(store: &dyn Store) {
    let id = given_thread(store).await;

    let deleted = delete(store, 2, mine()).await.unwrap();

    assert_eq!((deleted.id, deleted.seq, deleted.deleted), (mine(), shown(store, mine()).await.seq, true));
    assert_eq!(newest(store, id, 9).await.messages.last(), Some(&deleted));
    assert_eq!(gone(store, mine()).await, (true, true));
    assert_eq!(summary(store, id).await.last_message_preview, None);
    let waiting = outbox(store).await;
    assert_eq!(
        (waiting[0].target_id, waiting[0].conversation_id, waiting[0].content.clone()),
        (Some(mine()), id, None)
    );
    assert_eq!(batch(store).await, mutations([2]));
}

/// `settle`: the server's row stays without its content.
pub async fn an_acknowledged_deletion_shows_the_servers_row(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await.unwrap();
    batch(store).await;
    acknowledged(store, 2, Acknowledgement::Stored(Box::new(deleted(echo(1, id, 2))))).await;
    assert_eq!(gone(store, mine()).await, (true, false));
    assert!(outbox(store).await.is_empty());
    pulled_messages(store, vec![echo(1, id, 2)]).await;
    assert_eq!(gone(store, mine()).await, (true, false), "an older row brings nothing back");
}

/// A refused deletion becomes a dead letter, and the message shows again; so it does after `cancel`.
pub async fn a_refused_deletion_shows_the_message_again(store: &dyn Store) {
    let id = given_thread(store).await;
    let before = shown(store, mine()).await;
    delete(store, 2, mine()).await.unwrap();
    batch(store).await;

    refused(store, 2, RefusalCode::Forbidden).await;

    assert_eq!(shown(store, mine()).await, before);
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 1"));
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::Forbidden));
    store.retry(mutation_id(2), at(800)).await.unwrap();
    assert_eq!(gone(store, mine()).await, (true, true));
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(shown(store, mine()).await, before);
}

/// `change`: a deletion replaces the edits that are not in flight, also dead letters.
pub async fn a_deletion_replaces_the_edits_of_its_message(store: &dyn Store) {
    given_thread(store).await;
    edit(store, 2, mine()).await.unwrap();
    batch(store).await;
    refused(store, 2, RefusalCode::ContentTooLong).await;
    edit(store, 3, mine()).await.unwrap();

    delete(store, 4, mine()).await.unwrap();

    assert_eq!(batch(store).await, mutations([4]));
    assert_eq!(outbox(store).await.len(), 1);
}

/// `change`: an edit in flight stays, and the deletion follows it.
pub async fn a_deletion_follows_an_edit_in_flight(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine()).await.unwrap();
    batch(store).await;

    delete(store, 3, mine()).await.unwrap();

    assert_eq!(batch(store).await, mutations([2, 3]));
    let edited = Message { content: Some("another text".to_owned()), version: Version::new(2), ..echo(1, id, 2) };
    acknowledged(store, 2, Acknowledgement::Stored(Box::new(edited))).await;
    assert_eq!(gone(store, mine()).await, (true, true), "delete beats edit");
}

/// `change`: a message that was never sent is taken back, and nothing is sent; so is one that was refused.
pub async fn a_deletion_of_an_unsent_message_takes_it_back(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    sent(store, 6, id).await;
    delete(store, 7, own_message_id(6)).await.unwrap();
    batch(store).await;
    refused(store, 5, RefusalCode::ContentTooLong).await;

    let taken_back = delete(store, 8, own_message_id(5)).await.unwrap();

    assert_eq!((taken_back.deleted, taken_back.content, taken_back.failure), (true, None, None));
    assert!(outbox(store).await.is_empty());
    for n in [5, 6] {
        assert_eq!(store.message(own_message_id(n)).await.unwrap(), None);
    }
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 1"));
}

/// `change`: a message in flight may have arrived, so the deletion follows it.
pub async fn a_deletion_of_a_message_in_flight_is_queued_behind_it(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    batch(store).await;

    delete(store, 6, own_message_id(5)).await.unwrap();

    assert_eq!(batch(store).await, mutations([5, 6]));
    assert_eq!(gone(store, own_message_id(5)).await, (true, true));
    stored(store, 5, ack(5, id, 3)).await;
    assert_eq!(gone(store, own_message_id(5)).await, (true, true));
    let row = deleted(echo(5, id, 3));
    acknowledged(store, 6, Acknowledgement::Stored(Box::new(row))).await;
    assert_eq!(gone(store, own_message_id(5)).await, (true, false));
}

/// Pages and bootstraps bring nothing of the content back while the deletion waits.
pub async fn a_page_does_not_show_what_is_being_deleted(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await.unwrap();
    let newer = Message { content: Some("from elsewhere".to_owned()), version: Version::new(3), ..echo(1, id, 2) };
    pulled_messages(store, vec![newer.clone()]).await;
    assert_eq!(gone(store, mine()).await, (true, true));
    let rows = vec![message(id, 1, &ada()), newer];
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 2), rows)).await;
    assert_eq!(gone(store, mine()).await, (true, true));
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(shown(store, mine()).await.content.as_deref(), Some("from elsewhere"));
}

/// A page says that the message was deleted while an edit of it waits: neither thread nor list shows the edit's text.
pub async fn an_edit_that_waits_shows_nothing_of_a_deleted_message(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine()).await.unwrap();
    pulled_messages(store, vec![deleted(echo(1, id, 2))]).await;
    assert!(gone(store, mine()).await.0);
    assert_eq!(summary(store, id).await.last_message_preview, None);
}

/// `change`: what is deleted cannot be edited; deleting it again does nothing.
pub async fn what_is_deleted_stays_deleted(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await.unwrap();
    let kind = edit(store, 3, mine()).await.unwrap_err().kind();
    assert_eq!(kind, StorageErrorKind::NotApplicable(NotPossible::Deleted));
    assert_eq!(delete(store, 4, mine()).await.unwrap(), shown(store, mine()).await);
    assert_eq!(batch(store).await, mutations([2]));
    acknowledged(store, 2, Acknowledgement::Stored(Box::new(deleted(echo(1, id, 2))))).await;
    assert!(delete(store, 5, mine()).await.unwrap().deleted);
    assert!(outbox(store).await.is_empty());
    assert_eq!(delete(store, 9, own_message_id(99)).await.unwrap_err().kind(), StorageErrorKind::NotFound);
}

/// `change`: an admin deletes what others of the org wrote, which is not unread any more; a medic does not.
pub async fn an_admin_deletes_what_others_wrote(store: &dyn Store) {
    let id = given_thread(store).await;
    let hers = message_id(id, 1);
    assert_eq!((unread(store, id).await, store.total_unread().await.unwrap()), (1, 1));
    delete(store, 2, hers).await.unwrap();
    assert_eq!(gone(store, hers).await, (true, true));
    assert_eq!((unread(store, id).await, store.total_unread().await.unwrap()), (0, 0));
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!((unread(store, id).await, store.total_unread().await.unwrap()), (1, 1));

    let no_admin = Person { role: Role::Medic, version: Version::new(9), ..iris() };
    pulled(store, Changes { people: vec![no_admin], ..Changes::default() }).await;
    let kind = delete(store, 3, hers).await.unwrap_err().kind();
    assert_eq!(kind, StorageErrorKind::NotApplicable(NotPossible::AnotherPersons));
    delete(store, 4, mine()).await.unwrap();
}

/// A restored server has the message as it was: its author's deletion is made again, once.
pub async fn a_deletion_that_the_server_has_forgotten_is_made_again(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await.unwrap();
    batch(store).await;
    acknowledged(store, 2, Acknowledgement::Stored(Box::new(deleted(echo(1, id, 2))))).await;
    pulled_messages(store, vec![deleted(message(id, 1, &ada()))]).await;
    for _ in 0..2 {
        let rows = vec![message(id, 1, &ada()), echo(1, id, 2)];
        bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 2), rows)).await;

        assert_eq!(gone(store, mine()).await, (true, true));
        let waiting = outbox(store).await;
        assert_eq!((waiting.len(), waiting[0].target_id), (1, Some(mine())));
    }
    assert_eq!(gone(store, message_id(id, 1)).await, (false, false), "what others wrote is their device's business");
}

/// A restored server has lost the message that is being deleted: it does not come back as a dead letter.
pub async fn what_is_being_deleted_is_not_missed_when_the_server_loses_it(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await.unwrap();
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 1), vec![message(id, 1, &ada())])).await;
    assert_eq!(store.message(mine()).await.unwrap(), None);
    assert_eq!(mutations([2]), outbox(store).await.iter().map(|entry| entry.mutation_id).collect::<Vec<_>>());
}

/// `settle`: somebody has deleted the message for good meanwhile; the deletion leaves with it.
pub async fn a_deletion_of_what_is_gone_is_done(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await.unwrap();
    batch(store).await;
    let tombstone = super::build::tombstone(mine(), id, 2, 5);
    answered(store, 2, PushOutcome::Acknowledged(Acknowledgement::Deleted(tombstone))).await;
    assert_eq!((store.message(mine()).await.unwrap(), outbox(store).await.len()), (None, 0));
}

/// `settle`: what was to be deleted is gone. The deletion is done: it leaves, and the message stays deleted until the server
/// says something else.
pub async fn a_deletion_refused_because_it_is_gone_is_done(store: &dyn Store) {
    for code in [RefusalCode::MessageDeleted, RefusalCode::ConversationDeleted] {
        let id = given_thread(store).await;
        delete(store, 2, mine()).await.unwrap();
        batch(store).await;

        refused(store, 2, code).await;

        assert!(outbox(store).await.is_empty());
        assert_eq!(gone(store, mine()).await, (true, false));
        assert_eq!(summary(store, id).await.last_message_preview, None);
        bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 1), vec![message(id, 1, &ada())])).await;
        assert!(outbox(store).await.is_empty(), "nor is it called lost");
        store.wipe().await.unwrap();
    }
}
