//! Pages of a pull: rows, versions and the position.

use super::build::{
    ada, ben, continuation, conversation_id, cursor, deleted, digest, direct, iris, message, message_id, messages,
    other_direct, pull_page, seq, tombstone,
};
use super::given::{loaded, loaded_thread, newest, person, pulled, pulled_messages, seqs, summary, texts, thread};
use crate::{ApplyReport, BootstrapReason, StorageErrorKind, Store, SyncMemory, SyncPosition};
use fieldpost_domain::{Changes, Conversation, Message, MessageStatus, Person, PullPage, Version};

async fn position(store: &dyn Store) -> SyncPosition {
    store.sync_state().await.unwrap().position
}

/// Defect 1: the position is the server's cursor, stored with the rows. It contains no clock of a device.
pub async fn defect_1_the_position_is_the_servers_cursor(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    store.remember(&SyncMemory::default(), Some(super::build::at(86_400 * 365))).await.unwrap();
    let page = pull_page("opaque:12,34;", thread(direct(1, 1), messages(conversation_id(1), 1..=1, &ada())));

    let report = store.apply_pull(&cursor("0"), page).await.unwrap();

    assert_eq!((report.applied, report.stale, report.new_messages), (3, 1, 1), "Iris was known");
    assert_eq!(position(store).await, SyncPosition::Following(cursor("opaque:12,34;")));
    assert_eq!(texts(store, conversation_id(1)).await, ["message 1"]);
}

/// Defect 2: each page moves the cursor only as far as its rows go, and the next page continues there.
pub async fn defect_2_the_cursor_moves_page_by_page(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    for n in 1..=3 {
        let changes = Changes { messages: messages(thread, [n], &ada()), ..Changes::default() };
        let page = PullPage { more: n < 3, ..pull_page(&format!("pass.{n}"), changes) };
        let from = if n == 1 { "0".to_owned() } else { format!("pass.{}", n - 1) };
        store.apply_pull(&cursor(&from), page).await.unwrap();
        assert_eq!(position(store).await, SyncPosition::Following(cursor(&format!("pass.{n}"))));
    }
    assert_eq!(seqs(&newest(store, thread, 10).await), [1, 2, 3]);
}

/// Defect 7: two pulls run at once, and the second page was requested at a cursor that is no longer the position.
pub async fn defect_7_a_page_for_another_position_is_superseded(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 0), vec![]).await;
    let page = |n| pull_page("1", Changes { messages: messages(thread, [n], &ada()), ..Changes::default() });
    store.apply_pull(&cursor("0"), page(1)).await.unwrap();

    let error = store.apply_pull(&cursor("0"), page(2)).await.unwrap_err();

    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::Superseded, "apply_pull"));
    assert_eq!(seqs(&newest(store, thread, 10).await), [1], "nothing of a superseded page is applied");
    assert_eq!(position(store).await, SyncPosition::Following(cursor("1")));
}

/// There is no pull before or during a bootstrap.
pub async fn a_pull_needs_a_finished_bootstrap(store: &dyn Store) {
    assert_eq!(position(store).await, SyncPosition::Fresh);
    let early = store.apply_pull(&cursor("0"), pull_page("1", Changes::default())).await.unwrap_err();
    assert_eq!(early.kind(), StorageErrorKind::Superseded);

    loaded(store, Changes::default()).await;
    store.begin_bootstrap(BootstrapReason::Reconcile).await.unwrap();
    let during = store.apply_pull(&cursor("0"), pull_page("1", Changes::default())).await.unwrap_err();
    assert_eq!(during.kind(), StorageErrorKind::Superseded);
    let error = store.apply_bootstrap(Some(&continuation("x")), super::build::bootstrap_page(Changes::default())).await;
    assert_eq!(error.unwrap_err().kind(), StorageErrorKind::Superseded);
}

/// An empty page moves the cursor and nothing else.
pub async fn an_empty_page_moves_the_cursor(store: &dyn Store) {
    loaded_thread(store, direct(1, 1), messages(conversation_id(1), 1..=1, &ada())).await;
    let report = pulled(store, Changes::default()).await;
    assert_eq!(report, ApplyReport::default());
    assert_eq!(position(store).await, SyncPosition::Following(cursor("1")));
}

/// The same page twice changes nothing the second time.
pub async fn a_page_applied_again_is_stale(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let page = || thread(direct(1, 2), messages(conversation_id(1), 1..=2, &ada()));
    pulled(store, page()).await;
    let before = newest(store, conversation_id(1), 10).await;

    let again = pulled(store, page()).await;

    assert_eq!((again.applied, again.stale, again.new_messages), (0, 5, 0));
    assert_eq!(newest(store, conversation_id(1), 10).await, before);
}

/// A newer row replaces, an older one never.
pub async fn an_older_state_of_a_message_is_ignored(store: &dyn Store) {
    let id = conversation_id(1);
    let state = |version, text: &str| Message {
        version: Version::new(version),
        content: Some(text.to_owned()),
        ..message(id, 1, &ada())
    };
    loaded_thread(store, direct(1, 1), vec![state(3, "third")]).await;

    assert_eq!(pulled_messages(store, vec![state(2, "second")]).await.stale, 1);
    assert_eq!(pulled_messages(store, vec![state(3, "third")]).await.stale, 1);
    assert_eq!(texts(store, id).await, ["third"]);
    let report = pulled_messages(store, vec![state(4, "fourth")]).await;
    assert_eq!((report.applied, report.new_messages), (1, 0), "a change is no new message");
    assert_eq!(texts(store, id).await, ["fourth"]);
}

/// One page has two states of one row, in any order: the newer one stays.
pub async fn the_newest_of_several_states_in_a_page_stands(store: &dyn Store) {
    let id = conversation_id(1);
    let state = |version: u64| Message {
        version: Version::new(version),
        content: Some(format!("state {version}")),
        ..message(id, 1, &ada())
    };
    loaded_thread(store, direct(1, 1), vec![]).await;
    pulled_messages(store, vec![state(1), state(3), state(2)]).await;
    assert_eq!(texts(store, id).await, ["state 3"]);
}

/// Conversations and people have versions too.
pub async fn an_older_state_of_a_conversation_or_person_is_ignored(store: &dyn Store) {
    let subject = |version, text: &str| Conversation {
        version: Version::new(version),
        subject: Some(text.to_owned()),
        ..super::build::broadcast(1, 0)
    };
    let called = |version, name: &str| Person { version: Version::new(version), first_name: name.to_owned(), ..ada() };
    let page = |version, text: &str| Changes {
        people: vec![called(version, text)],
        conversations: vec![subject(version, text)],
        ..Changes::default()
    };
    loaded(store, page(5, "new")).await;

    assert_eq!(pulled(store, page(4, "old")).await.stale, 2);
    assert_eq!(summary(store, conversation_id(1)).await.subject.as_deref(), Some("new"));
    assert_eq!(person(store, &ada()).await.map(|ada| ada.first_name).as_deref(), Some("new"));
    assert_eq!(pulled(store, page(6, "newer")).await.applied, 2);
    assert_eq!(summary(store, conversation_id(1)).await.participant_name, "newer");
    assert_eq!(person(store, &ada()).await.map(|ada| ada.first_name).as_deref(), Some("newer"));
}

/// Versions of different rows are not comparable.
pub async fn versions_are_compared_per_row(store: &dyn Store) {
    let id = conversation_id(1);
    let high = Message { version: Version::new(900), ..message(id, 1, &ada()) };
    loaded_thread(store, Conversation { version: Version::new(500), ..direct(1, 2) }, vec![high]).await;
    assert_eq!(pulled_messages(store, vec![message(id, 2, &ada())]).await.applied, 1);
}

/// `last_seq` is derived and carries no version: the larger wins.
pub async fn last_seq_only_grows(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 5), vec![]).await;
    pulled(store, Changes { conversations: vec![direct(1, 9)], ..Changes::default() }).await;
    assert_eq!(summary(store, thread).await.last_seq, seq(9));
    let shrunk = Conversation { version: Version::new(8), ..direct(1, 3) };
    pulled(store, Changes { conversations: vec![shrunk], ..Changes::default() }).await;
    assert_eq!(summary(store, thread).await.last_seq, seq(9));
}

/// Defect 3: changes of status and deletions arrive, however old the row is.
pub async fn defect_3_changes_of_old_messages_arrive(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 2), vec![message(id, 1, &iris()), message(id, 2, &ada())]).await;

    let seen = Message { status: MessageStatus::Delivered, version: Version::new(2), ..message(id, 1, &iris()) };
    pulled_messages(store, vec![seen, deleted(message(id, 2, &ada()))]).await;

    let shown = newest(store, id, 10).await.messages;
    assert_eq!(shown[0].status, MessageStatus::Delivered);
    assert!(shown[1].deleted && shown[1].content.is_none());
}

/// A tombstone removes the row and is remembered, so that late rows do not bring it back.
pub async fn a_deleted_message_does_not_come_back(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    let tombstones = vec![tombstone(message_id(id, 1), id, 1, 5)];
    let page = Changes { tombstones, ..Changes::default() };

    assert_eq!(pulled(store, page.clone()).await.applied, 1);
    assert_eq!(seqs(&newest(store, id, 10).await), [2]);
    assert_eq!(pulled(store, page).await.stale, 1);
    let late = Message { version: Version::new(5), ..message(id, 1, &ada()) };
    assert_eq!(pulled_messages(store, vec![late]).await.stale, 1);
    super::given::history(store, id, 1, 2, messages(id, 1..=2, &ada())).await;

    assert_eq!(store.message(message_id(id, 1)).await.unwrap(), None);
    assert_eq!(seqs(&newest(store, id, 10).await), [2]);
}

/// A tombstone may come before its row.
pub async fn a_tombstone_before_its_message_is_remembered(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 2), messages(conversation_id(1), 1..=2, &ada())).await;
    let tombstones = vec![tombstone(message_id(id, 3), id, 3, 5)];
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    let report = pulled_messages(store, messages(id, 3..=4, &ada())).await;
    assert_eq!((report.applied, report.stale, report.new_messages), (1, 1, 1));
    assert_eq!(seqs(&newest(store, id, 10).await), [1, 2, 4]);
}

/// A tombstone that is older than the row changes nothing.
pub async fn an_older_tombstone_is_ignored(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), vec![Message { version: Version::new(9), ..message(id, 1, &ada()) }]).await;
    let tombstones = vec![tombstone(message_id(id, 1), id, 1, 8)];
    assert_eq!(pulled(store, Changes { tombstones, ..Changes::default() }).await.stale, 1);
    assert_eq!(seqs(&newest(store, id, 10).await), [1]);
}

/// The rows of a page depend on each other, in any order of the lists.
pub async fn a_page_brings_a_conversation_and_its_messages_together(store: &dyn Store) {
    loaded(store, Changes::default()).await;
    let report = pulled(store, thread(direct(1, 3), messages(conversation_id(1), [3, 1, 2], &ada()))).await;
    assert_eq!((report.unreadable, report.new_messages), (0, 3));
    assert_eq!(seqs(&newest(store, conversation_id(1), 10).await), [1, 2, 3]);
    assert!(store.missing_ranges(10).await.unwrap().is_empty());
}

/// New messages of others count, but not deleted ones.
pub async fn only_messages_of_others_count_as_new(store: &dyn Store) {
    let id = loaded_thread(store, direct(1, 0), vec![]).await;
    let rows =
        vec![message(id, 1, &iris()), message(id, 2, &ada()), deleted(message(id, 3, &ada())), message(id, 4, &ben())];
    assert_eq!(pulled_messages(store, rows).await.new_messages, 2);
}

/// The digest is compared after the page is applied.
pub async fn the_digest_of_a_page_is_compared_after_it(store: &dyn Store) {
    loaded(store, Changes { conversations: vec![direct(1, 0)], ..Changes::default() }).await;
    let page = |to: &str, number, digest| PullPage {
        digest,
        ..pull_page(to, Changes { conversations: vec![other_direct(number, 0)], ..Changes::default() })
    };
    let same = store.apply_pull(&cursor("0"), page("1", 2, Some(digest([1, 2])))).await.unwrap();
    assert_eq!(same.digest_matches, Some(true));
    let other = store.apply_pull(&cursor("1"), page("2", 3, Some(digest([1, 3])))).await.unwrap();
    assert_eq!(other.digest_matches, Some(false));
    let none = store.apply_pull(&cursor("2"), page("3", 3, None)).await.unwrap();
    assert_eq!(none.digest_matches, None);
}

/// `SyncState`: the time of the last success, and the signed-in person by a later pull.
pub async fn the_sync_state_remembers_success_and_who_i_am(store: &dyn Store) {
    assert_eq!(store.sync_state().await.unwrap().me, None);
    loaded(store, Changes::default()).await;
    let state = store.sync_state().await.unwrap();
    assert_eq!((state.me, state.last_success_at, state.unreadable_rows), (Some(iris()), None, 0));

    let promoted = Person { last_name: "Stone".to_owned(), version: Version::new(2), ..iris() };
    pulled(store, Changes { people: vec![promoted.clone()], ..Changes::default() }).await;
    store.remember(&SyncMemory::default(), Some(super::build::at(10))).await.unwrap();
    store.remember(&SyncMemory::default(), Some(super::build::at(20))).await.unwrap();

    let state = store.sync_state().await.unwrap();
    assert_eq!((state.me, state.last_success_at), (Some(promoted), Some(super::build::at(20))));
}
