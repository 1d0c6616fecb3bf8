//! What people have reported of reactions, badges, drafts, receipts and searches in other messengers, tried here.

use crate::given::*;
use fieldpost::{
    Client, ConversationId, Draft, MessageContent, MessageId, MessageStatus, SearchQuery, Settings, ThreadMessage,
    Window,
};

/// The last messages that a phone shows.
async fn window(client: &Client, thread: ConversationId, messages: u32) -> Vec<ThreadMessage> {
    client.conversation(thread).messages(Window::newest(messages)).await.unwrap().messages
}

async fn shown(client: &Client, thread: ConversationId, message: MessageId) -> ThreadMessage {
    window(client, thread, 99).await.into_iter().find(|one| one.id == message).unwrap()
}

/// Emoji, number, whether one's own is among them.
async fn reactions(client: &Client, thread: ConversationId, message: MessageId) -> Vec<(String, u64, bool)> {
    let message = shown(client, thread, message).await;
    message.reactions.iter().map(|one| (one.emoji.to_string(), one.count, one.mine)).collect()
}

async fn sync(clients: &[&Client]) {
    // The second round brings to the first what the last has sent.
    for client in clients.iter().chain(clients) {
        client.sync().await.unwrap();
    }
}

/// Writes a message with more than text.
async fn send(client: &Client, thread: ConversationId, text: &str, with: impl FnOnce(Draft) -> Draft) -> MessageId {
    let draft = with(Draft::new(MessageContent::new(text).unwrap()));
    client.conversation(thread).send_draft(draft).await.unwrap().id()
}

async fn read_all(client: &Client, thread: ConversationId) {
    let last = client.conversation(thread).summary().await.unwrap().unwrap().last_seq;
    client.conversation(thread).mark_read(last).await.unwrap();
}

async fn badge(client: &Client) -> u64 {
    client.unread_for_badge().await.unwrap()
}

/// Expensify/App#19635: "the emoji counter shows 2 although the same person reacted on two devices".
#[tokio::test(flavor = "multi_thread")]
async fn the_same_reaction_from_two_devices_of_a_person_counts_once() {
    let site = Site::new().await;
    let ((_phone, ada), (_tablet, other)) = (site.client(ADA).await, site.client(ADA).await);
    let (_office, admin) = site.client(ADMIN).await;
    let thread = adas(&ada).await;
    let message = window(&ada, thread, 1).await[0].id;
    ada.conversation(thread).react(message, "👍").await.unwrap();
    other.conversation(thread).react(message, "👍").await.unwrap();

    sync(&[&other, &ada, &admin]).await;

    for (client, mine) in [(&ada, true), (&other, true), (&admin, false)] {
        assert_eq!(reactions(client, thread, message).await, [("👍".to_owned(), 1, mine)]);
    }
    // Expensify/App#23388: both take theirs back while one of them has no network.
    other.conversation(thread).unreact(message, "👍").await.unwrap();
    ada.conversation(thread).unreact(message, "👍").await.unwrap();
    sync(&[&ada, &other, &admin]).await;
    for client in [&ada, &other, &admin] {
        assert_eq!(reactions(client, thread, message).await, []);
    }
}

/// Expensify/App#23679, stream-chat-android#3453: "reactions toggled offline are not what was last chosen".
#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_toggled_many_times_offline_ends_as_it_was_left() {
    let site = Site::new().await;
    let ((phone, ada), (_office, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    let message = window(&ada, thread, 1).await[0].id;
    for (times, expected) in [(7, 1), (4, 1), (3, 0)] {
        for _ in 0..times {
            ada.conversation(thread).toggle_reaction(message, "👍").await.unwrap();
        }
        sync(&[&ada, &admin]).await;
        let counts: Vec<_> = reactions(&admin, thread, message).await.iter().map(|one| one.1).collect();
        assert_eq!(counts, vec![1; expected], "after {times}");
    }
    drop(ada);
    let ada = phone.start().await;
    assert_eq!(reactions(&ada, thread, message).await, []);
}

/// nextcloud/talk-android#5662: "reacting to a message that another one quotes breaks the quote; counts go negative".
#[tokio::test(flavor = "multi_thread")]
async fn a_quote_stays_whatever_is_done_with_reactions_to_what_it_quotes() {
    let site = Site::new().await;
    let ((_phone, ada), (_office, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    let quoted = window(&ada, thread, 1).await[0].id;
    let reply = send(&ada, thread, "So it is", |draft| draft.in_reply_to(quoted)).await;
    sync(&[&ada, &admin]).await;
    let before = shown(&admin, thread, reply).await.reply;
    for _ in 0..3 {
        for client in [&ada, &admin] {
            client.conversation(thread).react(quoted, "👍").await.unwrap();
            client.conversation(thread).unreact(quoted, "👍").await.unwrap();
            sync(&[client]).await;
            client.conversation(thread).unreact(quoted, "👍").await.unwrap();
        }
    }
    sync(&[&ada, &admin]).await;
    for client in [&ada, &admin] {
        assert_eq!(reactions(client, thread, quoted).await, []);
    }
    assert!(before.is_some());
    assert_eq!(shown(&admin, thread, reply).await.reply, before);
}

/// hermes-agent#79285, soju#50: "searching for `it's` (a path, an address, a lone quote) is a syntax error or finds nothing";
/// openagent-go#4: "a Chinese word inside a longer sentence is not found".
#[tokio::test(flavor = "multi_thread")]
async fn every_text_finds_the_message_that_has_it() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let thread = adas(&ada).await;
    let texts = [
        ("It's at gate B", "it's"),
        ("see gateway/run.py line 7", "gateway/run.py"),
        ("write to user@host", "user@host"),
        ("a,b or c", "a,b"),
        ("but why?", "why?"),
        ("E=mc2 they say", "e=mc2"),
        ("a #tag here", "#tag"),
        ("in [bracket] too", "[bracket]"),
        ("50% are gone", "50%"),
        ("run with --error-on-warnings", "\"--error-on-warnings\""),
        ("we use C++ there", "c++"),
        ("NEAR(x OR y) AND NOT z*", "NEAR(x OR y) AND NOT"),
        ("我们在北京见面", "北京"),
        ("お昼に東京駅で", "東京駅"),
        ("la niña está bien", "nina esta"),
    ];
    for (text, _) in texts {
        ada.conversation(thread).send(text).await.unwrap();
    }
    for (text, typed) in texts {
        let page = ada.search(&SearchQuery::typed(typed).unwrap()).await.unwrap();
        let found: Vec<_> = page.hits.iter().filter_map(|hit| hit.message.content.as_deref()).collect();
        assert!(found.contains(&text), "{typed}: {found:?}");
    }
    for nothing in ["\"", "*", "\"\"", "()", " - ", "%_"] {
        assert!(ada.search(&SearchQuery::typed(nothing).unwrap()).await.unwrap().hits.is_empty(), "{nothing}");
    }
}

/// Signal-iOS#5108: "the badge counts messages of archived chats that nobody finds"; status-app#8943: "muted chats are in
/// the badge after a restart"; status-app#11041: "a mention in a muted chat cannot be cleared".
#[tokio::test(flavor = "multi_thread")]
async fn a_badge_counts_what_a_person_finds_in_the_list() {
    let site = Site::new().await;
    let ((phone, ada), (_office, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    let me = ada.me().await.unwrap().unwrap().id;
    read_all(&ada, thread).await;
    sync(&[&ada]).await;
    let before = badge(&ada).await;
    send(&admin, thread, "Ada, gate B", |draft| draft.mentioning([me])).await;
    sync(&[&admin, &ada]).await;
    assert_eq!(badge(&ada).await, before + 1);

    ada.conversation(thread).archive().await.unwrap();
    assert_eq!(badge(&ada).await, before, "in the archive");
    admin.conversation(thread).send("and gate C").await.unwrap();
    sync(&[&admin, &ada]).await;
    assert_eq!(badge(&ada).await, before + 2, "out of the archive, where it is seen");

    ada.conversation(thread).mute(Settings::FOREVER).await.unwrap();
    assert_eq!(badge(&ada).await, before);
    ada.close().await.unwrap();
    let ada = phone.start().await;
    assert_eq!((badge(&ada).await, ada.total_unread_mentions().await.unwrap()), (before, 1), "after a restart too");
    read_all(&ada, thread).await;
    assert_eq!(ada.total_unread_mentions().await.unwrap(), 0, "reading clears it");
}

/// Signal-Android#1897, #5889: "a draft is lost when the app is killed, when sending fails, or when another chat is opened".
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_stays_until_it_is_sent_or_cleared() {
    let site = Site::new().await;
    let (phone, admin) = site.client(ADMIN).await;
    let all = admin.conversations().await.unwrap();
    let (one, two) = (all[0].id, all[1].id);
    admin.conversation(one).set_draft("On my").await.unwrap();
    site.network.offline(true).await;
    admin.conversation(two).set_draft("no: not this").await.unwrap();
    admin.conversation(two).send_stored_draft().await.unwrap();
    site.network.offline(false).await;
    admin.sync().await.unwrap();
    admin.conversation(two).set_draft("better").await.unwrap();
    drop(admin);

    let admin = phone.start().await;

    let draft = |id| {
        let conversation = admin.conversation(id);
        async move { conversation.draft().await.unwrap().map(|draft| draft.text) }
    };
    assert_eq!((draft(one).await.as_deref(), draft(two).await.as_deref()), (Some("On my"), Some("better")));
    let failed = window(&admin, two, 1).await.pop().unwrap();
    assert_eq!(failed.content.as_deref(), Some("no: not this"), "what was refused waits for its author");
    assert!(failed.failure.is_some());
}

/// bluebubbles#632: "an older message shows as delivered only, although it was read, once the next one is delivered".
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_read_stays_read_when_the_next_is_only_delivered() {
    let site = Site::new().await;
    let ((_phone, ada), (_office, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let thread = adas(&ada).await;
    let first = ada.conversation(thread).send("Hall A").await.unwrap().id();
    sync(&[&ada, &admin]).await;
    read_all(&admin, thread).await;
    sync(&[&admin]).await;
    let second = ada.conversation(thread).send("Hall B").await.unwrap().id();
    sync(&[&ada, &admin]).await;
    // That it arrived is told with the next that the phone has to say.
    admin.conversation(thread).send("Fine").await.unwrap();
    sync(&[&admin, &ada]).await;

    let status = |message| {
        let ada = &ada;
        async move { shown(ada, thread, message).await.status }
    };
    assert_eq!((status(first).await, status(second).await), (MessageStatus::Read, MessageStatus::Delivered));
}

/// una#955: "mark as unread from a message marks the whole chat".
#[tokio::test(flavor = "multi_thread")]
async fn marking_unread_from_a_message_counts_from_there() {
    let site = Site::new().await;
    let ((_phone, ada), (_tablet, other)) = (site.client(ADA).await, site.client(ADA).await);
    let (_office, admin) = site.client(ADMIN).await;
    let thread = adas(&ada).await;
    for text in ["one", "two", "three", "four"] {
        admin.conversation(thread).send(text).await.unwrap();
    }
    sync(&[&admin, &ada]).await;
    read_all(&ada, thread).await;
    let third = window(&ada, thread, 2).await[0].clone();
    assert_eq!(third.content.as_deref(), Some("three"));

    ada.conversation(thread).mark_unread(third.seq).await.unwrap();
    sync(&[&ada, &other]).await;

    for client in [&ada, &other] {
        assert_eq!(client.conversation(thread).summary().await.unwrap().unwrap().unread, 2);
    }
}
