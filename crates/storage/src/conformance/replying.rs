//! Replies: the quoted message shows above them, as it shows in the thread.

use super::build::{
    ack, ada, at, composed, conversation_id, deleted, direct, echo, iris, message, message_id, mutation_id,
    other_direct, own_message_id, tombstone,
};
use super::given::{
    acknowledged, batch, history, loaded, loaded_thread, newest, outbox, pulled, pulled_messages, send, sent, stored,
    thread,
};
use crate::{NotPossible, Quote, Quoted, StorageErrorKind, Store};
use fieldpost_domain::{
    Acknowledgement, Changes, ConversationId, DeleteMessage, EditMessage, Intent, Mentions, Message, MessageContent,
    MessageId, MessageKind, Mutation, NewMessage, OmittedReason, Version,
};

/// One thread: a message of Ada (1) and one of Iris (2).
async fn given_thread(store: &dyn Store) -> ConversationId {
    let one = conversation_id(1);
    loaded_thread(store, direct(1, 2), vec![message(one, 1, &ada()), echo(1, one, 2)]).await
}

fn mine() -> MessageId {
    own_message_id(1)
}

/// Ada's reply to Iris' message, at seq 3.
fn reply(conversation: ConversationId) -> Message {
    Message { reply_to: Some(mine()), ..message(conversation, 3, &ada()) }
}

/// What the newest message of the thread quotes.
async fn quoted(store: &dyn Store, conversation: ConversationId) -> Option<Quoted> {
    newest(store, conversation, 9).await.messages.pop().unwrap().reply
}

async fn change(store: &dyn Store, n: u64, intent: Intent) {
    store.change(Mutation { id: mutation_id(n), intent }, at(600 + n)).await.unwrap();
}

fn edit(message_id: MessageId, text: &str) -> Intent {
    let content = MessageContent::new(text).unwrap();
    let conversation_id = conversation_id(1);
    Intent::EditMessage(EditMessage { conversation_id, message_id, content, mentions: Mentions::new() })
}

fn quote(text: &str) -> Option<Quoted> {
    Some(Quoted::Here(Quote::new(mine(), "Admin".to_owned(), true, MessageKind::Text, Some(text))))
}

/// The quote has the author's name and the text of now: an edit shows in it at once, and leaves it when it is cancelled.
pub async fn a_reply_quotes_the_text_of_now(store: &dyn Store) {
    let id = given_thread(store).await;
    pulled_messages(store, vec![reply(id)]).await;
    assert_eq!(quoted(store, id).await, quote("own 1"));

    change(store, 2, edit(mine(), "at gate 3")).await;
    assert_eq!(quoted(store, id).await, quote("at gate 3"));
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(quoted(store, id).await, quote("own 1"));
    pulled_messages(
        store,
        vec![Message { content: Some("from another device".to_owned()), version: Version::new(2), ..echo(1, id, 2) }],
    )
    .await;
    assert_eq!(quoted(store, id).await, quote("from another device"));
    let one = store.message(message_id(id, 3)).await.unwrap().unwrap();
    assert_eq!((one.reply_to, one.reply), (Some(mine()), quote("from another device")), "read alone, it says the same");
}

/// What is deleted, here or on the server, softly or for good, is quoted without a text.
pub async fn a_reply_to_a_deleted_message_shows_nothing_of_it(store: &dyn Store) {
    let id = given_thread(store).await;
    pulled_messages(store, vec![reply(id)]).await;
    let gone = Some(Quoted::Deleted(mine()));

    let deletion = DeleteMessage { conversation_id: id, message_id: mine(), deleted_at: at(602) };
    change(store, 2, Intent::DeleteMessage(deletion)).await;
    assert_eq!(quoted(store, id).await, gone, "before the server knows");
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(quoted(store, id).await, quote("own 1"));
    pulled_messages(store, vec![deleted(echo(1, id, 2))]).await;
    assert_eq!(quoted(store, id).await, gone);
    pulled(store, Changes { tombstones: vec![tombstone(mine(), id, 2, 5)], ..Changes::default() }).await;
    assert_eq!(quoted(store, id).await, gone, "for good");
}

/// A quoted message that is not loaded, or that is in another conversation, shows nothing; it shows once it is loaded.
pub async fn a_reply_to_what_is_not_here_says_so(store: &dyn Store) {
    let (one, two) = (conversation_id(1), conversation_id(2));
    let elsewhere = Message { reply_to: Some(message_id(two, 1)), ..message(one, 5, &ada()) };
    let older = Message { reply_to: Some(message_id(one, 2)), ..message(one, 4, &ada()) };
    let rows = vec![older, elsewhere, message(two, 1, &ada())];
    let conversations = vec![direct(1, 5), other_direct(2, 1)];
    loaded(store, Changes { people: vec![iris(), ada()], conversations, messages: rows, ..Changes::default() }).await;

    let replies = async || newest(store, one, 9).await.messages.into_iter().map(|message| message.reply);
    let [first, second] = replies().await.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(first, Some(Quoted::NotHere(message_id(one, 2))));
    assert_eq!(second, Some(Quoted::NotHere(message_id(two, 1))), "of another conversation nothing is shown");

    history(store, one, 1, 3, super::build::messages(one, 1..=3, &ada())).await;
    let shown = replies().await.nth(3).flatten().and_then(|quoted| quoted.quote().cloned()).unwrap();
    assert_eq!((shown.text.as_deref(), shown.sender_name.as_str(), shown.mine), (Some("message 2"), "Ada Moss", false));
}

/// A queued message can be answered, and the quote stays when both are sent.
pub async fn a_queued_message_can_be_answered(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    let answer = NewMessage { reply_to: Some(own_message_id(5)), ..composed(6, id) };

    let shown = send(store, 6, answer).await;

    let text = |quoted: Option<Quoted>| quoted.and_then(|quoted| quoted.quote()?.text.clone());
    assert_eq!(text(shown.reply).as_deref(), Some("own 5"));
    change(store, 7, edit(own_message_id(5), "own 5, corrected")).await;
    assert_eq!(text(quoted(store, id).await).as_deref(), Some("own 5, corrected"));
    batch(store).await;
    stored(store, 5, ack(5, id, 3)).await;
    stored(store, 6, ack(6, id, 4)).await;
    assert_eq!(quoted(store, id).await.map(|quoted| quoted.id()), Some(own_message_id(5)));
}

/// `send`: a message that is known to be in another conversation cannot be answered here; nothing is written then.
pub async fn a_reply_across_conversations_is_refused(store: &dyn Store) {
    let two = conversation_id(2);
    let conversations = vec![direct(1, 0), other_direct(2, 1)];
    let messages = vec![message(two, 1, &ada())];
    loaded(store, Changes { people: vec![iris(), ada()], conversations, messages, ..Changes::default() }).await;
    let reply = NewMessage { reply_to: Some(message_id(two, 1)), ..composed(5, conversation_id(1)) };

    let error = store.send(mutation_id(5), reply.into()).await.unwrap_err();

    assert_eq!(error.kind(), StorageErrorKind::NotApplicable(NotPossible::RepliesElsewhere));
    assert!(outbox(store).await.is_empty());
    let unknown = NewMessage { reply_to: Some(own_message_id(99)), ..composed(6, conversation_id(1)) };
    let shown = send(store, 6, unknown).await;
    assert_eq!(shown.reply, Some(Quoted::NotHere(own_message_id(99))), "of what is not here the server decides");
}

/// A quote is the start of a text, cut between what a reader sees as characters. What was omitted has none.
pub async fn a_quote_is_the_start_of_the_text(store: &dyn Store) {
    let id = given_thread(store).await;
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
    let long = Message { content: Some(family.repeat(50)), version: Version::new(2), ..echo(1, id, 2) };
    pulled_messages(store, vec![long, reply(id)]).await;
    let text = async || quoted(store, id).await.and_then(|quoted| quoted.quote()?.text.clone());
    assert_eq!(text().await, Some(family.repeat(20)));

    let omitted = fieldpost_domain::Omitted { reason: OmittedReason::ContentTooLong, bytes: 70_000 };
    let row = Message { content: None, omitted: Some(omitted), version: Version::new(3), ..echo(1, id, 2) };
    pulled_messages(store, vec![row]).await;
    assert_eq!(text().await, None);
}

/// A deleted reply quotes nothing.
pub async fn a_deleted_reply_quotes_nothing(store: &dyn Store) {
    let id = given_thread(store).await;
    pulled_messages(store, vec![reply(id)]).await;
    pulled_messages(store, vec![deleted(reply(id))]).await;
    assert_eq!(quoted(store, id).await, None);
}

/// The server may know a message of an older app under another id; a reply to it names that one from its row on.
pub async fn a_reply_follows_the_row_of_the_server(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    send(store, 6, NewMessage { reply_to: Some(own_message_id(5)), ..composed(6, id) }).await;
    batch(store).await;
    let other = message(id, 3, &iris());
    acknowledged(store, 5, Acknowledgement::Stored(Box::new(other.clone()))).await;
    stored(store, 6, ack(6, id, 4)).await;

    pulled(store, thread(direct(1, 4), vec![Message { reply_to: Some(other.id), ..echo(6, id, 4) }])).await;

    assert_eq!(quoted(store, id).await.and_then(|quoted| quoted.quote()?.text.clone()).as_deref(), Some("message 3"));
}
