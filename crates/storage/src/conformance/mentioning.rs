//! Mentions: unread ones are counted as unread messages are, and nobody is mentioned who may not see the conversation.

use super::build::{
    ada, at, ben, broadcast, composed, conversation_id, deleted, direct, echo, iris, message, message_id, messages,
    mutation_id, own_message_id, read_to, tombstone,
};
use super::given::{
    bootstrapped, history, loaded, loaded_thread, outbox, pulled, pulled_messages, read, read_up_to, send, summary,
};
use crate::{BootstrapReason, NotPossible, StorageErrorKind, Store};
use fieldpost_domain::{
    Changes, Conversation, ConversationId, DeleteMessage, EditMessage, Intent, Mentions, Message, MessageContent,
    Mutation, NewMessage, Person, PersonId, Version,
};

fn mentioning(message: Message) -> Message {
    Message { mentions: Mentions::from([iris().id]), ..message }
}

/// Ada has written three messages; the first and the last mention Iris.
async fn given_thread(store: &dyn Store) -> ConversationId {
    let one = conversation_id(1);
    let [a, b, c] = messages(one, 1..=3, &ada()).try_into().unwrap();
    loaded_thread(store, direct(1, 3), vec![mentioning(a), b, mentioning(c)]).await
}

/// Of the conversation and of all: unread messages, and mentions among them.
async fn counts(store: &dyn Store, conversation: ConversationId) -> (u64, u64) {
    let line = summary(store, conversation).await;
    assert_eq!(store.total_unread_mentions().await.unwrap(), line.unread_mentions);
    (line.unread, line.unread_mentions)
}

/// Unread mentions are the unread messages that mention the reader; reading takes them away.
pub async fn unread_mentions_are_counted_until_they_are_read(store: &dyn Store) {
    let id = given_thread(store).await;
    assert_eq!(counts(store, id).await, (3, 2));
    read_up_to(store, 1, id, 1).await;
    assert_eq!(counts(store, id).await, (2, 1));
    pulled_messages(store, vec![mentioning(message(id, 4, &ada())), mentioning(message(id, 5, &iris()))]).await;
    assert_eq!(counts(store, id).await, (3, 2), "one's own message counts for nothing");
    read(store, 2, id).await;
    assert_eq!(counts(store, id).await, (0, 0));
}

/// The thread says which messages mention the reader.
pub async fn a_message_says_whether_it_mentions_the_reader(store: &dyn Store) {
    let id = given_thread(store).await;
    let shown = super::given::newest(store, id, 9).await.messages;
    assert_eq!(shown.iter().map(|message| message.mentions_me).collect::<Vec<_>>(), [true, false, true]);
}

/// A mention leaves the count with its message, whoever deletes it and however.
pub async fn a_deleted_mention_is_not_counted(store: &dyn Store) {
    let id = given_thread(store).await;
    let deletion = DeleteMessage { conversation_id: id, message_id: message_id(id, 1), deleted_at: at(601) };
    let mutation = Mutation { id: mutation_id(1), intent: Intent::DeleteMessage(deletion) };
    store.change(mutation, at(601)).await.unwrap();
    assert_eq!(counts(store, id).await, (2, 1), "as an admin, before the server knows");
    store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!(counts(store, id).await, (3, 2));
    pulled_messages(store, vec![deleted(message(id, 1, &ada()))]).await;
    assert_eq!(counts(store, id).await, (2, 1));
    pulled(store, Changes { tombstones: vec![tombstone(message_id(id, 3), id, 3, 5)], ..Changes::default() }).await;
    assert_eq!(counts(store, id).await, (1, 0));
}

/// An edit of the author's may add a mention or take it away.
pub async fn an_edit_changes_the_count_of_mentions(store: &dyn Store) {
    let id = given_thread(store).await;
    let edited = |n, version| Message { version: Version::new(version), ..message(id, n, &ada()) };
    pulled_messages(store, vec![mentioning(edited(2, 2))]).await;
    assert_eq!(counts(store, id).await, (3, 3));
    pulled_messages(store, vec![edited(1, 2), edited(2, 3)]).await;
    assert_eq!(counts(store, id).await, (3, 1));
}

/// A mark of another device takes them away too.
pub async fn a_mark_of_another_device_reads_mentions(store: &dyn Store) {
    let id = given_thread(store).await;
    pulled(store, Changes { read_markers: vec![read_to(id, &iris(), 2)], ..Changes::default() }).await;
    assert_eq!(counts(store, id).await, (1, 1));
}

/// Where local history is partial the server counts; the reads that it does not know yet are subtracted.
pub async fn the_server_counts_mentions_where_history_is_partial(store: &dyn Store) {
    let row = Conversation { unread: 40, unread_mentions: 7, ..direct(1, 40) };
    let id = row.id;
    loaded_thread(store, row, messages(id, 39..=40, &ada()).into_iter().map(mentioning).collect()).await;
    assert_eq!(counts(store, id).await, (40, 7));
    read(store, 1, id).await;
    assert_eq!(counts(store, id).await, (0, 0), "the server does not know of the mark");
}

/// A server that does not count mentions says nothing: those that are here are counted.
pub async fn an_older_server_leaves_the_counting_to_the_device(store: &dyn Store) {
    let row = Conversation { unread: 40, ..direct(1, 40) };
    let id = row.id;
    loaded_thread(store, row, vec![message(id, 39, &ada()), mentioning(message(id, 40, &ada()))]).await;
    assert_eq!(counts(store, id).await, (40, 1));
    history(store, id, 1, 38, messages(id, 1..=38, &ada()).into_iter().map(mentioning).collect()).await;
    assert_eq!(counts(store, id).await, (40, 39), "all of them are here now");
}

/// A first load and another one count as the pages say.
pub async fn a_first_load_counts_mentions(store: &dyn Store) {
    let id = given_thread(store).await;
    for reason in [BootstrapReason::Reconcile, BootstrapReason::Epoch] {
        let row = Conversation { unread: 3, unread_mentions: 2, version: Version::new(9), ..direct(1, 3) };
        let rows = messages(id, 1..=3, &ada()).into_iter().map(mentioning).collect();
        bootstrapped(store, reason, super::given::thread(row, rows)).await;
        assert!(counts(store, id).await.1 >= 2, "{reason:?}");
    }
}

async fn mention(
    store: &dyn Store,
    n: u64,
    conversation: ConversationId,
    person: PersonId,
) -> Option<StorageErrorKind> {
    let new = NewMessage { mentions: [person].into(), ..composed(n, conversation) };
    store.send(mutation_id(n), new.into()).await.err().map(|error| error.kind())
}

/// `send`: people who are known not to see the conversation cannot be mentioned in it; of others the server decides.
pub async fn whoever_may_not_see_the_conversation_cannot_be_mentioned(store: &dyn Store) {
    let gone = Person { removed: true, id: super::build::person_id(8), ..ada() };
    let people = vec![iris(), ada(), ben(), gone.clone()];
    let conversations = vec![direct(1, 0), broadcast(2, 0)];
    loaded(store, Changes { people, conversations, ..Changes::default() }).await;
    let refused = Some(StorageErrorKind::NotApplicable(NotPossible::MentionNotAllowed));
    let (private, public) = (conversation_id(1), conversation_id(2));

    assert_eq!(mention(store, 1, private, ben().id).await, refused, "another medic");
    assert_eq!(mention(store, 2, private, gone.id).await, refused, "who is no member any more");
    assert!(outbox(store).await.is_empty(), "nothing was written");
    assert_eq!(mention(store, 3, private, ada().id).await, None);
    assert_eq!(mention(store, 4, private, iris().id).await, None);
    assert_eq!(mention(store, 5, public, ben().id).await, None);
    assert_eq!(mention(store, 6, private, super::build::person_id(77)).await, None, "who is not known here");
}

/// `change`: an edit mentions nobody new who may not see the conversation; whom the message mentions may stay.
pub async fn an_edit_mentions_nobody_new_who_may_not_see(store: &dyn Store) {
    let one = conversation_id(1);
    let own = Message { mentions: [ben().id].into(), ..echo(1, one, 1) };
    let people = vec![iris(), ada(), ben()];
    let conversations = vec![direct(1, 1)];
    loaded(store, Changes { people, conversations, messages: vec![own], ..Changes::default() }).await;
    let edit = async |n, message_id, mentions| {
        let content = MessageContent::new("another text").unwrap();
        let edit = EditMessage { conversation_id: one, message_id, content, mentions };
        store.change(Mutation { id: mutation_id(n), intent: Intent::EditMessage(edit) }, at(600 + n)).await
    };

    edit(2, own_message_id(1), [ben().id].into()).await.unwrap();
    send(store, 3, composed(3, one)).await;
    let error = edit(4, own_message_id(3), [ben().id].into()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::MentionNotAllowed));
}
