//! Changes of epoch: a server that was restored from an older state, or promoted.

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
    Access, AccessChange, Acknowledgement, BootstrapPage, Changes, Conversation, ConversationId, HistoryPage, Intent,
    MarkRead, Message, MessageKind, MessageStatus, Person, PushOutcome, PushResult, RefusalCode, Role, ServerEpoch,
    Version,
};
use std::collections::{BTreeSet, HashSet};

/// Rows of lower versions replace rows of the old epoch. Its tombstones and revocations mean nothing.
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

/// Acknowledged own messages that the server no longer has are shown as lost and can be sent again.
pub async fn messages_that_the_server_lost_become_dead_letters(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    sent(store, 1, one).await;
    stored(store, 1, ack(1, one, 6)).await;

    // Restored to the time of the first two messages.
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
    assert_eq!(store.message(message_id(one, 4)).await.unwrap(), None, "only Ada can send her message again");
    assert!(batch(store).await.is_empty());
    assert_eq!(summary(store, one).await.last_seq, seq(2));
}

/// A page of a server with this name of its epoch.
fn of_epoch(name: &str, changes: Changes) -> BootstrapPage {
    BootstrapPage { epoch: Some(ServerEpoch::new(name)), ..bootstrap_page(changes) }
}

/// The server was restored between the expiry of a cursor and the first page.
pub async fn a_first_page_of_another_epoch_is_a_change_of_epoch(store: &dyn Store) {
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

/// History of the old epoch that is applied before the first page confirms nothing.
pub async fn history_before_the_first_page_belongs_to_the_old_epoch(store: &dyn Store) {
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

/// The page does not report again what an earlier page has reported. A server that names no epoch changes nothing.
pub async fn a_change_of_epoch_is_handled_once(store: &dyn Store) {
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

/// The server was restored, stored a message before the first page, and was restored again: the message is lost in
/// spite of its acknowledgement. A message that was acknowledged after the first page belongs to the new epoch.
pub async fn a_message_acknowledged_before_the_first_page_may_be_lost(store: &dyn Store) {
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
    assert_eq!(seqs(&newest(store, id, 10).await), [1, 2, 3, 0], "acknowledged in the new epoch: not lost");
    assert_eq!(outbox(store).await.len(), 1);
}

/// The same for a conversation whose open was accepted before the first page.
pub async fn a_conversation_opened_before_the_first_page_may_be_lost(store: &dyn Store) {
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

/// History that comes before the first page may belong to either epoch.
pub async fn history_before_the_first_page_is_older_than_it(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 2), messages(id, 1..=2, &ada())).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    let high = Message { version: Version::new(70), content: Some("undone".to_owned()), ..message(id, 2, &ada()) };
    let conversation = Some(Conversation { version: Version::new(70), ..direct(1, 8) });
    let rows = vec![high, message(id, 8, &ada())];
    applied_history(store, HistoryPage { conversation, ..history_page(id, 2, 8, rows) }).await;

    store.apply_bootstrap(None, of_epoch("c", thread(direct(1, 2), messages(id, 1..=2, &ada())))).await.unwrap();

    assert_eq!(texts(store, id).await, ["message 1", "message 2"]);
    assert_eq!(summary(store, id).await.last_seq, seq(2));
}

/// Later pages belong to the epoch of the first.
pub async fn only_the_first_page_names_the_epoch(store: &dyn Store) {
    let next_after = Some(continuation("next"));
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let first = of_epoch("a", thread(direct(1, 2), messages(conversation_id(1), 1..=2, &iris())));
    store.apply_bootstrap(None, BootstrapPage { next_after: next_after.clone(), ..first }).await.unwrap();
    let second = of_epoch("b", thread(broadcast(2, 1), messages(conversation_id(2), 1..=1, &ada())));
    store.apply_bootstrap(next_after.as_ref(), second).await.unwrap();
    assert!(outbox(store).await.is_empty());
    assert_eq!(texts(store, conversation_id(1)).await, ["message 1", "message 2"]);
}

/// Own messages of a conversation that the server lost stay as dead letters.
pub async fn messages_of_a_conversation_that_the_server_lost_become_dead_letters(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let report = bootstrapped(store, BootstrapReason::Epoch, thread(broadcast(2, 1), vec![])).await;
    assert_eq!(report.purged, [conversation_id(1)]);
    let lost: Vec<_> = outbox(store).await.iter().filter_map(|entry| entry.message_id).collect();
    assert_eq!(lost, [1, 3, 5].map(|n| message_id(conversation_id(1), n)));
    assert_eq!(store.message(lost[0]).await.unwrap().unwrap().content.as_deref(), Some("message 1"));
}

/// Messages of a conversation that the person merely cannot see are not reported as lost. Only an admin in their org,
/// and a member in broadcasts, can tell the difference.
pub async fn messages_out_of_sight_after_an_epoch_are_not_reported_as_lost(store: &dyn Store) {
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

/// Iris' own message is in a conversation that a bootstrap after a change of epoch does not list. Returns the reason of
/// its dead letter, if it becomes one. The dead letter is cancelled afterwards.
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

/// A page may be older than the answer to a push beside it, so what the page lacks is not lost for certain. The next pages tell,
/// unless the person loses access first: then this device can no longer find out.
pub async fn what_seems_lost_is_in_doubt_once_access_is_gone(store: &dyn Store) {
    let hidden = Some(RefusalCode::AccessLost);
    let one = lost_beside_a_bootstrap(store, 1).await;
    let revoked = AccessChange { conversation_id: one, access: Access::Revoke, version: Version::new(9) };
    pulled(store, Changes { access: vec![revoked], ..Changes::default() }).await;
    assert_eq!(failure(&outbox(store).await[0]).cloned(), hidden);

    // The same where the bootstrap begins again and does not list it, or a later one.
    lost_beside_a_bootstrap(store, 2).await;
    let medic = Person { role: Role::Medic, ..iris() };
    for reason in [BootstrapReason::Epoch, BootstrapReason::First] {
        store.begin_bootstrap(reason).await.unwrap();
        let page = BootstrapPage { me: Some(medic.clone()), ..bootstrap_page(Changes::default()) };
        store.apply_bootstrap(None, page).await.unwrap();
        let failures: Vec<_> = outbox(store).await.iter().map(|entry| failure(entry).cloned()).collect();
        assert_eq!(failures, [hidden.clone(), hidden.clone()], "{reason:?}");
    }
}

/// Iris' message is acknowledged while a bootstrap after a change of epoch runs, whose page was made before it. The store
/// takes it for lost.
async fn lost_beside_a_bootstrap(store: &dyn Store, n: u64) -> ConversationId {
    let id = loaded_thread(store, direct(n, 1), messages(conversation_id(n), 1..=1, &ada())).await;
    sent(store, n, id).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    stored(store, n, ack(n, id, 2)).await;
    let older = thread(direct(n, 1), messages(id, 1..=1, &ada()));
    store.apply_bootstrap(None, bootstrap_page(older)).await.unwrap();
    assert_eq!(outbox(store).await.iter().filter_map(failure).next_back(), Some(&RefusalCode::LostByServer));
    id
}

/// Messages below the confirmed range leave but are not lost: the server may have them.
pub async fn after_an_epoch_older_messages_are_fetched_again(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 5), messages(one, 4..=5, &ada()))).await;

    assert!(outbox(store).await.is_empty());
    assert_eq!(store.message(message_id(one, 1)).await.unwrap(), None);
    let window = newest(store, one, 10).await;
    assert_eq!((seqs(&window), window.older), (vec![4, 5], Older::OnServer(seq(4))));
}

/// Messages that cannot be sent again do not become dead letters.
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

/// The outbox and its dead letters stay as they are.
pub async fn the_outbox_survives_an_epoch(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    for n in 1..=3 {
        sent(store, n, one).await;
    }
    refused(store, 2, RefusalCode::Forbidden).await;
    // The echo of the third message came, but not its result.
    pulled(store, Changes { messages: vec![echo(3, one, 6)], ..Changes::default() }).await;

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 2), messages(one, 1..=2, &ada()))).await;

    assert_eq!(batch(store).await, mutations([1, 3]), "queued mutations stay queued");
    let failures: Vec<_> = outbox(store).await.iter().map(|entry| failure(entry).cloned()).collect();
    let lost = Some(RefusalCode::LostByServer);
    assert_eq!(failures, [None, Some(RefusalCode::Forbidden), None, lost.clone(), lost]);
    let shown = store.message(own_message_id(3)).await.unwrap().unwrap();
    assert_eq!((shown.status, shown.seq), (MessageStatus::Queued, None));
}

/// Seqs are assigned again, so a marker above them would hide new messages.
pub async fn after_an_epoch_markers_are_lowered_to_the_last_seq(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    pulled(store, Changes { read_markers: vec![read_to(one, &ada(), 5)], ..Changes::default() }).await;

    // Restored to two messages. Since then Ben has written a third, at a seq that another message had before.
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
    assert_eq!(mine.status, MessageStatus::Sent, "Ada's receipt was lowered too");
}

/// What was read since the backup stays read, and the read mark is sent again, unless the server knows it.
pub async fn after_an_epoch_read_marks_are_queued_again(store: &dyn Store) {
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

/// After each change of epoch the read mark has a new id, so a late result for the first one does not settle the
/// second.
pub async fn after_each_epoch_the_read_mark_has_a_new_id(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    acknowledged(store, 1, Acknowledgement::Marked(read_to(one, &iris(), 5))).await;
    let set_back = || Changes {
        read_markers: vec![read_to(one, &ada(), 5), read_to(one, &iris(), 2)],
        ..thread(direct(1, 5), settled_messages())
    };
    let acknowledged_mark = |id| PushResult {
        mutation_id: id,
        outcome: PushOutcome::Acknowledged(Acknowledgement::Marked(read_to(one, &iris(), 5))),
    };
    bootstrapped(store, BootstrapReason::Epoch, set_back()).await;
    let first = batch(store).await;
    store.settle(vec![acknowledged_mark(first[0])]).await.unwrap();
    bootstrapped(store, BootstrapReason::Epoch, set_back()).await;

    let late = store.settle(vec![acknowledged_mark(first[0])]).await.unwrap();

    assert_eq!((late.acknowledged, late.unknown), (0, 1));
    let second = batch(store).await;
    assert_eq!(second.len(), 1);
    assert!(second != first && second[0].as_uuid() != one.as_uuid());
}

/// A new message at the seq of a read one is unread.
pub async fn after_an_epoch_a_message_in_the_place_of_another_is_unread(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    let one = conversation_id(1);
    read(store, 1, one).await;
    let third = Message { id: message_id(one, 77), ..message(one, 3, &ben()) };
    let rows = vec![message(one, 1, &iris()), message(one, 2, &ada()), third, message(one, 4, &ada())];

    bootstrapped(store, BootstrapReason::Epoch, thread(direct(1, 4), rows)).await;

    assert_eq!(unread(store, one).await, 2, "the third message and those after it");
    let queued = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued[0].intent, Intent::MarkRead(MarkRead { conversation_id: one, read_seq: seq(2) }));
}

/// A new message may have the seq of an old one.
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

/// An interrupted change of epoch stays one when the bootstrap starts over for a lesser reason.
pub async fn starting_over_keeps_a_change_of_epoch(store: &dyn Store) {
    super::bootstrapping::settled_down(store).await;
    store.begin_bootstrap(BootstrapReason::Epoch).await.unwrap();
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 4), messages(conversation_id(1), 1..=4, &ada())))
        .await;
    let lost: Vec<_> = outbox(store).await.iter().filter_map(|entry| entry.message_id).collect();
    assert_eq!(lost, [message_id(conversation_id(1), 5)]);
}

/// Deletions and revocations of the old epoch mean nothing; those of the new one count from version zero.
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
