//! A server that was restored from an older state, or promoted: another epoch.

use super::bootstrapping::settled_messages;
use super::build::{
    ack, ada, at, ben, bootstrap_page, broadcast, continuation, conversation_id, deleted, direct, echo, history_page,
    iris, medic_id, message, message_id, messages, mutation_id, new_direct, other_org, own_message_id, read_to, seq,
    tombstone,
};
use super::given::{
    acknowledged, applied_history, batch, bootstrapped, failure, loaded, loaded_thread, mutations, newest, outbox,
    pulled, read, refused, sent, seqs, stored, summary, texts, thread, unread,
};
use crate::{BootstrapReason, Older, Store};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, BootstrapPage, Changes, Conversation, HistoryPage, Intent, MarkRead,
    Message, MessageKind, MessageStatus, Person, PushOutcome, PushResult, RefusalCode, Role, ServerEpoch, Version,
};
use std::collections::{BTreeSet, HashSet};

/// Another epoch: rows of lower versions replace those of the old one, and what it had remembered says nothing.
pub async fn after_an_epoch_versions_count_from_the_beginning(store: &dyn Store) {
    let id = conversation_id(1);
    let high = |n| Message { version: Version::new(70), content: Some("old".to_owned()), ..message(id, n, &ada()) };
    let old = Conversation { version: Version::new(50), ..direct(1, 2) };
    loaded(
        store,
        Changes { people: vec![Person { version: Version::new(9), ..ada() }], ..thread(old, vec![high(1), high(2)]) },
    )
    .await;
    let tombstones = vec![tombstone(message_id(id, 2), id, 2, 80)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;

    let renamed = Person { first_name: "Adele".to_owned(), ..ada() };
    let changes = thread(direct(1, 2), messages(id, 1..=2, &ada()));
    bootstrapped(store, BootstrapReason::Epoch, Changes { people: vec![iris(), renamed], ..changes }).await;

    assert_eq!(texts(store, id).await, ["message 1", "message 2"]);
    assert_eq!(newest(store, id, 10).await.messages[0].sender_name, "Adele Moss");
}

/// Another epoch: own acknowledged messages that the server no longer has are shown as lost, and can be sent again.
pub async fn messages_that_the_server_lost_become_dead_letters(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    sent(store, 1, one).await;
    stored(store, 1, ack(1, one, 6)).await;

    // Restored from a time when only the first two messages were there.
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 2), messages(one, 1..=2, &iris()))).await;

    let entries = outbox(store).await;
    let lost: Vec<_> = entries.iter().filter_map(|entry| entry.message_id).collect();
    assert_eq!(lost, [message_id(one, 3), message_id(one, 5), own_message_id(1)], "in the order of their seqs");
    assert!(entries.iter().all(|entry| failure(entry) == Some(&RefusalCode::LostByServer)));
    let ids: BTreeSet<_> = entries.iter().map(|entry| entry.mutation_id).collect();
    assert_eq!(ids.len(), 3, "each is a mutation of its own");
    assert!(entries.iter().all(|entry| entry.message_id.map(|id| id.as_uuid()) != Some(entry.mutation_id.as_uuid())));
    assert_eq!(entries[2].content.as_deref(), Some("own 1"));
    let shown = newest(store, one, 10).await.messages;
    let texts: Vec<_> = shown.iter().filter_map(|message| message.content.as_deref()).collect();
    assert_eq!(texts, ["message 1", "message 2", "message 3", "message 5", "own 1"]);
    assert_eq!((&shown[4].status, shown[4].seq, shown[4].created_at), (&MessageStatus::Queued, None, at(501)));
    assert_eq!(shown[4].failure.as_ref().map(|refusal| &refusal.code), Some(&RefusalCode::LostByServer));
    assert_eq!(store.message(message_id(one, 4)).await.unwrap(), None, "Ada's message is hers to send again");
    assert!(batch(store).await.is_empty());
    assert_eq!(summary(store, one).await.last_seq, seq(2));
}

/// A page of a server whose history has this name.
fn of_epoch(name: &str, changes: Changes) -> BootstrapPage {
    BootstrapPage { epoch: Some(ServerEpoch::new(name)), ..bootstrap_page(changes) }
}

/// The server was restored between the end of a cursor, for whatever reason, and the first page that followed.
pub async fn a_first_page_of_another_history_is_a_change_of_epoch(store: &dyn Store) {
    let id = conversation_id(1);
    let high =
        |n, sender| Message { version: Version::new(70), content: Some("old".to_owned()), ..message(id, n, sender) };
    let old = Conversation { version: Version::new(50), ..direct(1, 3) };
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let before = thread(old, vec![high(1, &ada()), high(2, &iris()), high(3, &ada())]);
    store.apply_bootstrap(None, of_epoch("a", before)).await.unwrap();
    let tombstones = vec![tombstone(message_id(id, 4), id, 4, 80)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    read(store, 9, id).await;

    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    store.apply_bootstrap(None, of_epoch("b", thread(direct(1, 1), messages(id, 1..=1, &ada())))).await.unwrap();

    assert_eq!(texts(store, id).await, ["message 1", "old"]);
    assert_eq!(summary(store, id).await.last_seq, seq(1));
    let lost = outbox(store).await.into_iter().find(|entry| entry.message_id == Some(message_id(id, 2))).unwrap();
    assert_eq!(failure(&lost), Some(&RefusalCode::LostByServer));
    let again = Message { seq: seq(2), ..message(id, 4, &ada()) };
    pulled(store, Changes { messages: vec![again], ..Changes::default() }).await;
    assert_eq!(texts(store, id).await, ["message 1", "message 4", "old"], "old deletions say nothing");
}

/// History that was asked for and told in the old history, while the bootstrap waited for its first page, confirms nothing.
pub async fn what_was_told_before_the_first_page_is_of_the_old_history(store: &dyn Store) {
    let id = conversation_id(1);
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    store.apply_bootstrap(None, of_epoch("a", thread(direct(1, 3), messages(id, 2..=3, &ada())))).await.unwrap();
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let conversation = Some(direct(1, 8));
    applied_history(store, HistoryPage { conversation, ..history_page(id, 1, 1, messages(id, 1..=1, &ada())) }).await;

    store.apply_bootstrap(None, of_epoch("b", thread(direct(1, 2), messages(id, 1..=2, &ada())))).await.unwrap();

    let shown = summary(store, id).await;
    assert_eq!((shown.last_seq, shown.unread), (seq(2), 2));
}

/// What the answer has said already is not said again by the page; a server that does not name its history changes nothing.
pub async fn a_change_of_epoch_is_dealt_with_once(store: &dyn Store) {
    let id = conversation_id(1);
    store.claim(iris().id).await.unwrap();
    let changes = || thread(direct(1, 2), messages(id, 1..=2, &iris()));
    let pages = [Some("a"), Some("a"), None, Some("a")];
    for (name, reason) in
        pages.into_iter().zip([BootstrapReason::First].into_iter().chain([BootstrapReason::Reconcile; 3]))
    {
        store.begin_bootstrap(reason).await.unwrap();
        let epoch = name.map(ServerEpoch::new);
        store.apply_bootstrap(None, BootstrapPage { epoch, ..bootstrap_page(changes()) }).await.unwrap();
    }
    assert!(outbox(store).await.is_empty());
    assert_eq!(seqs(&newest(store, id, 10).await), [1, 2]);
}

/// The server was restored, took a message before anything of its new history was here, and was restored again: the message is
/// gone, whatever was said of it. One that came after the first page is of the same history as that.
pub async fn what_was_acknowledged_before_the_first_page_may_be_lost_as_well(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 2), messages(id, 1..=2, &ada())).await;
    store.claim(iris().id).await.unwrap();
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    sent(store, 1, id).await;
    stored(store, 1, ack(1, id, 3)).await;
    let first = of_epoch("c", thread(direct(1, 2), messages(id, 1..=2, &ada())));
    let next_after = Some(continuation("next"));
    store.apply_bootstrap(None, BootstrapPage { next_after: next_after.clone(), ..first }).await.unwrap();
    let lost = outbox(store).await;
    assert_eq!(lost.iter().map(|entry| entry.message_id).collect::<Vec<_>>(), [Some(own_message_id(1))]);
    assert_eq!(failure(&lost[0]), Some(&RefusalCode::LostByServer));
    assert_eq!(summary(store, id).await.last_seq, seq(2));

    sent(store, 2, id).await;
    stored(store, 2, ack(2, id, 3)).await;
    let rest = of_epoch("c", thread(broadcast(2, 1), messages(conversation_id(2), 1..=1, &ada())));
    store.apply_bootstrap(next_after.as_ref(), rest).await.unwrap();
    assert_eq!(seqs(&newest(store, id, 10).await), [1, 2, 3, 0], "acknowledged in the new history: not lost");
    assert_eq!(outbox(store).await.len(), 1);
}

/// Nor does an open that was accepted then keep its conversation: it may be of a history that has ended, with all that was
/// written in it.
pub async fn what_was_opened_before_the_first_page_may_be_lost_as_well(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let id = conversation_id(1);
    store.open_direct(mutation_id(1), new_direct(1)).await.unwrap();
    sent(store, 2, id).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(1, 0)))).await;
    stored(store, 2, ack(2, id, 1)).await;

    let changes = Changes { people: vec![iris(), ada()], ..Changes::default() };
    let page = BootstrapPage { me: Some(iris()), ..of_epoch("c", changes) };
    let report = store.apply_bootstrap(None, page).await.unwrap();

    assert_eq!(report.purged, [id]);
    let lost = outbox(store).await;
    assert_eq!(lost.iter().map(|entry| entry.message_id).collect::<Vec<_>>(), [Some(own_message_id(2))]);
    assert!(failure(&lost[0]).is_some(), "its author can see it, and send it again");
}

/// What history told in between is of nobody knows which history either.
pub async fn what_history_told_before_the_first_page_is_older_than_it(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 2), messages(id, 1..=2, &ada())).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    let high = Message { version: Version::new(70), content: Some("undone".to_owned()), ..message(id, 2, &ada()) };
    let conversation = Some(Conversation { version: Version::new(70), ..direct(1, 8) });
    let told = vec![high, message(id, 8, &ada())];
    applied_history(store, HistoryPage { conversation, ..history_page(id, 2, 8, told) }).await;

    store.apply_bootstrap(None, of_epoch("c", thread(direct(1, 2), messages(id, 1..=2, &ada())))).await.unwrap();

    assert_eq!(texts(store, id).await, ["message 1", "message 2"]);
    assert_eq!(summary(store, id).await.last_seq, seq(2));
}

/// Later pages belong to the first.
pub async fn only_the_first_page_says_which_history_it_is_of(store: &dyn Store) {
    let next_after = Some(continuation("next"));
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let first = of_epoch("a", thread(direct(1, 2), messages(conversation_id(1), 1..=2, &iris())));
    store.apply_bootstrap(None, BootstrapPage { next_after: next_after.clone(), ..first }).await.unwrap();
    let second = of_epoch("b", thread(broadcast(2, 1), messages(conversation_id(2), 1..=1, &ada())));
    store.apply_bootstrap(next_after.as_ref(), second).await.unwrap();
    assert!(outbox(store).await.is_empty());
    assert_eq!(texts(store, conversation_id(1)).await, ["message 1", "message 2"]);
}

/// Another epoch: a conversation that is not there any more takes nothing of what its author wrote.
pub async fn messages_of_a_conversation_that_the_server_lost_become_dead_letters(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let report = bootstrapped(store, BootstrapReason::Epoch, thread(broadcast(2, 1), vec![])).await;
    assert_eq!(report.purged, [conversation_id(1)]);
    let lost: Vec<_> = outbox(store).await.iter().filter_map(|entry| entry.message_id).collect();
    assert_eq!(lost, [1, 3, 5].map(|n| message_id(conversation_id(1), n)));
    assert_eq!(store.message(lost[0]).await.unwrap().unwrap().content.as_deref(), Some("message 1"));
}

/// Another epoch: what is merely out of sight is not called lost. Nobody can say what became of it, but for what an admin is
/// shown of her org, and every member of its broadcasts.
pub async fn what_is_out_of_sight_after_an_epoch_is_not_called_lost(store: &dyn Store) {
    let medic = Person { role: Role::Medic, ..iris() };
    let hers = Person { medic_id: Some(medic_id(2)), ..medic.clone() };
    let elsewhere = Person { org_id: other_org(), ..iris() };
    let (lost, hidden) = (Some(RefusalCode::LostByServer), Some(RefusalCode::AccessLost));
    let of_a_direct = [(None, None), (Some(elsewhere), None), (Some(medic.clone()), None), (Some(hers), hidden)];
    for (me, expected) in of_a_direct {
        assert_eq!(fate_after_an_epoch(store, direct(1, 1), me.clone()).await, expected, "{me:?}");
    }
    for (me, expected) in [(None, None), (Some(medic), lost.clone()), (Some(iris()), lost)] {
        assert_eq!(fate_after_an_epoch(store, broadcast(2, 1), me.clone()).await, expected, "{me:?}");
    }
}

/// Iris' own message in a conversation that a first load after a change of epoch does not list: what it is a dead letter for,
/// if it is one. It is taken back afterwards.
async fn fate_after_an_epoch(store: &dyn Store, row: Conversation, me: Option<Person>) -> Option<RefusalCode> {
    let own = message(row.id, 1, &iris());
    loaded_thread(store, row, vec![own.clone()]).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    store.apply_bootstrap(None, BootstrapPage { me, ..bootstrap_page(Changes::default()) }).await.unwrap();
    let entries = outbox(store).await;
    let fate = entries.first().and_then(failure).cloned();
    assert_eq!(store.message(own.id).await.unwrap().is_some(), fate.is_some());
    for entry in entries {
        store.cancel(entry.mutation_id).await.unwrap();
    }
    fate
}

/// Another epoch: what is below the confirmed range leaves, and is no loss: the server may have it.
pub async fn after_an_epoch_older_messages_are_fetched_again(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 5), messages(one, 4..=5, &ada()))).await;

    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(message_id(one, 1)).await.unwrap(), None);
    let window = newest(store, one, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![4, 5], Older::OnServer(seq(4))));
}

/// Another epoch: what cannot be sent again is not offered.
pub async fn deleted_and_unsendable_messages_are_not_lost(store: &dyn Store) {
    let id = conversation_id(1);
    let photo = Message { kind: MessageKind::Attachment, content: None, ..message(id, 2, &iris()) };
    let system = Message { kind: MessageKind::System, ..message(id, 3, &iris()) };
    loaded_thread(store, direct(1, 3), vec![deleted(message(id, 1, &iris())), photo, system]).await;
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 0), vec![])).await;
    assert!(outbox(store).await.is_empty());
    let window = newest(store, id, 10).await;
    assert_eq!((window.messages.len(), window.older), (0, Older::Nothing));
}

/// Another epoch: the outbox and its dead letters are kept as they are.
pub async fn the_outbox_survives_an_epoch(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    for n in 1..=3 {
        sent(store, n, one).await;
    }
    refused(store, 2, RefusalCode::Forbidden).await;
    // The echo of the third came, its answer did not.
    pulled(store, Changes { messages: vec![echo(3, one, 6)], ..Changes::default() }).await;

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 2), messages(one, 1..=2, &ada()))).await;

    assert_eq!(batch(store).await, mutations([1, 3]), "what still waits goes on waiting");
    let failures: Vec<_> = outbox(store).await.iter().map(|entry| failure(entry).cloned()).collect();
    let lost = Some(RefusalCode::LostByServer);
    assert_eq!(failures, [None, Some(RefusalCode::Forbidden), None, lost.clone(), lost]);
    let shown = store.message(own_message_id(3)).await.unwrap().unwrap();
    assert_eq!((shown.status, shown.seq), (MessageStatus::Queued, None));
}

/// Another epoch: seqs are given again, so a marker above them would hide what is new.
pub async fn after_an_epoch_markers_come_down_to_what_is_there(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    pulled(store, Changes { read_markers: vec![read_to(one, &ada(), 5)], ..Changes::default() }).await;

    // Restored to two messages; since then Ben has written a third, with a seq that another message had before.
    let third = Message { id: message_id(one, 77), ..message(one, 3, &ben()) };
    let rows = vec![message(one, 1, &iris()), message(one, 2, &ada())];
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 2), rows)).await;
    pulled(store, thread(direct(1, 3), vec![third])).await;

    assert_eq!(unread(store, one).await, 1);
    let queued = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, Intent::MarkRead(MarkRead { conversation_id: one, read_seq: seq(2) }));
    sent(store, 2, one).await;
    stored(store, 2, ack(2, one, 4)).await;
    let mine = store.message(own_message_id(2)).await.unwrap().unwrap();
    assert_eq!(mine.status, MessageStatus::Sent, "Ada's receipt came down too");
}

/// Another epoch: what was read since the backup is read, and the server is told again; not of what it knows.
pub async fn after_an_epoch_the_server_is_told_again_what_was_read(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    acknowledged(store, 1, Acknowledgement::Marked(read_to(one, &iris(), 5))).await;

    let restored = |read| Changes {
        read_markers: vec![read_to(one, &ada(), 5), read_to(one, &iris(), read)],
        ..thread(direct(1, 5), settled_messages())
    };
    let report = bootstrapped(store, BootstrapReason::Epoch, restored(2)).await;
    assert_eq!((report.marked_again, unread(store, one).await), (1, 0));
    let queued = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, Intent::MarkRead(MarkRead { conversation_id: one, read_seq: seq(5) }));

    let report = bootstrapped(store, BootstrapReason::Epoch, restored(2)).await;
    assert_eq!((report.marked_again, outbox(store).await.len()), (0, 1), "one waits");
    let marked = Acknowledgement::Marked(read_to(one, &iris(), 5));
    let results = vec![PushResult { mutation_id: queued[0].id, outcome: PushOutcome::Acknowledged(marked) }];
    store.settle(results).await.unwrap();
    let report = bootstrapped(store, BootstrapReason::Epoch, restored(5)).await;
    assert_eq!((report.marked_again, outbox(store).await.len()), (0, 0), "the server knows");
}

/// Another epoch, and another: each time the server is told under an id of its own, and a late answer to the first telling
/// says nothing of the second.
pub async fn after_each_epoch_the_server_is_told_under_a_new_id(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    acknowledged(store, 1, Acknowledgement::Marked(read_to(one, &iris(), 5))).await;
    let set_back = || Changes {
        read_markers: vec![read_to(one, &ada(), 5), read_to(one, &iris(), 2)],
        ..thread(direct(1, 5), settled_messages())
    };
    let told = |id| PushResult {
        mutation_id: id,
        outcome: PushOutcome::Acknowledged(Acknowledgement::Marked(read_to(one, &iris(), 5))),
    };
    bootstrapped(store, BootstrapReason::Epoch, set_back()).await;
    let first = batch(store).await;
    store.settle(vec![told(first[0])]).await.unwrap();
    bootstrapped(store, BootstrapReason::Epoch, set_back()).await;

    let late = store.settle(vec![told(first[0])]).await.unwrap();

    assert_eq!((late.acknowledged, late.unknown), (0, 1));
    let second = batch(store).await;
    assert_eq!(second.len(), 1);
    assert!(second != first && second[0].as_uuid() != one.as_uuid());
}

/// Another epoch: nobody has read a message that has taken the place of one that was read.
pub async fn after_an_epoch_what_took_the_place_of_another_is_unread(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    let third = Message { id: message_id(one, 77), ..message(one, 3, &ben()) };
    let rows = vec![message(one, 1, &iris()), message(one, 2, &ada()), third, message(one, 4, &ada())];

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 4), rows)).await;

    assert_eq!(unread(store, one).await, 2, "the third, and what stands behind it");
    let queued = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, Intent::MarkRead(MarkRead { conversation_id: one, read_seq: seq(2) }));
}

/// Another epoch: a new message may stand where an old one stood.
pub async fn after_an_epoch_a_seq_can_be_taken_by_another_message(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    let third = Message { id: message_id(one, 77), content: Some("new third".to_owned()), ..message(one, 3, &ben()) };
    let rows = vec![message(one, 1, &iris()), message(one, 2, &ada()), third];

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 3), rows)).await;

    let shown = newest(store, one, 10).await;
    assert_eq!(seqs(&shown), [1, 2, 3, 0, 0]);
    assert_eq!(shown.messages[2].content.as_deref(), Some("new third"));
    assert_eq!(shown.messages[3].id, message_id(one, 3), "Iris' own third message was lost");
}

/// A change of epoch that was interrupted is still one when the bootstrap starts over for a lesser reason.
pub async fn starting_over_does_not_forget_a_change_of_epoch(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 4), messages(conversation_id(1), 1..=4, &ada())))
        .await;
    let lost: Vec<_> = outbox(store).await.iter().filter_map(|entry| entry.message_id).collect();
    assert_eq!(lost, [message_id(conversation_id(1), 5)]);
}

/// Another epoch: deletions and revocations of the old one say nothing, and those of the new one count from the beginning.
pub async fn after_an_epoch_old_deletions_and_revocations_are_forgotten(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let (one, two) = (conversation_id(1), conversation_id(2));
    let revoke = |conversation_id, version| {
        vec![AccessChange { conversation_id, access: Access::Revoke, version: Version::new(version) }]
    };
    let tombstones = vec![super::build::conversation_tombstone(one, 50)];
    pulled(store, Changes { tombstones, access: revoke(two, 60), ..Changes::default() }).await;
    assert!(store.conversations(10).await.unwrap().is_empty());

    let mut changes = thread(direct(1, 2), messages(one, 1..=2, &ada()));
    changes.conversations.push(broadcast(2, 0));
    bootstrapped(store, BootstrapReason::Epoch, changes).await;
    assert_eq!(store.conversations(10).await.unwrap().len(), 2);
    assert_eq!(newest(store, one, 10).await.messages.len(), 2);

    assert_eq!(pulled(store, Changes { access: revoke(two, 1), ..Changes::default() }).await.purged, [two]);
}
