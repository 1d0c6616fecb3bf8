//! Steps that stories share. Each makes a few calls of the contract and unwraps the results, so a failing step fails
//! the story.

use super::build::{bootstrap_page, composed, cursor, history_page, iris, mutation_id, pull_page, session, wide};
use crate::{
    ApplyReport, BootstrapReason, ConversationSummary, EntryState, OutboxEntry, SettleReport, StorageResult, Store,
    SyncPosition, ThreadMessage, ThreadWindow, Window,
};
use fieldpost_domain::{
    Acknowledgement, Changes, Conversation, ConversationId, HistoryPage, Message, MessageAck, MutationId, NewMessage,
    Person, PushOutcome, PushResult, Refusal, RefusalCode,
};
use std::collections::HashSet;

/// Iris has signed in and loaded everything; the position is the cursor `0`.
pub async fn loaded(store: &dyn Store, changes: Changes) -> ApplyReport {
    store.save_session(&session(&iris(), 1)).await.unwrap();
    bootstrapped(store, BootstrapReason::First, changes).await
}

/// A whole bootstrap in one page.
pub async fn bootstrapped(store: &dyn Store, reason: BootstrapReason, changes: Changes) -> ApplyReport {
    store.begin_bootstrap(reason).await.unwrap();
    store.apply_bootstrap(None, bootstrap_page(changes)).await.unwrap()
}

/// [`loaded`] with one conversation and its messages; Ada and Iris are known.
pub async fn loaded_thread(store: &dyn Store, conversation: Conversation, messages: Vec<Message>) -> ConversationId {
    let id = conversation.id;
    loaded(store, thread(conversation, messages)).await;
    id
}

/// One conversation, its messages and the two people in it.
#[must_use]
pub fn thread(conversation: Conversation, messages: Vec<Message>) -> Changes {
    Changes {
        people: vec![iris(), super::build::ada()],
        conversations: vec![conversation],
        messages,
        ..Changes::default()
    }
}

/// Pulls one page at the store's cursor; the next cursor is one higher.
pub async fn pulled(store: &dyn Store, changes: Changes) -> ApplyReport {
    let SyncPosition::Following(from) = store.sync_state().await.unwrap().position else {
        panic!("the store follows nothing yet");
    };
    let next = from.as_str().parse::<u64>().unwrap() + 1;
    store.apply_pull(&cursor(from.as_str()), pull_page(&next.to_string(), changes)).await.unwrap()
}

/// Pulls a page that holds only messages.
pub async fn pulled_messages(store: &dyn Store, messages: Vec<Message>) -> ApplyReport {
    pulled(store, Changes { messages, ..Changes::default() }).await
}

/// Loads a page of history that covers the seqs from `from` to `to`.
pub async fn history(
    store: &dyn Store,
    conversation: ConversationId,
    from: u64,
    to: u64,
    messages: Vec<Message>,
) -> ApplyReport {
    applied_history(store, history_page(conversation, from, to, messages)).await
}

/// Applies a page of history as if it was requested just now.
pub async fn applied_history(store: &dyn Store, page: HistoryPage) -> ApplyReport {
    let generation = store.sync_state().await.unwrap().generation;
    store.apply_history(generation, page).await.unwrap()
}

/// Iris writes own message number `n` with mutation number `n`.
pub async fn sent(store: &dyn Store, n: u64, conversation: ConversationId) -> ThreadMessage {
    send(store, n, composed(n, conversation)).await
}

/// As [`sent`], with the store's answer.
pub async fn send_outcome(store: &dyn Store, n: u64, conversation: ConversationId) -> StorageResult<ThreadMessage> {
    store.send(mutation_id(n), composed(n, conversation).into()).await
}

/// Sends a message with mutation number `n`.
pub async fn send(store: &dyn Store, n: u64, message: NewMessage) -> ThreadMessage {
    store.send(mutation_id(n), message.into()).await.unwrap()
}

/// Settles mutation number `n` with this outcome.
pub async fn answered(store: &dyn Store, n: u64, outcome: PushOutcome) -> SettleReport {
    store.settle(vec![PushResult { mutation_id: mutation_id(n), outcome }]).await.unwrap()
}

/// Acknowledges mutation number `n`.
pub async fn acknowledged(store: &dyn Store, n: u64, what: Acknowledgement) -> SettleReport {
    answered(store, n, PushOutcome::Acknowledged(what)).await
}

/// Acknowledges the send of mutation number `n`: the server has just stored the message.
pub async fn stored(store: &dyn Store, n: u64, ack: MessageAck) -> SettleReport {
    acknowledged(store, n, Acknowledgement::Sent(ack)).await
}

/// Refuses mutation number `n`.
pub async fn refused(store: &dyn Store, n: u64, code: RefusalCode) -> SettleReport {
    answered(store, n, PushOutcome::Rejected(Refusal { code, detail: None })).await
}

/// Iris opens the thread and displays all of it; mutation number `n`.
pub async fn read(store: &dyn Store, n: u64, conversation: ConversationId) -> u64 {
    read_up_to(store, n, conversation, u64::MAX).await
}

/// Iris opens the thread and displays it up to the seq `up_to`; mutation number `n`.
pub async fn read_up_to(store: &dyn Store, n: u64, conversation: ConversationId, up_to: u64) -> u64 {
    let at = super::build::at(700 + n);
    store.mark_read(mutation_id(n), conversation, super::build::seq(up_to), at).await.unwrap().get()
}

/// The newest `limit` messages of a thread.
pub async fn newest(store: &dyn Store, conversation: ConversationId, limit: u32) -> ThreadWindow {
    store.messages(conversation, Window::newest(limit)).await.unwrap()
}

/// The texts of all stored messages of a thread.
pub async fn texts(store: &dyn Store, conversation: ConversationId) -> Vec<String> {
    let window = newest(store, conversation, 10_000).await;
    window.messages.into_iter().map(|message| message.content.unwrap_or_default()).collect()
}

/// The seqs of a window; 0 for a message without one.
#[must_use]
pub fn seqs(window: &ThreadWindow) -> Vec<u64> {
    window.messages.iter().map(|message| message.seq.map_or(0, fieldpost_domain::Seq::get)).collect()
}

/// The summary of a stored conversation.
pub async fn summary(store: &dyn Store, conversation: ConversationId) -> ConversationSummary {
    store.conversation(conversation).await.unwrap().unwrap()
}

/// The unread count of a conversation.
pub async fn unread(store: &dyn Store, conversation: ConversationId) -> u64 {
    summary(store, conversation).await.unread
}

/// The whole outbox.
pub async fn outbox(store: &dyn Store) -> Vec<OutboxEntry> {
    store.entries(10_000).await.unwrap()
}

/// The reason of a dead letter; none for another entry.
#[must_use]
pub fn failure(entry: &OutboxEntry) -> Option<&RefusalCode> {
    match &entry.state {
        EntryState::Failed(refusal) => Some(&refusal.code),
        _ => None,
    }
}

/// The ids of the next batch.
pub async fn batch(store: &dyn Store) -> Vec<MutationId> {
    let batch = store.next_batch(wide(), &HashSet::new()).await.unwrap();
    batch.into_iter().map(|mutation| mutation.id).collect()
}

/// The ids of mutations by their numbers.
#[must_use]
pub fn mutations(numbers: impl IntoIterator<Item = u64>) -> Vec<MutationId> {
    numbers.into_iter().map(mutation_id).collect()
}

/// The stored row of a person.
pub async fn person(store: &dyn Store, who: &Person) -> Option<Person> {
    store.person(who.id).await.unwrap()
}
