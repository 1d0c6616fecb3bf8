//! Changes of stored messages: they show at once, are queued, and give way to the server's row.

use super::build::{
    ack, ada, at, ben, conversation_id, cursor, deleted, direct, echo, iris, message, message_id, mutation_id,
    own_message_id, pull_page, server, tombstone,
};
use super::given::{
    acknowledged, answered, batch, bootstrapped, failure, loaded_thread, mutations, newest, outbox, pulled,
    pulled_messages, refused, sent, stored, summary, texts, thread,
};
use crate::{BootstrapReason, EntryState, NotPossible, StorageErrorKind, StorageResult, Store, ThreadMessage};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Capability, Changes, ConversationId, EditMessage, Intent, Mentions, Message,
    MessageContent, MessageId, Mutation, PersonId, PullPage, PushOutcome, RefusalCode, ServerInfo, Version,
};

/// One thread with a message of Ada and one of Iris, on a server with the capabilities of `server`.
async fn given_server(store: &dyn Store, server: ServerInfo) -> ConversationId {
    let one = conversation_id(1);
    let id = loaded_thread(store, direct(1, 2), vec![message(one, 1, &ada()), echo(1, one, 2)]).await;
    let page = PullPage { server, ..pull_page("1", Changes::default()) };
    store.apply_pull(&cursor("0"), page).await.unwrap();
    id
}

async fn given_thread(store: &dyn Store) -> ConversationId {
    given_server(store, server()).await
}

/// Edits a message with mutation `n`.
async fn edit(store: &dyn Store, n: u64, message: MessageId, text: &str) -> StorageResult<ThreadMessage> {
    edit_mentioning(store, n, message, text, []).await
}

async fn edit_mentioning<const N: usize>(
    store: &dyn Store,
    n: u64,
    message_id: MessageId,
    text: &str,
    mentions: [PersonId; N],
) -> StorageResult<ThreadMessage> {
    let edit = EditMessage {
        // The store uses the conversation of the message instead.
        conversation_id: conversation_id(77),
        message_id,
        content: MessageContent::new(text).unwrap(),
        mentions: mentions.into(),
    };
    store.change(Mutation { id: mutation_id(n), intent: Intent::EditMessage(edit) }, at(600 + n)).await
}

/// Iris' message after an edit on the server.
fn edited(conversation: ConversationId, text: &str, version: u64) -> Message {
    let row = echo(1, conversation, 2);
    Message { content: Some(text.to_owned()), edited_at: Some(at(950)), version: Version::new(version), ..row }
}

fn mine() -> MessageId {
    own_message_id(1)
}

async fn shown(store: &dyn Store) -> ThreadMessage {
    store.message(mine()).await.unwrap().unwrap()
}

async fn shown_text(store: &dyn Store) -> (String, bool) {
    let message = shown(store).await;
    (message.content.unwrap_or_default(), message.changing)
}

fn text(text: &str, changing: bool) -> (String, bool) {
    (text.to_owned(), changing)
}

/// `change`: the edit shows at once in thread and list, and is queued.
pub async fn an_edit_shows_at_once_and_is_queued(store: &dyn Store) {
    let id = given_thread(store).await;

    let edited = edit_mentioning(store, 2, mine(), "own 1, at gate 3", [ada().id]).await.unwrap();

    assert_eq!((edited.content.as_deref(), edited.changing), (Some("own 1, at gate 3"), true));
    assert_eq!((edited.mentions.clone(), edited.edited_at), (Mentions::from([ada().id]), None));
    assert_eq!(newest(store, id, 9).await.messages.last(), Some(&edited));
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 1, at gate 3"));
    let waiting = outbox(store).await;
    assert_eq!((waiting[0].target_id, waiting[0].message_id), (Some(mine()), None));
    assert_eq!((waiting[0].conversation_id, waiting[0].content.as_deref()), (id, Some("own 1, at gate 3")));
    assert_eq!(store.changes_of(mine()).await.unwrap(), waiting);
    assert_eq!(store.entry_of(mine()).await.unwrap(), None, "nothing sends the message");
}

/// `change`: the mutation names the message and its conversation, and has the latest text.
pub async fn a_batch_contains_the_latest_edit(store: &dyn Store) {
    let id = given_thread(store).await;
    edit_mentioning(store, 2, mine(), "at gate 3", [ada().id, ben().id]).await.unwrap();

    let batch = store.next_batch(super::build::wide(), &Default::default()).await.unwrap();

    let content = MessageContent::new("at gate 3").unwrap();
    let mentions = [ada().id, ben().id].into();
    let edit = EditMessage { conversation_id: id, message_id: mine(), content, mentions };
    assert_eq!(batch, [Mutation { id: mutation_id(2), intent: Intent::EditMessage(edit) }]);
}

/// `settle`: the server's row replaces the shown text.
pub async fn an_acknowledged_edit_shows_the_servers_row(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();
    batch(store).await;

    acknowledged(store, 2, Acknowledgement::Stored(Box::new(edited(id, "at gate 3.", 2)))).await;

    assert_eq!(shown_text(store).await, text("at gate 3.", false));
    assert_eq!(shown(store).await.edited_at, Some(at(950)));
    assert!(outbox(store).await.is_empty());
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("at gate 3."));
}

/// A refused change becomes a dead letter, and the server's text shows again.
pub async fn a_refused_edit_shows_the_servers_text(store: &dyn Store) {
    let id = given_thread(store).await;
    edit_mentioning(store, 2, mine(), "at gate 3", [ada().id]).await.unwrap();
    batch(store).await;

    refused(store, 2, RefusalCode::Forbidden).await;

    assert_eq!((shown_text(store).await, shown(store).await.mentions), (text("own 1", false), Mentions::new()));
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::Forbidden));
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 1"));

    store.retry(mutation_id(2), at(800)).await.unwrap();
    assert_eq!(shown_text(store).await, text("at gate 3", true), "it is queued again");
}

/// `cancel`: the server's text shows again.
pub async fn a_cancelled_edit_shows_the_servers_text(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();

    let left = store.cancel(mutation_id(2)).await.unwrap();

    assert_eq!((left.len(), left[0].content.as_deref()), (1, Some("at gate 3")));
    assert_eq!(shown_text(store).await, text("own 1", false));
    assert_eq!(summary(store, id).await.last_message_preview.as_deref(), Some("own 1"));
}

/// `edit`: the text of a queued edit can be changed.
pub async fn a_queued_edit_can_be_edited(store: &dyn Store) {
    given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();

    store.edit(mutation_id(2), MessageContent::new("at gate 4").unwrap(), at(700)).await.unwrap();

    assert_eq!(shown_text(store).await, text("at gate 4", true));
    assert_eq!(outbox(store).await.len(), 1);
}

/// `change`: an edit replaces one that is not in flight, including a dead letter.
pub async fn an_edit_replaces_a_queued_one(store: &dyn Store) {
    given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();
    edit(store, 3, mine(), "at gate 4").await.unwrap();
    assert_eq!(batch(store).await, mutations([3]));
    refused(store, 3, RefusalCode::ContentTooLong).await;

    edit(store, 4, mine(), "at gate 5").await.unwrap();

    assert_eq!(outbox(store).await.len(), 1);
    assert_eq!(shown_text(store).await, text("at gate 5", true));
}

/// `change`: an edit in flight stays, and the new one follows it. Results and pages come in any order.
pub async fn an_edit_is_queued_behind_one_in_flight(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();
    batch(store).await;

    edit(store, 3, mine(), "at gate 4").await.unwrap();

    assert_eq!(batch(store).await, mutations([2, 3]));
    assert_eq!(shown_text(store).await, text("at gate 4", true));
    acknowledged(store, 2, Acknowledgement::Stored(Box::new(edited(id, "at gate 3", 2)))).await;
    assert_eq!(shown_text(store).await, text("at gate 4", true), "the newer one is still queued");
    acknowledged(store, 3, Acknowledgement::Stored(Box::new(edited(id, "at gate 4", 3)))).await;
    assert_eq!(shown_text(store).await, text("at gate 4", false));
}

/// `change`: a message that was never sent is sent with its new text.
pub async fn an_edit_of_an_unsent_message_changes_its_send(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;

    let edited = edit_mentioning(store, 6, own_message_id(5), "own 5, corrected", [ada().id]).await.unwrap();

    assert_eq!((edited.content.as_deref(), edited.changing), (Some("own 5, corrected"), false));
    assert_eq!(edited.mentions, Mentions::from([ada().id]));
    let sent = store.next_batch(super::build::wide(), &Default::default()).await.unwrap();
    assert_eq!((sent.len(), sent[0].id), (1, mutation_id(5)));
    assert!(matches!(&sent[0].intent, Intent::SendMessage(message)
        if message.content.as_str() == "own 5, corrected" && message.mentions == edited.mentions));
}

/// `change`: a refused message is sent again with its new text.
pub async fn an_edit_of_a_refused_message_sends_it_again(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    batch(store).await;
    refused(store, 5, RefusalCode::ContentTooLong).await;

    edit(store, 6, own_message_id(5), "shorter").await.unwrap();

    assert_eq!(batch(store).await, mutations([5]));
    assert_eq!(texts(store, id).await.last().map(String::as_str), Some("shorter"));
}

/// `change`: a message in flight may have arrived with its old text, so the edit follows it.
pub async fn an_edit_of_a_message_in_flight_is_queued_behind_it(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    batch(store).await;

    edit(store, 6, own_message_id(5), "own 5, corrected").await.unwrap();

    assert_eq!(batch(store).await, mutations([5, 6]));
    let now = async || store.message(own_message_id(5)).await.unwrap().unwrap();
    assert_eq!(now().await.content.as_deref(), Some("own 5, corrected"));
    stored(store, 5, ack(5, id, 3)).await;
    assert_eq!((now().await.content.as_deref(), now().await.changing), (Some("own 5, corrected"), true));
    refused(store, 6, RefusalCode::Forbidden).await;
    assert_eq!((now().await.content.as_deref(), now().await.changing), (Some("own 5"), false));
}

/// The server may know a message of an older app under another id; its changes follow.
pub async fn an_edit_follows_its_message_to_another_id(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    batch(store).await;
    edit(store, 6, own_message_id(5), "own 5, corrected").await.unwrap();
    let other = message(id, 3, &iris());

    acknowledged(store, 5, Acknowledgement::Stored(Box::new(other.clone()))).await;

    assert_eq!(outbox(store).await[0].target_id, Some(other.id));
    let now = store.message(other.id).await.unwrap().unwrap();
    assert_eq!((now.content.as_deref(), now.changing), (Some("own 5, corrected"), true));
}

/// Pages update the server's row; the change is still shown on top of it, and the new row shows when the change is
/// gone.
pub async fn a_page_updates_the_row_under_an_edit(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();

    pulled_messages(store, vec![edited(id, "from another device", 2)]).await;

    assert_eq!(shown_text(store).await, text("at gate 3", true));
    assert_eq!(shown(store).await.edited_at, Some(at(950)));
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(shown_text(store).await, text("from another device", false));
}

/// A repeated row is stale, whatever change is shown on top of it.
pub async fn a_row_that_comes_again_under_an_edit_is_stale(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();

    let report = pulled_messages(store, vec![echo(1, id, 2)]).await;

    assert_eq!((report.applied, report.stale), (0, 1));
    assert_eq!(shown_text(store).await, text("at gate 3", true));
}

/// A change stays queued whether or not a bootstrap brings its message.
pub async fn a_bootstrap_keeps_an_edit_on_its_message(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();
    for reason in [BootstrapReason::Reconcile, BootstrapReason::Epoch] {
        let rows = vec![message(id, 1, &ada()), echo(1, id, 2)];
        bootstrapped(store, reason, thread(direct(1, 2), rows)).await;
        assert_eq!(shown_text(store).await, text("at gate 3", true), "{reason:?}");
    }
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(shown_text(store).await, text("own 1", false));
}

/// When a message leaves, its edit stays until it is settled, and then waits for the person.
pub async fn an_edit_outlives_its_message(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();
    let gone = Changes { tombstones: vec![tombstone(mine(), id, 2, 5)], ..Changes::default() };
    pulled(store, gone).await;
    assert_eq!(store.message(mine()).await.unwrap(), None);
    assert_eq!(batch(store).await, mutations([2]));

    refused(store, 2, RefusalCode::MessageDeleted).await;

    assert_eq!(outbox(store).await[0].content.as_deref(), Some("at gate 3"));
    let error = store.retry(mutation_id(2), at(900)).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::MessageGone));
    store.cancel(mutation_id(2)).await.unwrap();
}

/// When a conversation is revoked, the changes of its messages become dead letters.
pub async fn an_edit_in_a_revoked_conversation_becomes_a_dead_letter(store: &dyn Store) {
    let id = given_thread(store).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();

    let change = AccessChange { conversation_id: id, access: Access::Revoke, version: Version::new(3) };
    pulled(store, Changes { access: vec![change], ..Changes::default() }).await;

    let left = outbox(store).await;
    assert_eq!((left.len(), failure(&left[0])), (1, Some(&RefusalCode::AccessLost)));
    assert_eq!(left[0].content.as_deref(), Some("at gate 3"));
}

/// `change`: only stored messages of one's own can be edited.
pub async fn only_ones_own_messages_can_be_edited(store: &dyn Store) {
    let id = given_thread(store).await;
    let kind = async |message| edit(store, 9, message, "not mine").await.unwrap_err().kind();
    assert_eq!(kind(message_id(id, 1)).await, StorageErrorKind::NotApplicable(NotPossible::AnotherPersons));
    assert_eq!(kind(own_message_id(99)).await, StorageErrorKind::NotFound);
    pulled_messages(store, vec![deleted(echo(1, id, 2))]).await;
    assert_eq!(kind(mine()).await, StorageErrorKind::NotApplicable(NotPossible::Deleted));
    assert!(outbox(store).await.is_empty());
}

/// `change`: an edit that changes nothing is not queued.
pub async fn an_edit_with_the_same_text_queues_nothing(store: &dyn Store) {
    given_thread(store).await;
    let same = edit(store, 2, mine(), "own 1").await.unwrap();
    assert_eq!((same.changing, outbox(store).await.len()), (false, 0));
}

/// An edit is not sent to a server without the capability, and it delays no other mutation.
pub async fn an_edit_waits_for_the_servers_capability(store: &dyn Store) {
    let id = given_server(store, ServerInfo { sql_version: Some(1), ..ServerInfo::default() }).await;
    edit(store, 2, mine(), "at gate 3").await.unwrap();
    sent(store, 5, id).await;
    assert_eq!(batch(store).await, mutations([5]));
    answered(store, 5, PushOutcome::Acknowledged(Acknowledgement::Bare)).await;
    assert_eq!(outbox(store).await[0].state, EntryState::NeedsServer(Capability::EditMessage));
    assert_eq!((batch(store).await, store.counts().await.unwrap().pending), (vec![], 1));
    assert_eq!(shown_text(store).await, text("at gate 3", true));

    let page = pull_page("2", Changes::default());
    store.apply_pull(&cursor("1"), page).await.unwrap();

    assert_eq!(batch(store).await, mutations([2]));
}
