//! Opening a direct conversation offline, and its canonical id.

use super::build::{
    ack, ada, at, ben, conversation_id, direct, echo, history_page, iris, message, mutation_id, new_direct,
    other_direct, own_message_id, read_to, seq, tombstone, wide,
};
use super::given::{
    acknowledged, applied_history, batch, failure, loaded, mutations, newest, outbox, pulled, read, refused, sent,
    seqs, stored, summary, texts, thread, unread,
};
use crate::{ConversationSummary, NewDirect, Older, Store, Window};
use fieldpost_domain::{
    Acknowledgement, Changes, Conversation, ConversationId, Intent, Message, Mutation, OpenDirect, PushOutcome,
    PushResult, RefusalCode, RetryCode, Seq, Tombstone, TombstoneOf, Version,
};
use std::collections::HashSet;

const LOCAL: u64 = 1;
const CANONICAL: u64 = 2;

fn local() -> ConversationId {
    conversation_id(LOCAL)
}

fn canonical() -> ConversationId {
    conversation_id(CANONICAL)
}

/// Iris opens Ada's conversation offline and writes two messages in it.
async fn opened_offline(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    store.open_direct(mutation_id(1), new_direct(LOCAL)).await.unwrap();
    sent(store, 2, local()).await;
    sent(store, 3, local()).await;
}

fn opened(conversation: Conversation) -> Acknowledgement {
    Acknowledgement::Opened(Box::new(conversation))
}

async fn lanes(store: &dyn Store) -> Vec<ConversationId> {
    let batch = store.next_batch(wide(), &HashSet::new()).await.unwrap();
    batch.iter().map(|mutation| mutation.intent.lane()).collect()
}

/// `Outbox::open_direct`: a new conversation.
pub async fn a_conversation_opened_offline_is_there_at_once(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;

    let shown = store.open_direct(mutation_id(1), new_direct(LOCAL)).await.unwrap();

    let expected = ConversationSummary {
        settings: fieldpost_domain::Settings::default(),
        revived: false,
        draft: None,
        id: local(),
        org_id: super::build::org(),
        kind: fieldpost_domain::ConversationKind::Direct,
        participant_name: "Ada Moss".to_owned(),
        subject: None,
        omitted: None,
        medic_id: ada().medic_id,
        created_at: at(400 + LOCAL),
        last_message_at: None,
        last_message_preview: None,
        unread: 0,
        unread_mentions: 0,
        last_seq: Seq::ZERO,
        on_server: false,
    };
    assert_eq!(shown, expected);
    assert_eq!(summary(store, local()).await, expected);
    let window = newest(store, local(), 10).await;
    assert_eq!((window.messages.len(), window.older), (0, Older::Nothing));
    let intent = Intent::OpenDirect(OpenDirect {
        conversation_id: local(),
        medic_id: ada().medic_id,
        org_id: Some(super::build::org()),
    });
    let queued = store.next_batch(wide(), &HashSet::new()).await.unwrap();
    assert_eq!(queued, [Mutation { id: mutation_id(1), intent }]);
    assert_eq!(outbox(store).await[0].recorded_at, at(401));
}

/// `Outbox::open_direct`: the stored conversation is returned.
pub async fn opening_twice_gives_the_same_conversation(store: &dyn Store) {
    opened_offline(store).await;
    let again = store.open_direct(mutation_id(9), new_direct(7)).await.unwrap();
    assert_eq!(again.id, local());
    assert_eq!(batch(store).await, mutations([1, 2, 3]));
    assert_eq!(store.conversations(10).await.unwrap().len(), 1);
}

/// `Outbox::open_direct`: a conversation that the server has.
pub async fn opening_a_synced_conversation_queues_nothing(store: &dyn Store) {
    loaded(store, thread(direct(CANONICAL, 0), vec![])).await;
    assert_eq!(store.open_direct(mutation_id(1), new_direct(LOCAL)).await.unwrap().id, canonical());
    assert!(outbox(store).await.is_empty());
    let ben = NewDirect { medic_id: super::build::medic_id(3), ..new_direct(LOCAL) };
    assert_eq!(
        store.open_direct(mutation_id(1), ben).await.unwrap().id,
        local(),
        "another medic, another conversation"
    );
}

/// `Outbox::open_direct`: the opener and the org are not known yet.
pub async fn opening_before_the_first_sync_is_refused(store: &dyn Store) {
    store.save_session(&super::build::session(&super::build::iris(), 1)).await.unwrap();
    let error = store.open_direct(mutation_id(1), new_direct(LOCAL)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (crate::StorageErrorKind::NotSynced, "open_direct"));
    assert!(outbox(store).await.is_empty());
}

/// The server keeps the id of the device.
pub async fn an_accepted_open_keeps_its_id(store: &dyn Store) {
    opened_offline(store).await;

    let report = acknowledged(store, 1, opened(direct(LOCAL, 0))).await;

    assert_eq!((report.acknowledged, report.rekeyed.len()), (1, 0));
    assert!(summary(store, local()).await.on_server);
    assert_eq!(batch(store).await, mutations([2, 3]));
}

/// The server assigns another id: everything moves to it.
pub async fn the_canonical_id_takes_the_place_of_the_local_one(store: &dyn Store) {
    opened_offline(store).await;

    let report = acknowledged(store, 1, opened(direct(CANONICAL, 0))).await;

    assert_eq!(report.rekeyed, [(local(), canonical())]);
    let listed = store.conversations(10).await.unwrap();
    assert_eq!(listed.iter().map(|one| (one.id, one.on_server)).collect::<Vec<_>>(), [(canonical(), true)]);
    assert_eq!(texts(store, canonical()).await, ["own 2", "own 3"]);
    assert_eq!(store.message(own_message_id(2)).await.unwrap().unwrap().conversation_id, canonical());
    assert_eq!(lanes(store).await, [canonical(), canonical()]);
    assert_eq!(outbox(store).await[0].conversation_id, canonical());
}

/// Defect 10: an open screen holds the old id, and every method still accepts it.
pub async fn defect_10_the_old_id_works_in_every_method(store: &dyn Store) {
    opened_offline(store).await;
    acknowledged(store, 1, opened(direct(CANONICAL, 2))).await;
    applied_history(store, history_page(local(), 1, 2, super::build::messages(local(), 1..=2, &ada()))).await;

    assert_eq!(summary(store, local()).await, summary(store, canonical()).await);
    assert_eq!(newest(store, local(), 10).await, newest(store, canonical(), 10).await);
    assert_eq!(texts(store, local()).await, ["message 1", "message 2", "own 2", "own 3"]);
    assert_eq!(unread(store, local()).await, 2);
    assert_eq!(sent(store, 4, local()).await.conversation_id, canonical());
    assert_eq!(read(store, 5, local()).await, 2);
    assert_eq!(store.open_direct(mutation_id(6), new_direct(LOCAL)).await.unwrap().id, canonical());
    assert_eq!(lanes(store).await, [canonical(); 4]);
    let held = store.next_batch(wide(), &HashSet::from([local()])).await.unwrap();
    assert!(held.is_empty(), "a lane held under its old id is held");
    let window = store.messages(local(), Window { limit: 10, before: Some(seq(2)) }).await.unwrap();
    assert_eq!(seqs(&window), [1]);
}

/// Rows, markers and tombstones of a page may name the old id.
pub async fn rows_under_the_old_id_are_taken_as_the_canonical_ones(store: &dyn Store) {
    opened_offline(store).await;
    acknowledged(store, 1, opened(direct(CANONICAL, 2))).await;

    let messages = super::build::messages(local(), 1..=2, &ada());
    let tombstones = vec![tombstone(messages[0].id, local(), 1, 9)];
    let read_markers = vec![read_to(local(), &iris(), 2)];
    let report = pulled(store, Changes { messages, tombstones, read_markers, ..Changes::default() }).await;

    assert_eq!((report.applied, report.unreadable), (4, 0));
    assert_eq!(texts(store, canonical()).await, ["message 2", "own 2", "own 3"]);
    assert_eq!(unread(store, canonical()).await, 0);
    assert!(store.missing_ranges(10).await.unwrap().is_empty(), "the deleted one is known too");
}

/// A pull brings the canonical row before the result. The rows are merged under the server's id, and the result changes
/// nothing more.
pub async fn a_pulled_row_of_the_same_medic_merges_before_the_answer(store: &dyn Store) {
    opened_offline(store).await;

    pulled(store, thread(direct(CANONICAL, 1), vec![message(canonical(), 1, &ada())])).await;

    let listed = store.conversations(10).await.unwrap();
    assert_eq!(listed.iter().map(|one| (one.id, one.on_server)).collect::<Vec<_>>(), [(canonical(), true)]);
    assert_eq!(texts(store, local()).await, ["message 1", "own 2", "own 3"]);
    assert_eq!(batch(store).await, mutations([1, 2, 3]), "the open still waits for its result");
    assert_eq!(lanes(store).await, [canonical(); 3]);

    let report = acknowledged(store, 1, opened(direct(CANONICAL, 1))).await;
    assert_eq!((report.acknowledged, report.rekeyed.len()), (1, 0));
    assert_eq!(texts(store, canonical()).await.len(), 3);
}

/// The open arrived and its response was lost. Then the conversation was deleted, and somebody else opened one with the
/// same medic.
pub async fn the_successor_of_a_deleted_conversation_stays(store: &dyn Store) {
    opened_offline(store).await;
    let tombstones =
        vec![Tombstone { conversation_id: local(), of: TombstoneOf::Conversation, version: Version::new(2) }];
    let changes = thread(direct(CANONICAL, 1), vec![message(canonical(), 1, &ada())]);

    let report = pulled(store, Changes { tombstones, ..changes }).await;

    assert_eq!(report.purged, []);
    assert_eq!(texts(store, canonical()).await, ["message 1", "own 2", "own 3"]);
}

/// The open arrived and its response was lost. Then the conversation was given to Ben, and somebody else opened one
/// with the medic. An admin sees both.
pub async fn an_opened_conversation_that_the_server_lists_is_not_merged(store: &dyn Store) {
    opened_offline(store).await;
    let handed_on = Conversation { id: local(), medic_id: ben().medic_id, ..direct(5, 0) };
    for conversations in [vec![direct(CANONICAL, 1), handed_on.clone()], vec![handed_on, direct(CANONICAL, 1)]] {
        let messages = vec![message(canonical(), 1, &ada())];
        pulled(store, Changes { conversations, messages, people: vec![ada()], ..Changes::default() }).await;
        assert_eq!(texts(store, canonical()).await, ["message 1"]);
        assert_eq!(texts(store, local()).await, ["own 2", "own 3"]);
    }
}

/// The same, but the opened conversation's row comes a page later, when it has been merged already. From then on its id
/// is a conversation again.
pub async fn an_alias_that_the_server_lists_becomes_a_conversation_again(store: &dyn Store) {
    opened_offline(store).await;
    pulled(store, thread(direct(CANONICAL, 1), vec![message(canonical(), 1, &ada())])).await;

    let handed_on = Conversation { id: local(), medic_id: ben().medic_id, ..direct(5, 1) };
    let arrived = Message { conversation_id: local(), ..echo(2, local(), 1) };
    pulled(store, thread(handed_on, vec![arrived])).await;

    assert_eq!(texts(store, local()).await, ["own 2"]);
    assert_eq!(texts(store, canonical()).await, ["message 1", "own 3"]);
    assert_eq!(store.conversations(10).await.unwrap().len(), 2);
}

/// A row of another medic or another kind is another conversation.
pub async fn only_the_same_org_and_medic_merge(store: &dyn Store) {
    opened_offline(store).await;
    let of_ben = Conversation { medic_id: ben().medic_id, ..direct(5, 0) };
    let elsewhere = Conversation { org_id: fieldpost_domain::OrgId::from_uuid(uuid::Uuid::nil()), ..direct(6, 0) };
    let conversations = vec![of_ben, elsewhere, super::build::broadcast(7, 0)];
    pulled(store, Changes { conversations, ..Changes::default() }).await;
    assert_eq!(store.conversations(10).await.unwrap().len(), 4);
    assert!(!summary(store, local()).await.on_server);
}

/// Both conversations are stored with messages when the result comes: one thread, each message once.
pub async fn merged_conversations_keep_all_messages(store: &dyn Store) {
    opened_offline(store).await;
    // The pulled conversation has no medic, so it cannot be recognised by it.
    let unnamed = Conversation { medic_id: None, ..direct(CANONICAL, 2) };
    let messages = super::build::messages(canonical(), 1..=2, &ada());
    pulled(store, Changes { conversations: vec![unnamed], messages, ..Changes::default() }).await;
    read(store, 8, canonical()).await;
    assert_eq!(store.conversations(10).await.unwrap().len(), 2);

    let named = Conversation { version: Version::new(2), ..direct(CANONICAL, 2) };
    let report = acknowledged(store, 1, opened(named)).await;

    assert_eq!(report.rekeyed, [(local(), canonical())]);
    assert_eq!(texts(store, local()).await, ["message 1", "message 2", "own 2", "own 3"]);
    assert_eq!(store.conversations(10).await.unwrap().len(), 1);
    assert_eq!(batch(store).await, mutations([2, 3, 8]));
    assert_eq!(unread(store, canonical()).await, 0);
}

/// From opening and writing to push and pull: the messages keep their ids.
pub async fn messages_sent_under_the_old_id_are_stored_under_the_new_one(store: &dyn Store) {
    opened_offline(store).await;
    acknowledged(store, 1, opened(direct(CANONICAL, 0))).await;
    stored(store, 2, ack(2, canonical(), 1)).await;
    stored(store, 3, ack(3, canonical(), 2)).await;

    let report =
        pulled(store, thread(direct(CANONICAL, 2), vec![echo(2, canonical(), 1), echo(3, canonical(), 2)])).await;

    assert_eq!(report.new_messages, 0);
    assert_eq!(seqs(&newest(store, local(), 10).await), [1, 2]);
    assert_eq!(texts(store, local()).await, ["own 2", "own 3"]);
}

/// All results come in one batch: the first one re-keys, and the others apply to the canonical conversation.
pub async fn later_results_of_a_batch_use_the_canonical_id(store: &dyn Store) {
    opened_offline(store).await;
    let outcome = |what| PushOutcome::Acknowledged(what);
    let results = [
        (1, outcome(opened(direct(CANONICAL, 0)))),
        (2, outcome(Acknowledgement::Sent(ack(2, canonical(), 1)))),
        (3, PushOutcome::Retry(RetryCode::Busy)),
    ];
    let results = results.map(|(n, outcome)| PushResult { mutation_id: mutation_id(n), outcome });

    let report = store.settle(results.into()).await.unwrap();

    assert_eq!((report.acknowledged, report.retrying), (2, 1));
    assert_eq!(report.rekeyed, [(local(), canonical())], "once");
    assert_eq!(seqs(&newest(store, canonical(), 10).await), [1, 0]);
    assert_eq!(lanes(store).await, [canonical()]);
}

/// A message's result names the canonical conversation before the open's own result.
pub async fn an_answer_to_a_message_can_bring_the_canonical_id(store: &dyn Store) {
    opened_offline(store).await;

    let report = stored(store, 2, ack(2, canonical(), 1)).await;

    assert_eq!(report.rekeyed, [(local(), canonical())]);
    assert_eq!(texts(store, local()).await, ["own 2", "own 3"]);
    assert_eq!(lanes(store).await, [canonical(), canonical()]);
    assert_eq!(newest(store, canonical(), 10).await.messages[0].seq, Some(seq(1)));
}

/// The server assigns one id and then another: all earlier ids stay aliases, and everything has moved.
pub async fn an_id_can_become_canonical_in_two_steps(store: &dyn Store) {
    opened_offline(store).await;
    stored(store, 2, ack(2, canonical(), 1)).await;
    read(store, 8, canonical()).await;
    pulled(store, Changes { read_markers: vec![read_to(canonical(), &ada(), 1)], ..Changes::default() }).await;

    let report = acknowledged(store, 1, opened(direct(9, 1))).await;

    assert_eq!(report.rekeyed, [(canonical(), conversation_id(9))]);
    for id in [local(), canonical(), conversation_id(9)] {
        assert_eq!(summary(store, id).await.id, conversation_id(9));
        assert_eq!(texts(store, id).await, ["own 2", "own 3"]);
    }
    assert_eq!(lanes(store).await, [conversation_id(9); 2]);
    assert_eq!(read(store, 10, local()).await, 1, "the marker has moved along");
    assert_eq!(batch(store).await, mutations([3, 8]));
    let shown = store.message(own_message_id(2)).await.unwrap().unwrap();
    assert_eq!(shown.status, fieldpost_domain::MessageStatus::Read, "and so have receipts");
}

/// Rejected open: only the mutations of its lane become dead letters.
pub async fn a_refused_open_parks_its_lane(store: &dyn Store) {
    opened_offline(store).await;
    pulled(store, Changes { conversations: vec![other_direct(5, 0)], ..Changes::default() }).await;
    sent(store, 4, conversation_id(5)).await;

    let report = refused(store, 1, RefusalCode::NotFound).await;

    assert_eq!(report.failed, 3);
    let entries = outbox(store).await;
    let failures: Vec<_> = entries.iter().map(failure).collect();
    let parked = Some(&RefusalCode::OpenRefused);
    assert_eq!(failures, [Some(&RefusalCode::NotFound), parked, parked, None]);
    assert_eq!(batch(store).await, mutations([4]));
    let shown = store.message(own_message_id(2)).await.unwrap().unwrap();
    assert_eq!(shown.failure.map(|refusal| refusal.code), Some(RefusalCode::OpenRefused));
    assert_eq!(texts(store, local()).await, ["own 2", "own 3"], "the person still sees the unsent messages");
}

/// Rejected open: a message with a remote echo is no dead letter.
pub async fn a_refused_open_does_not_park_an_echoed_message(store: &dyn Store) {
    opened_offline(store).await;
    pulled(store, Changes { messages: vec![echo(2, local(), 1)], ..Changes::default() }).await;

    let report = refused(store, 1, RefusalCode::Forbidden).await;

    assert_eq!((report.failed, report.acknowledged), (2, 1));
    let entries = outbox(store).await;
    assert_eq!(entries.iter().map(|entry| entry.mutation_id).collect::<Vec<_>>(), mutations([1, 3]));
    assert_eq!(texts(store, local()).await, ["own 2", "own 3"]);
}

/// Rejected open of a conversation that a pull has brought: its messages do not depend on the open any more.
pub async fn a_refused_open_of_a_known_conversation_parks_nothing_else(store: &dyn Store) {
    opened_offline(store).await;
    pulled(store, thread(direct(CANONICAL, 1), vec![message(canonical(), 1, &ada())])).await;

    let report = refused(store, 1, RefusalCode::Forbidden).await;

    assert_eq!((report.failed, report.acknowledged), (1, 0));
    assert_eq!(batch(store).await, mutations([2, 3]));
}

/// A message that is written after the refusal becomes a dead letter at once, because the server could only refuse it.
pub async fn a_message_to_a_refused_conversation_parks_at_once(store: &dyn Store) {
    opened_offline(store).await;
    refused(store, 1, RefusalCode::Forbidden).await;

    let shown = sent(store, 4, local()).await;

    assert_eq!(shown.failure.map(|refusal| refusal.code), Some(RefusalCode::OpenRefused));
    assert!(batch(store).await.is_empty());
    assert_eq!(store.counts().await.unwrap().failed, 4);
}

/// A conversation that the server does not have is in no digest, and no bootstrap removes it.
pub async fn an_unsent_conversation_stays_through_a_bootstrap(store: &dyn Store) {
    opened_offline(store).await;
    let other = Conversation { medic_id: ben().medic_id, ..direct(5, 0) };
    let changes = Changes { conversations: vec![other], ..Changes::default() };
    store.begin_bootstrap(crate::BootstrapReason::Reconcile).await.unwrap();
    let page = fieldpost_domain::BootstrapPage {
        digest: Some(super::build::digest([5])),
        ..super::build::bootstrap_page(changes)
    };

    let report = store.apply_bootstrap(None, page).await.unwrap();

    assert_eq!(report.digest_matches, Some(true));
    assert_eq!(texts(store, local()).await, ["own 2", "own 3"]);
    assert_eq!(batch(store).await, mutations([1, 2, 3]));
}

/// The old id stays an alias when the canonical conversation changes later.
pub async fn an_alias_outlives_later_changes(store: &dyn Store) {
    opened_offline(store).await;
    acknowledged(store, 1, opened(direct(CANONICAL, 0))).await;
    let row = Message { version: Version::new(3), ..message(canonical(), 1, &ada()) };
    let changed = Conversation { version: Version::new(7), ..direct(CANONICAL, 1) };
    pulled(store, thread(changed, vec![row])).await;
    assert_eq!(texts(store, local()).await, ["message 1", "own 2", "own 3"]);
    assert_eq!(summary(store, local()).await.id, canonical());
}
