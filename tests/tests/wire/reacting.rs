//! Reacting to messages, over real sockets and files.

use crate::given::*;
use fieldpost::{Client, EmojiError, EntryState, Error, MessageId, ThreadReaction, Window};
use fieldpost_devserver::{DevServer, Endpoint, Fault};
use fieldpost_domain::{Capability, Emoji};
use fieldpost_remote::reference::{DEMO_PASSWORD, ReferenceServer};
use fieldpost_tests::Phone;

/// A message of Ada's that the server has.
async fn sent(ada: &Client) -> MessageId {
    let sent = ada.conversation(adas(ada).await).send("Hall A").await.unwrap();
    ada.sync().await.unwrap();
    sent.id()
}

async fn react(client: &Client, message: MessageId, emoji: &str) -> Vec<ThreadReaction> {
    client.conversation(adas(client).await).react(message, emoji).await.unwrap().reactions
}

/// Emoji, number, whether one's own is among them.
async fn shown(client: &Client, message: MessageId) -> Vec<(String, u64, bool)> {
    let window = client.conversation(adas(client).await).messages(Window::newest(9)).await.unwrap();
    let message = window.messages.into_iter().find(|one| one.id == message).unwrap();
    message.reactions.iter().map(|one| (one.emoji.to_string(), one.count, one.mine)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_made_offline_shows_at_once_and_reaches_everybody() {
    let site = Site::new().await;
    let ((phone, ada), (_other, admin)) = (site.client(ADA).await, site.client(ADMIN).await);
    let message = sent(&ada).await;
    admin.sync().await.unwrap();
    react(&admin, message, "👍").await;
    admin.sync().await.unwrap();
    site.network.offline(true).await;

    let reacted = react(&ada, message, "👍").await;

    assert!(reacted[0].mine && reacted[0].changing);
    ada.close().await.unwrap();
    let ada = phone.start().await;
    assert_eq!(shown(&ada, message).await, [("👍".to_owned(), 1, true)], "a restart forgets nothing");
    site.network.offline(false).await;
    ada.sync().await.unwrap();
    admin.sync().await.unwrap();
    for client in [&ada, &admin] {
        assert_eq!(shown(client, message).await, [("👍".to_owned(), 2, true)]);
    }
    let thread = ada.conversation(adas(&ada).await);
    thread.toggle_reaction(message, "👍").await.unwrap();
    thread.toggle_reaction(message, "🎉").await.unwrap();
    thread.toggle_reaction(message, "🎉").await.unwrap();
    assert_eq!(ada.changes_of(message).await.unwrap().len(), 1, "what was never sent disappears");
    ada.sync().await.unwrap();
    admin.sync().await.unwrap();
    assert_eq!(shown(&admin, message).await, [("👍".to_owned(), 1, true)]);
    assert_eq!(shown(&ada, message).await, [("👍".to_owned(), 1, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_whose_answer_was_lost_counts_once() {
    let site = Site::new().await;
    let (_phone, ada) = site.client(ADA).await;
    let message = sent(&ada).await;
    react(&ada, message, "👍").await;
    site.network.order(Endpoint::Push, 2, Fault::LoseAnswer);
    ada.sync().await.unwrap_err();
    ada.sync().await.unwrap();
    assert_eq!(site.reference.reactions_to(message)[&Emoji::new("👍").unwrap()].len(), 1);
    assert_eq!(shown(&ada, message).await, [("👍".to_owned(), 1, true)]);
    assert!(ada.changes_of(message).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_reaction_waits_for_a_server_that_has_learned_of_them_and_odd_emojis_are_refused_here() {
    let older = ReferenceServer::builder().without(&Capability::Reactions).build();
    older.add_demo();
    let server = DevServer::builder().reference(older.clone()).start().await.unwrap();
    let phone = Phone::new(server.url(), server.anon_key());
    let ada = phone.first_start(ADA, DEMO_PASSWORD).await;
    let message = sent(&ada).await;
    react(&ada, message, "👍").await;
    ada.sync().await.unwrap();
    let waiting = ada.changes_of(message).await.unwrap();
    assert_eq!(waiting[0].state, EntryState::NeedsServer(Capability::Reactions));
    assert_eq!(shown(&ada, message).await, [("👍".to_owned(), 1, true)]);
    let thread = ada.conversation(adas(&ada).await);
    for (odd, why) in [("", EmojiError::Empty), ("a b", EmojiError::NotOne)] {
        assert!(matches!(thread.react(message, odd).await, Err(Error::InvalidEmoji(error)) if error == why));
    }
    assert!(matches!(thread.react(message, &"👍".repeat(40)).await, Err(Error::InvalidEmoji(_))));
    assert!(matches!(thread.react(thread_less(), "👍").await, Err(Error::NotFound)));
}

fn thread_less() -> MessageId {
    MessageId::from_uuid(uuid::Uuid::from_u128(7))
}
