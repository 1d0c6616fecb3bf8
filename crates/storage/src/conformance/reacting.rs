//! Reactions: each person counts once for each emoji, and what the person does shows at once.

use super::build::{
    ack, ada, at, ben, bootstrap_page, broadcast, conversation_id, counted, cursor, deleted, direct, echo,
    history_page, iris, message, message_id, messages, mutation_id, new_direct, own_message_id, pull_page, reaction,
    tombstone,
};
use super::given::{
    acknowledged, applied_history, batch, bootstrapped, failure, loaded_thread, mutations, newest, outbox, pulled,
    pulled_messages, refused, sent, stored, thread,
};
use crate::{BootstrapReason, NotPossible, StorageErrorKind, StorageResult, Store, ThreadMessage, Window};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Changes, ConversationId, DeleteMessage, Emoji, Intent, MessageId, Mutation,
    Person, React, Reaction, RefusalCode, ServerInfo, Version,
};

/// What a message shows: emoji, how many, whether one of them is the person's own, whether that is pending, and whose.
type Seen = (String, u64, bool, bool, Vec<fieldpost_domain::PersonId>);

/// A direct thread with a message of Ada at 1 and one of Iris at 2; the device is that of Iris.
async fn given_thread(store: &dyn Store) -> ConversationId {
    let one = conversation_id(1);
    let id = loaded_thread(store, direct(1, 2), vec![message(one, 1, &ada()), echo(1, one, 2)]).await;
    store.apply_pull(&cursor("0"), pull_page("1", Changes::default())).await.unwrap();
    id
}

fn hers() -> MessageId {
    message_id(conversation_id(1), 1)
}

fn intent(message_id: MessageId, emoji: &str, removed: bool) -> Intent {
    // The store uses the conversation of the message instead.
    Intent::React(React {
        conversation_id: conversation_id(77),
        message_id,
        emoji: Emoji::new(emoji).unwrap(),
        removed,
    })
}

/// Reacts with mutation `n`.
async fn set(
    store: &dyn Store,
    n: u64,
    message: MessageId,
    emoji: &str,
    removed: bool,
) -> StorageResult<ThreadMessage> {
    store.change(Mutation { id: mutation_id(n), intent: intent(message, emoji, removed) }, at(600 + n)).await
}

async fn react(store: &dyn Store, n: u64, message: MessageId, emoji: &str) {
    set(store, n, message, emoji, false).await.unwrap();
}

async fn unreact(store: &dyn Store, n: u64, message: MessageId, emoji: &str) {
    set(store, n, message, emoji, true).await.unwrap();
}

fn seen(message: &ThreadMessage) -> Vec<Seen> {
    let one = |one: &crate::ThreadReaction| {
        (one.emoji.as_str().to_owned(), one.count, one.mine, one.changing, one.people.clone())
    };
    message.reactions.iter().map(one).collect()
}

async fn on(store: &dyn Store, message: MessageId) -> Vec<Seen> {
    seen(&store.message(message).await.unwrap().unwrap())
}

/// One emoji, with these people; none of it pending.
fn by(emoji: &str, people: &[Person]) -> Seen {
    let ids: Vec<_> = people.iter().map(|person| person.id).collect();
    (emoji.to_owned(), ids.len() as u64, ids.contains(&iris().id), false, ids)
}

async fn told(store: &dyn Store, reactions: Vec<Reaction>) {
    pulled(store, Changes { reactions, ..Changes::default() }).await;
}

fn row(who: &Person, emoji: &str, version: u64) -> Reaction {
    reaction(hers(), conversation_id(1), who, emoji, version)
}

/// `change`: a reaction shows at once, in thread and message, and is queued; the message itself is not changing.
pub async fn a_reaction_shows_at_once_and_is_queued(store: &dyn Store) {
    let id = given_thread(store).await;
    let reacted = set(store, 2, hers(), "👍", false).await.unwrap();
    let mine = vec![("👍".to_owned(), 1, true, true, vec![iris().id])];
    assert_eq!((seen(&reacted), reacted.changing), (mine.clone(), false));
    assert_eq!(seen(&newest(store, id, 9).await.messages[0]), mine);
    let waiting = outbox(store).await;
    assert_eq!((waiting[0].target_id, waiting[0].conversation_id), (Some(hers()), id));
    assert_eq!(batch(store).await, mutations([2]));
}

/// `settle`: the server's row takes the place of the pending reaction.
pub async fn an_acknowledged_reaction_is_the_servers(store: &dyn Store) {
    given_thread(store).await;
    react(store, 2, hers(), "👍").await;
    batch(store).await;
    acknowledged(store, 2, Acknowledgement::Reacted(vec![row(&iris(), "👍", 1)])).await;
    assert_eq!(on(store, hers()).await, [by("👍", &[iris()])]);
    assert!(outbox(store).await.is_empty());
}

/// Pages bring the reactions of others. The emoji that came first is first, also after everybody has taken theirs back.
pub async fn reactions_of_others_are_counted_by_emoji(store: &dyn Store) {
    given_thread(store).await;
    told(store, vec![row(&ada(), "🎉", 1), row(&iris(), "👍", 1), row(&ada(), "👍", 1)]).await;
    assert_eq!(on(store, hers()).await, [by("👍", &[iris(), ada()]), by("🎉", &[ada()])]);
    told(store, vec![row(&iris(), "👍", 2), row(&ada(), "👍", 2)]).await;
    assert_eq!(on(store, hers()).await, [by("🎉", &[ada()])]);
    told(store, vec![row(&ada(), "👍", 3)]).await;
    assert_eq!(on(store, hers()).await, [by("👍", &[ada()]), by("🎉", &[ada()])]);
}

/// A row of an older version brings back nothing that was taken back.
pub async fn an_older_row_brings_no_reaction_back(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, vec![row(&ada(), "👍", 2)]).await;
    told(store, vec![row(&ada(), "👍", 1)]).await;
    let late = Changes { reactions: vec![row(&ada(), "👍", 1)], ..Changes::default() };
    let mut page = history_page(id, 1, 2, vec![message(id, 1, &ada()), echo(1, id, 2)]);
    page.changes.reactions = late.reactions;
    applied_history(store, page).await;
    assert_eq!(on(store, hers()).await, []);
}

/// The person has reacted on another device too: they count once.
pub async fn a_person_counts_once_on_two_devices(store: &dyn Store) {
    given_thread(store).await;
    react(store, 2, hers(), "👍").await;
    told(store, vec![row(&iris(), "👍", 1), row(&ada(), "👍", 1)]).await;
    assert_eq!(on(store, hers()).await, [by("👍", &[iris(), ada()])]);
    assert_eq!(outbox(store).await.len(), 1, "the server says so too");
}

/// `change`: a reaction that was never attempted and is taken back leaves nothing; a later one replaces it.
pub async fn a_reaction_taken_back_before_it_was_sent_disappears(store: &dyn Store) {
    given_thread(store).await;
    react(store, 2, hers(), "👍").await;
    react(store, 3, hers(), "🎉").await;
    unreact(store, 4, hers(), "👍").await;
    assert_eq!(batch(store).await, mutations([3]));
    assert_eq!(on(store, hers()).await.len(), 1);
    unreact(store, 5, hers(), "👎").await;
    assert_eq!(outbox(store).await.len(), 1, "what is not there is not taken back");
}

/// `change`: one in flight stays, and its opposite follows it.
pub async fn a_reaction_in_flight_is_followed_by_its_opposite(store: &dyn Store) {
    given_thread(store).await;
    react(store, 2, hers(), "👍").await;
    batch(store).await;
    unreact(store, 3, hers(), "👍").await;
    assert_eq!(on(store, hers()).await, []);
    assert_eq!(batch(store).await, mutations([2, 3]));
    acknowledged(store, 2, Acknowledgement::Reacted(vec![row(&iris(), "👍", 1)])).await;
    assert_eq!(on(store, hers()).await, []);
    acknowledged(store, 3, Acknowledgement::Reacted(vec![row(&iris(), "👍", 2)])).await;
    assert_eq!((on(store, hers()).await, outbox(store).await.len()), (vec![], 0));
}

/// A refused reaction is a dead letter, and is not shown; so it is after `cancel`.
pub async fn a_refused_reaction_is_not_shown(store: &dyn Store) {
    given_thread(store).await;
    told(store, vec![row(&iris(), "🎉", 1)]).await;
    unreact(store, 2, hers(), "🎉").await;
    react(store, 3, hers(), "👍").await;
    assert_eq!(on(store, hers()).await.len(), 1);
    batch(store).await;
    refused(store, 2, RefusalCode::Refused).await;
    refused(store, 3, RefusalCode::TooManyReactions).await;
    assert_eq!(on(store, hers()).await, [by("🎉", &[iris()])]);
    assert_eq!(failure(&outbox(store).await[1]), Some(&RefusalCode::TooManyReactions));
    store.retry(mutation_id(3), at(800)).await.unwrap();
    assert_eq!(on(store, hers()).await.len(), 2);
    store.cancel(mutation_id(3)).await.unwrap();
    store.cancel(mutation_id(2)).await.unwrap();
    assert_eq!(on(store, hers()).await, [by("🎉", &[iris()])]);
}

/// `change`: a reaction waits behind the send of its message, and leaves with it when it is taken back.
pub async fn a_reaction_waits_behind_the_send_of_its_message(store: &dyn Store) {
    let id = given_thread(store).await;
    for n in [5, 7] {
        sent(store, n, id).await;
        react(store, n + 1, own_message_id(n), "👍").await;
        assert_eq!(on(store, own_message_id(n)).await.len(), 1);
    }
    let delete = DeleteMessage { conversation_id: id, message_id: own_message_id(7), deleted_at: at(700) };
    store.change(Mutation { id: mutation_id(9), intent: Intent::DeleteMessage(delete) }, at(700)).await.unwrap();
    assert_eq!(batch(store).await, mutations([5, 6]));
    stored(store, 5, ack(5, id, 3)).await;
    let own = reaction(own_message_id(5), id, &iris(), "👍", 1);
    acknowledged(store, 6, Acknowledgement::Reacted(vec![own])).await;
    assert_eq!(on(store, own_message_id(5)).await, [by("👍", &[iris()])]);
}

/// A deleted message shows no reactions, and takes none; nor does one that is being deleted.
pub async fn a_deleted_message_has_no_reactions(store: &dyn Store) {
    let id = given_thread(store).await;
    react(store, 2, own_message_id(1), "👍").await;
    told(store, vec![row(&ada(), "👍", 1), reaction(own_message_id(1), id, &ada(), "👍", 1)]).await;
    let delete = DeleteMessage { conversation_id: id, message_id: own_message_id(1), deleted_at: at(700) };
    store.change(Mutation { id: mutation_id(3), intent: Intent::DeleteMessage(delete) }, at(700)).await.unwrap();
    assert_eq!(on(store, own_message_id(1)).await, []);
    let waiting: Vec<_> = outbox(store).await.iter().map(|entry| entry.mutation_id).collect();
    assert_eq!(waiting, mutations([3]), "it replaces the reaction that waited");
    let kind = set(store, 4, own_message_id(1), "🎉", false).await.unwrap_err().kind();
    assert_eq!(kind, StorageErrorKind::NotApplicable(NotPossible::Deleted));
    pulled_messages(store, vec![deleted(message(id, 1, &ada()))]).await;
    told(store, vec![row(&ada(), "👍", 3)]).await;
    assert_eq!(on(store, hers()).await, []);
}

/// A tombstone takes the reactions along, and a late row of one changes nothing.
pub async fn reactions_leave_with_their_message(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, vec![row(&ada(), "👍", 1)]).await;
    let tombstones = vec![tombstone(hers(), id, 1, 5)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    told(store, vec![row(&ada(), "👍", 3)]).await;
    pulled_messages(store, vec![fieldpost_domain::Message { version: Version::new(6), ..message(id, 1, &ada()) }])
        .await;
    assert_eq!(on(store, hers()).await, []);
}

/// They leave with a conversation that was lost from sight, too.
pub async fn reactions_leave_with_their_conversation(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, vec![row(&ada(), "👍", 1)]).await;
    let access = |access, version| vec![AccessChange { conversation_id: id, access, version: Version::new(version) }];
    pulled(store, Changes { access: access(Access::Revoke, 1), ..Changes::default() }).await;
    told(store, vec![row(&ada(), "👍", 3)]).await;
    let back = thread(direct(1, 2), vec![message(id, 1, &ada()), echo(1, id, 2)]);
    pulled(store, Changes { access: access(Access::Grant, 2), ..back }).await;
    assert_eq!(on(store, hers()).await, []);
}

/// In a broadcast the server's number counts, and the person's own reaction is counted into it.
pub async fn a_broadcast_shows_numbers_without_people(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, broadcast(1, 1), messages(id, [1], &ben())).await;
    store.apply_pull(&cursor("0"), pull_page("1", Changes::default())).await.unwrap();
    told(store, vec![counted(hers(), id, "👍", 41, 1)]).await;
    assert_eq!(on(store, hers()).await, [("👍".to_owned(), 41, false, false, vec![])]);
    react(store, 2, hers(), "👍").await;
    assert_eq!(on(store, hers()).await, [("👍".to_owned(), 42, true, true, vec![iris().id])]);
    batch(store).await;
    let rows = vec![row(&iris(), "👍", 1), counted(hers(), id, "👍", 42, 2)];
    acknowledged(store, 2, Acknowledgement::Reacted(rows)).await;
    assert_eq!(on(store, hers()).await, [("👍".to_owned(), 42, true, false, vec![iris().id])]);
    unreact(store, 3, hers(), "👍").await;
    assert_eq!(on(store, hers()).await, [("👍".to_owned(), 41, false, true, vec![])]);
}

/// A bootstrap tells all reactions to the messages of its pages: others leave, and pending ones stay.
pub async fn reactions_that_a_bootstrap_does_not_tell_leave(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, vec![row(&ada(), "👍", 1), row(&ada(), "🎉", 1)]).await;
    react(store, 2, hers(), "❤").await;
    for reason in [BootstrapReason::Reconcile, BootstrapReason::Epoch] {
        let rows = vec![message(id, 1, &ada()), echo(1, id, 2)];
        let page = Changes { reactions: vec![row(&ada(), "🎉", 1)], ..thread(direct(1, 2), rows) };
        bootstrapped(store, reason, page).await;
        let shown = on(store, hers()).await;
        assert_eq!((shown.len(), &shown[0]), (2, &by("🎉", &[ada()])), "{reason:?}");
    }
}

/// A server that does not tell of reactions takes none away.
pub async fn a_bootstrap_of_an_older_server_keeps_reactions(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, vec![row(&ada(), "👍", 1)]).await;
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let rows = vec![message(id, 1, &ada()), echo(1, id, 2)];
    let server = ServerInfo { sql_version: Some(1), capabilities: [].into() };
    let page = fieldpost_domain::BootstrapPage { server, ..bootstrap_page(thread(direct(1, 2), rows)) };
    store.apply_bootstrap(None, page).await.unwrap();
    assert_eq!(on(store, hers()).await, [by("👍", &[ada()])]);
}

/// A reaction to a message below the recent range is kept until history brings the message.
pub async fn a_reaction_may_come_before_its_message(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 2), vec![echo(1, id, 2)]).await;
    told(store, vec![row(&ada(), "👍", 1)]).await;
    // The page was made before the reaction.
    applied_history(store, history_page(id, 1, 1, vec![message(id, 1, &ada())])).await;
    assert_eq!(on(store, hers()).await, [by("👍", &[ada()])]);
}

/// `change`: a person gives a message at most 20 reactions.
pub async fn a_message_takes_twenty_reactions_of_one_person(store: &dyn Store) {
    given_thread(store).await;
    let emoji = |n: u32| char::from_u32(0x1f600 + n).unwrap().to_string();
    for n in 0..20 {
        react(store, 10 + u64::from(n), hers(), &emoji(n)).await;
    }
    let kind = set(store, 50, hers(), &emoji(20), false).await.unwrap_err().kind();
    assert_eq!(kind, StorageErrorKind::NotApplicable(NotPossible::TooManyReactions));
    unreact(store, 51, hers(), &emoji(3)).await;
    react(store, 52, hers(), &emoji(20)).await;
    assert_eq!(outbox(store).await.len(), 20);
}

/// A conversation that was opened offline gets its canonical id: a reaction in it follows.
pub async fn a_reaction_follows_its_conversation(store: &dyn Store) {
    loaded_thread(store, broadcast(1, 0), vec![]).await;
    let opened = store.open_direct(mutation_id(1), new_direct(5)).await.unwrap();
    sent(store, 2, opened.id).await;
    react(store, 3, own_message_id(2), "👍").await;
    let canonical = direct(9, 0);
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(canonical.clone()))).await;
    let window = store.messages(canonical.id, Window::newest(9)).await.unwrap();
    assert_eq!(seen(&window.messages[0]).len(), 1);
    assert!(outbox(store).await.iter().all(|entry| entry.conversation_id == canonical.id));
}
