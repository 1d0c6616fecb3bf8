//! Searching: what a thread shows is found, by any part of it, in any form, and nothing else is.

use super::Device;
use super::build::{
    ack, ada, at, ben, conversation_id, conversation_tombstone, deleted, direct, echo, iris, medic_id, message,
    message_id, mutation_id, new_direct, own_message_id, pull_page, tombstone,
};
use super::given::{
    acknowledged, batch, bootstrapped, loaded, loaded_thread, pulled, pulled_messages, refused, sent, stored, thread,
};
use crate::{BootstrapReason, SearchHit, SearchOrder, SearchPosition, SearchQuery, Store};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Capability, Changes, Conversation, ConversationId, DeleteMessage,
    EditMessage, Intent, Mentions, Message, MessageContent, MessageId, MessageKind, Mutation, PullPage, RefusalCode,
    SearchText, ServerInfo, Version,
};

fn query(text: &str) -> SearchQuery {
    SearchQuery::new(SearchText::new(text).unwrap())
}

async fn hits(store: &dyn Store, query: &SearchQuery) -> Vec<SearchHit> {
    store.search(query).await.unwrap().hits
}

fn ids(hits: &[SearchHit]) -> Vec<MessageId> {
    hits.iter().map(|hit| hit.message.id).collect()
}

async fn found(store: &dyn Store, text: &str) -> Vec<MessageId> {
    ids(&hits(store, &query(text)).await)
}

/// The texts that are found, with every search as a first one: what was written just now is found too.
async fn texts(store: &dyn Store, text: &str) -> Vec<String> {
    let hits = hits(store, &query(text)).await;
    hits.into_iter().map(|hit| hit.message.content.unwrap_or_default()).collect()
}

/// A message of Ada with this text.
fn saying(conversation: ConversationId, seq: u64, text: &str) -> Message {
    Message { content: Some(text.to_owned()), ..message(conversation, seq, &ada()) }
}

/// One thread with these texts, the first one at seq 1.
async fn given_texts(store: &dyn Store, texts: &[&str]) -> ConversationId {
    let one = conversation_id(1);
    let messages = texts.iter().zip(1..).map(|(text, seq)| saying(one, seq, text)).collect();
    loaded_thread(store, direct(1, texts.len() as u64), messages).await
}

/// One thread with a message of Ada and one of Iris, whose server knows edits and deletions.
async fn given_thread(store: &dyn Store) -> ConversationId {
    let one = conversation_id(1);
    let id = loaded_thread(store, direct(1, 2), vec![message(one, 1, &ada()), echo(1, one, 2)]).await;
    let capabilities = [Capability::EditMessage, Capability::DeleteMessage].into();
    let server = ServerInfo { sql_version: Some(2), capabilities };
    let page = PullPage { server, ..pull_page("1", Changes::default()) };
    store.apply_pull(&super::build::cursor("0"), page).await.unwrap();
    assert_eq!(found(store, "own").await, [mine()]);
    id
}

fn mine() -> MessageId {
    own_message_id(1)
}

async fn edit(store: &dyn Store, n: u64, message_id: MessageId, text: &str) {
    let content = MessageContent::new(text).unwrap();
    let edit = EditMessage { conversation_id: conversation_id(1), message_id, content, mentions: Mentions::new() };
    store.change(Mutation { id: mutation_id(n), intent: Intent::EditMessage(edit) }, at(600 + n)).await.unwrap();
}

async fn delete(store: &dyn Store, n: u64, message_id: MessageId) {
    let deletion = DeleteMessage { conversation_id: conversation_id(1), message_id, deleted_at: at(600 + n) };
    store.change(Mutation { id: mutation_id(n), intent: Intent::DeleteMessage(deletion) }, at(600 + n)).await.unwrap();
}

/// `search`: in any case and Unicode form, by the beginning of the last word, by parts of what has no spaces.
pub async fn a_text_is_found_in_whatever_form_it_is_typed(store: &dyn Store) {
    const TEXTS: [&str; 8] = [
        "Zoë says: don't stop at GATE-3!",
        "Große Straße in ISTANBUL, Łódź",
        "İstanbul ｆｕｌｌ width",
        "会議は3時に変更",
        "캘린더를 보세요",
        "👍🏽 done 👨‍👩‍👧",
        "e\u{301}tude ὈΔΥΣΣΕΎΣ",
        "plain, with punctuation… and a — dash",
    ];
    given_texts(store, &TEXTS).await;
    for (typed, lines) in [
        ("z", vec![0]),
        ("ZOE", vec![0]),
        ("zoe\u{308}", vec![0]),
        ("dont", vec![]),
        ("don’t", vec![0]),
        ("gate 3", vec![0]),
        ("gate-3", vec![0]),
        ("3 gate", vec![0]),
        ("strasse", vec![1]),
        ("STRASSE gross", vec![1]),
        ("istanbul", vec![2, 1]),
        ("ISTANBUL", vec![2, 1]),
        ("ıstanbul", vec![2, 1]),
        ("lodz", vec![1]),
        ("full", vec![2]),
        ("会議", vec![3]),
        ("変更", vec![3]),
        ("更変", vec![]),
        ("캘린", vec![4]),
        ("👍", vec![5]),
        ("👍🏿 do", vec![5]),
        ("👨‍👩‍👧", vec![5]),
        ("étude", vec![6]),
        ("οδυσσευς", vec![6]),
        ("and a dash", vec![7]),
        ("\"a dash\"", vec![7]),
        ("\"dash a\"", vec![]),
        ("d", vec![7, 5, 0]),
        ("d ", vec![]),
    ] {
        let expected: Vec<_> = lines.into_iter().map(|line: usize| TEXTS[line].to_owned()).collect();
        assert_eq!(texts(store, typed).await, expected, "{typed:?}");
    }
}

/// `search`: signs that mean something to an index mean nothing, and no text of a person is an error.
pub async fn operators_and_quotes_are_plain_text(store: &dyn Store) {
    const TEXT: &str = "NEAR the gate OR not (near) words: x* ^start NOT \"it\"";
    given_texts(store, &[TEXT, "gate"]).await;
    for typed in [
        "NEAR(the gate)",
        "gate OR not",
        "words : x*",
        "^start NOT",
        "\"it\"",
        "'gate' the",
        "- gate the",
        "the AND gate OR not NOT it\"",
        "{near} the",
    ] {
        let expected = if typed.contains("AND") { vec![] } else { vec![TEXT.to_owned()] };
        assert_eq!(texts(store, typed).await, expected, "{typed:?}");
    }
    for typed in
        ["", " ", "\"", "\"\"", "*", "^", "(", ")", "AND", "NEAR/2", "-", ":", "{}", "words:", "…", "%_", "\u{0}"]
    {
        let found = texts(store, typed).await;
        assert!(found.is_empty() || found == [TEXT], "{typed:?}: {found:?}");
    }
    let longest = "x ".repeat(250);
    assert_eq!(found(store, &longest).await, [message_id(conversation_id(1), 1)]);
}

/// `search`: a hit names its conversation and shows the words in their place.
pub async fn a_hit_shows_where_and_what(store: &dyn Store) {
    given_texts(store, &["Zoe\u{308} waits at the gate"]).await;
    let hits = hits(store, &query("ZOË gat")).await;
    let [hit] = &hits[..] else { panic!("{hits:?}") };
    assert_eq!(hit.conversation_name, "Ada Moss");
    assert_eq!(Some(&hit.message), store.message(message_id(conversation_id(1), 1)).await.unwrap().as_ref());
    let highlighted: Vec<_> = hit.snippet.highlights.iter().map(|place| &hit.snippet.text[place.clone()]).collect();
    assert_eq!(highlighted, ["Zoe\u{308}", "gate"]);
}

/// `search`: conversation, author, kind and time, also together; a filter that nothing passes is no error.
pub async fn filters_leave_out_what_they_do_not_name(store: &dyn Store) {
    let (one, two) = (conversation_id(1), conversation_id(2));
    let note = Message { kind: MessageKind::System, ..message(two, 2, &iris()) };
    let changes = Changes {
        people: vec![iris(), ada(), ben()],
        conversations: vec![direct(1, 2), Conversation { medic_id: Some(medic_id(3)), ..direct(2, 2) }],
        messages: vec![message(one, 1, &ada()), message(one, 2, &iris()), message(two, 1, &ben()), note],
        ..Changes::default()
    };
    loaded(store, changes).await;
    let all = || SearchQuery { limit: 10, ..query("message") };
    for (query, seqs) in [
        (all(), vec![(two, 2), (one, 2), (two, 1), (one, 1)]),
        (SearchQuery { conversation: Some(one), ..all() }, vec![(one, 2), (one, 1)]),
        (SearchQuery { sender: Some(iris().id), ..all() }, vec![(two, 2), (one, 2)]),
        (SearchQuery { sender: Some(iris().id), conversation: Some(one), ..all() }, vec![(one, 2)]),
        (SearchQuery { kind: Some(MessageKind::System), ..all() }, vec![(two, 2)]),
        (SearchQuery { kind: Some(MessageKind::Text), ..all() }, vec![(one, 2), (two, 1), (one, 1)]),
        (SearchQuery { since: Some(at(102)), ..all() }, vec![(two, 2), (one, 2)]),
        (SearchQuery { until: Some(at(102)), ..all() }, vec![(two, 1), (one, 1)]),
        (SearchQuery { since: Some(at(102)), until: Some(at(102)), ..all() }, vec![]),
        (SearchQuery { conversation: Some(conversation_id(99)), ..all() }, vec![]),
        (SearchQuery { sender: Some(super::build::person_id(99)), ..all() }, vec![]),
        (SearchQuery { kind: Some(MessageKind::Unknown("poll".to_owned())), ..all() }, vec![]),
        (SearchQuery { limit: 0, ..all() }, vec![]),
    ] {
        for order in [SearchOrder::Newest, SearchOrder::Best] {
            // Of one time, any order.
            let mut found = ids(&hits(store, &SearchQuery { order, ..query.clone() }).await);
            let mut expected: Vec<_> = seqs.iter().map(|(id, seq)| message_id(*id, *seq)).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{query:?}");
        }
    }
}

/// All pages of a query, with positions that went through their text.
async fn paged(store: &dyn Store, query: SearchQuery) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), None::<SearchPosition>);
    loop {
        let page = store.search(&SearchQuery { after, ..query.clone() }).await.unwrap();
        pages.push(page.hits.into_iter().map(|hit| hit.message.content.unwrap_or_default()).collect());
        let Some(next) = page.next else { return pages };
        after = Some(next.to_string().parse().unwrap());
    }
}

/// `search`: page by page every hit comes once, the newest or the best first.
pub async fn every_hit_comes_once_page_by_page(store: &dyn Store) {
    given_texts(
        store,
        &["red door", "door red", "red doors", "the red door", "a door, red", "blue door", "reddish doors"],
    )
    .await;
    let two = |text: &str, order| SearchQuery { limit: 2, order, ..query(text) };
    assert_eq!(
        paged(store, two("red door", SearchOrder::Newest)).await,
        [vec!["a door, red", "the red door"], vec!["red doors", "door red"], vec!["red door"]]
    );
    assert_eq!(
        paged(store, two("red door", SearchOrder::Best)).await,
        [vec!["the red door", "red door"], vec!["a door, red", "door red"], vec!["red doors"]]
    );
    assert_eq!(
        paged(store, two("door", SearchOrder::Best)).await,
        [
            vec!["blue door", "a door, red"],
            vec!["the red door", "door red"],
            vec!["red door", "reddish doors"],
            vec!["red doors"]
        ]
    );
    let whole = SearchQuery { limit: 5, ..query("red ") };
    let pages = paged(store, whole).await;
    assert_eq!(pages.len(), 1, "a full page that is the last one has no next: {pages:?}");
}

/// `search`: a beginning that a great many messages have, and one that few have, among more messages than any store looks
/// through; every page of it.
pub async fn a_long_history_is_searched_to_its_end(store: &dyn Store) {
    let one = conversation_id(1);
    let text = |n: u64| if n.is_multiple_of(97) { format!("rare{n} word") } else { format!("word{n}") };
    let messages = (1..=1_400).map(|n| saying(one, n, &text(n))).collect();
    loaded_thread(store, direct(1, 1_400), messages).await;
    for (typed, conversation, expected) in
        [("w", None, 1_400), ("rar", None, 14), ("rar", Some(one), 14), ("word rar", None, 14), ("word ", None, 14)]
    {
        for order in [SearchOrder::Newest, SearchOrder::Best] {
            let pages = paged(store, SearchQuery { limit: 150, order, conversation, ..query(typed) }).await;
            let mut all: Vec<_> = pages.concat();
            assert_eq!(all.len(), expected, "{typed:?} {order:?}");
            all.sort();
            all.dedup();
            assert_eq!(all.len(), expected, "{typed:?} {order:?} twice");
        }
    }
}

/// `search`: a message is found from when it is sent on, whatever becomes of it.
pub async fn a_queued_message_is_found(store: &dyn Store) {
    let id = given_thread(store).await;
    sent(store, 5, id).await;
    assert_eq!(found(store, "own").await, [own_message_id(5), mine()]);
    batch(store).await;
    refused(store, 5, RefusalCode::ContentTooLong).await;
    assert_eq!(found(store, "own").await, [own_message_id(5), mine()]);
    store.retry(mutation_id(5), at(800)).await.unwrap();
    batch(store).await;
    stored(store, 5, ack(5, id, 3)).await;
    assert_eq!(found(store, "own").await, [own_message_id(5), mine()]);
    sent(store, 6, id).await;
    store.cancel(mutation_id(6)).await.unwrap();
    assert_eq!(found(store, "own").await, [own_message_id(5), mine()]);
}

/// `settle`: the answer to an edit may come before the index has taken up the edit itself.
pub async fn an_edit_that_is_acknowledged_before_anybody_searches_is_found(store: &dyn Store) {
    // Given: in the index, then changed twice
    let id = given_thread(store).await;
    edit(store, 2, mine(), "Straße gesperrt").await;
    edit(store, 3, mine(), "free again").await;

    // When: the server has stored each
    batch(store).await;
    for (n, text) in [(2, "Straße gesperrt"), (3, "free again")] {
        let version = Version::new(10 + n);
        let stored = Message { content: Some(text.to_owned()), version, ..echo(1, id, 2) };
        acknowledged(store, n, Acknowledgement::Stored(Box::new(stored))).await;
    }

    // Then
    assert_eq!((found(store, "strasse").await, found(store, "free").await), (vec![], vec![mine()]));
    assert_eq!(found(store, "own").await, []);
}

/// `change`: the new text is found at once and the old one is not; a refused edit takes that back.
pub async fn search_follows_an_edit(store: &dyn Store) {
    given_thread(store).await;
    edit(store, 2, mine(), "Straße gesperrt").await;
    assert_eq!((found(store, "own").await, found(store, "strasse").await), (vec![], vec![mine()]));
    edit(store, 3, mine(), "free again").await;
    assert_eq!((found(store, "strasse").await, found(store, "free").await), (vec![], vec![mine()]));
    batch(store).await;
    refused(store, 3, RefusalCode::Forbidden).await;
    assert_eq!((found(store, "free").await, found(store, "own").await), (vec![], vec![mine()]));
}

/// `change`: what is being deleted is not found from then on; a refused deletion takes that back.
pub async fn search_follows_a_deletion(store: &dyn Store) {
    let id = given_thread(store).await;
    delete(store, 2, mine()).await;
    assert_eq!(found(store, "own").await, []);
    batch(store).await;
    refused(store, 2, RefusalCode::Forbidden).await;
    assert_eq!(found(store, "own").await, [mine()]);
    store.retry(mutation_id(2), at(800)).await.unwrap();
    batch(store).await;
    acknowledged(store, 2, Acknowledgement::Stored(Box::new(deleted(echo(1, id, 2))))).await;
    assert_eq!(found(store, "own").await, []);
}

/// `apply_pull`: the server's edits and deletions.
pub async fn search_follows_a_page(store: &dyn Store) {
    let id = given_thread(store).await;
    let edited = Message { version: Version::new(2), ..saying(id, 1, "crane moved") };
    pulled_messages(store, vec![edited.clone()]).await;
    assert_eq!((found(store, "message").await, found(store, "cra").await), (vec![], vec![edited.id]));
    pulled_messages(store, vec![deleted(edited.clone())]).await;
    assert_eq!(found(store, "cra").await, []);
    let gone = tombstone(mine(), id, 2, 9);
    pulled(store, Changes { tombstones: vec![gone], ..Changes::default() }).await;
    assert_eq!(found(store, "own").await, []);
}

/// A message that takes the place of one that was just deleted, the last one that was stored, is found.
pub async fn what_comes_after_a_deleted_message_is_found(store: &dyn Store) {
    let id = given_texts(store, &["first", "second", "third"]).await;
    assert_eq!(found(store, "third").await.len(), 1);
    for seq in [2, 3] {
        let gone = tombstone(message_id(id, seq), id, seq, 9);
        pulled(store, Changes { tombstones: vec![gone], ..Changes::default() }).await;
    }
    pulled_messages(store, vec![saying(id, 4, "fourth"), saying(id, 5, "fifth")]).await;
    assert_eq!(texts(store, "f").await, ["fifth", "fourth", "first"]);
    assert_eq!(texts(store, "third").await, [""; 0]);
}

/// `apply_pull`: lost access, deleted conversations; unsent messages of them are dead letters, and are not found either.
pub async fn nothing_of_what_was_lost_from_sight_is_found(store: &dyn Store) {
    let changes = Changes {
        conversations: vec![direct(1, 2), Conversation { medic_id: Some(medic_id(3)), ..direct(2, 1) }],
        messages: vec![
            message(conversation_id(1), 1, &ada()),
            message(conversation_id(1), 2, &iris()),
            message(conversation_id(2), 1, &ben()),
        ],
        ..thread(direct(3, 0), vec![])
    };
    loaded(store, changes).await;
    sent(store, 5, conversation_id(1)).await;
    assert_eq!((found(store, "message").await.len(), found(store, "own").await.len()), (3, 1));
    let revoke = AccessChange { conversation_id: conversation_id(1), access: Access::Revoke, version: Version::new(9) };
    pulled(store, Changes { access: vec![revoke], ..Changes::default() }).await;
    assert_eq!(found(store, "message").await, [message_id(conversation_id(2), 1)]);
    assert_eq!(found(store, "own").await, []);
    assert_eq!(found(store, "m").await.len(), 1);
    let gone = conversation_tombstone(conversation_id(2), 9);
    pulled(store, Changes { tombstones: vec![gone], ..Changes::default() }).await;
    assert_eq!(found(store, "message").await, []);
}

/// `apply_bootstrap`: what it does not confirm is not found any more.
pub async fn nothing_of_what_a_bootstrap_does_not_confirm_is_found(store: &dyn Store) {
    let id = given_texts(store, &["old gate", "new gate"]).await;
    assert_eq!(found(store, "gate").await.len(), 2);
    let rows = vec![saying(id, 2, "new gate")];
    bootstrapped(store, BootstrapReason::Reconcile, thread(direct(1, 2), rows)).await;
    assert_eq!(texts(store, "gate").await, ["new gate"]);
    bootstrapped(store, BootstrapReason::Reconcile, Changes::default()).await;
    assert_eq!(texts(store, "gate").await, [""; 0]);
}

/// `settle`: the messages of a conversation that was opened here are found under the id that the server gives it, and under
/// the one that it had.
pub async fn search_follows_a_conversation_that_gets_another_id(store: &dyn Store) {
    loaded(store, thread(direct(7, 0), vec![])).await;
    let opened =
        store.open_direct(mutation_id(1), crate::NewDirect { medic_id: medic_id(9), ..new_direct(1) }).await.unwrap();
    sent(store, 2, opened.id).await;
    let in_it = |id| SearchQuery { conversation: Some(id), ..query("own") };
    assert_eq!(hits(store, &in_it(opened.id)).await.len(), 1);
    batch(store).await;

    let canonical = Conversation { medic_id: Some(medic_id(9)), ..direct(8, 0) };
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(canonical.clone()))).await;

    for id in [canonical.id, opened.id] {
        let found = hits(store, &in_it(id)).await;
        assert_eq!(found.iter().map(|hit| hit.message.conversation_id).collect::<Vec<_>>(), [canonical.id]);
    }
}

/// `index`: in steps, and the same is found after all of them; what was indexed stays so over a restart.
pub async fn an_index_is_built_in_steps_and_stays(device: &dyn Device) {
    let store = device.open().await;
    let one = conversation_id(1);
    loaded_thread(&*store, direct(1, 5_000), (1..=5_000).map(|n| message(one, n, &ada())).collect()).await;
    let mut left = store.index().await.unwrap();
    while left > 0 {
        let now = store.index().await.unwrap();
        assert!(now < left, "{now} of {left} are left");
        left = now;
    }
    drop(store);
    let store = device.open().await;
    let page = store.search(&query("\"message 4711\"")).await.unwrap();
    assert_eq!((ids(&page.hits), page.unindexed), (vec![message_id(one, 4_711)], 0));
}

/// `wipe`: nothing is found, and the next owner's messages are.
pub async fn nothing_is_found_after_a_wipe(store: &dyn Store) {
    given_thread(store).await;
    store.wipe().await.unwrap();
    assert_eq!((found(store, "own").await, found(store, "m").await), (vec![], vec![]));
    given_thread(store).await;
}
